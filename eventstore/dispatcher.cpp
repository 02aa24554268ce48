#include "eventstore/dispatcher.hpp"

#include "eventstore/fault.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {
namespace {

GroupPtr committed_group(std::vector<std::unique_ptr<PreparedAppend>> appends) {
  std::vector<RecordedEvent> events;
  std::size_t count = 0;
  for (const auto& append : appends) count += append->views.size();
  events.reserve(count);
  for (const auto& append : appends) {
    for (RecordedEvent& view : append->views) events.push_back(std::move(view));
  }
  auto storage =
      std::make_shared<const std::vector<std::unique_ptr<PreparedAppend>>>(std::move(appends));
  return std::make_shared<const CommittedGroup>(std::move(events), std::move(storage));
}

}  // namespace

Dispatcher::Dispatcher(std::vector<Tail*> tails, InFlight& in_flight)
    : tails_(std::move(tails)), in_flight_(in_flight), thread_([this] { run(); }) {}

Dispatcher::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Dispatcher::hand_over(DecidedGroup group) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return groups_.size() < limits::kGroupsWaiting; });
    groups_.push_back(std::move(group));
  }
  changed_.notify_all();
}

void Dispatcher::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return groups_.empty(); });
}

void Dispatcher::run() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !groups_.empty(); });
    if (groups_.empty()) return;
    DecidedGroup& group = groups_.front();  // stays where it is: a deque's elements do
    lock.unlock();
    deliver(group);
    lock.lock();
    groups_.pop_front();
    changed_.notify_all();
  }
}

void Dispatcher::deliver(DecidedGroup& group) {
  if (!group.appends.empty()) {
    OTA_FAULT("journal.before_tails");
    const GroupPtr committed = committed_group(std::move(group.appends));
    for (Tail* tail : tails_) tail->on_group(committed);
  }
  OTA_FAULT("journal.before_completions");
  for (Delivery& delivery : group.deliveries) {
    if (delivery.of_append) in_flight_.end();
    if (delivery.done) delivery.done(delivery.outcome);
  }
  group.deliveries.clear();  // what completions hold is let go here, not under the lock
}

}  // namespace ota::eventstore
