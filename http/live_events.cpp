#include "http/live_events.hpp"

#include <utility>

namespace ota::http {

void LiveEvents::on_group(const eventstore::GroupPtr& group) {
  if (group->events().empty()) return;
  // Before it is asked who follows: whoever comes now either reads up to here, or is counted.
  newest_.store(group->events().back().position.value);
  if (followers_.taken() == 0) return;
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(group);
    if (arrived_.size() > limits::kLiveGroupsWaiting) arrived_.pop_front();
  }
  bell_->ring();
}

void LiveEvents::take_in() {
  std::deque<eventstore::GroupPtr> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
  }
  for (const auto& group : arrived) keep(group);
  while (kept_.size() > limits::kLiveEvents || kept_bytes_ > limits::kLiveEventsBytes) drop_oldest();
}

void LiveEvents::keep(const eventstore::GroupPtr& group) {
  const auto first = group->events().front().position;
  // Nobody followed for a while, or too many waited: what is older is read from the log.
  if (!kept_.empty() && kept_.back().event->position.value + 1 != first.value) {
    kept_.clear();
    kept_bytes_ = 0;
  }
  for (const auto& event : group->events()) {
    kept_.push_back({group, &event, {}});
    kept_bytes_ += event.payload.size();
  }
}

void LiveEvents::drop_oldest() {
  kept_bytes_ -= kept_.front().event->payload.size();
  kept_.pop_front();
}

LiveEvents::Event* LiveEvents::find(eventstore::Position position) {
  if (kept_.empty() || position < kept_.front().event->position || position > kept_.back().event->position) return nullptr;
  return &kept_[static_cast<std::size_t>(position.value - kept_.front().event->position.value)];
}

}  // namespace ota::http
