#include "tools/otasim/timer_heap.hpp"

#include <algorithm>
#include <utility>

namespace ota::sim {

TimerTicket::TimerTicket(TimerTicket&& other) noexcept
    : heap_(std::exchange(other.heap_, nullptr)), id_(other.id_) {}

TimerTicket& TimerTicket::operator=(TimerTicket&& other) noexcept {
  if (this != &other) {
    cancel();
    heap_ = std::exchange(other.heap_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void TimerTicket::cancel() {
  if (heap_ != nullptr) std::exchange(heap_, nullptr)->cancel(id_);
}

TimerTicket TimerHeap::at(TimePoint at, std::function<void()> action) {
  const std::uint64_t id = ++last_id_;
  actions_.emplace(id, std::move(action));
  heap_.push_back({at, id});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
  return {*this, id};
}

void TimerHeap::cancel(std::uint64_t id) {
  actions_.erase(id);
  if (heap_.size() > 2 * actions_.size() + 64) {
    std::erase_if(heap_, [this](const Entry& entry) { return !actions_.contains(entry.id); });
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>{});
  }
}

void TimerHeap::drop_dead_top() {
  while (!heap_.empty() && !actions_.contains(heap_.front().id)) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
    heap_.pop_back();
  }
}

std::optional<TimePoint> TimerHeap::next() {
  drop_dead_top();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

void TimerHeap::run_due(TimePoint now) {
  const std::uint64_t last_before = last_id_;
  std::vector<Entry> set_meanwhile;
  for (drop_dead_top(); !heap_.empty() && heap_.front().at <= now; drop_dead_top()) {
    const Entry entry = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
    heap_.pop_back();
    if (entry.id > last_before) {
      set_meanwhile.push_back(entry);
      continue;
    }
    // Taken out first: the action may destroy its own ticket, or whatever it belongs to.
    const auto action = std::move(actions_.extract(entry.id).mapped());
    action();
  }
  for (const Entry& entry : set_meanwhile) {
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
  }
}

}  // namespace ota::sim
