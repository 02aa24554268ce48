// What one thread waits for and another hands over, once. Both hold it.
//
// Sleeps at once: std::binary_semaphore yields the processor a dozen times before, and 128 waiting threads took 8 % of two
// cores from those who were to answer them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace ota::actors {

template <class T>
class Awaited {
 public:
  void set(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    there_.notify_one();
  }
  T take() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }
  // Empty: it did not come in time.
  std::optional<T> take_within(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    if (!there_.wait_for(lock, at_most, [this] { return value_.has_value(); })) return std::nullopt;
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<T> value_;
};

}  // namespace ota::actors
