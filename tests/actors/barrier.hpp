// Holds the followers of the log behind the views, and every answer with them: what commits meanwhile is in the log and
// nowhere else.
#pragma once

#include <condition_variable>
#include <mutex>

#include "eventstore/journal.hpp"

namespace ota::actors::test {

class Barrier final : public eventstore::Tail {
 public:
  void on_group(const eventstore::GroupPtr&) override {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

}  // namespace ota::actors::test
