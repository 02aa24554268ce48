// Calls something again and again, from a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ota::actors {

class Ticker {
 public:
  // First after `every`. `tick` must not throw.
  Ticker(std::chrono::milliseconds every, std::function<void()> tick)
      : thread_([this, every, tick = std::move(tick)] {
          std::unique_lock lock(mutex_);
          while (!stop_.wait_for(lock, every, [this] { return stopped_; })) {
            lock.unlock();
            tick();
            lock.lock();
          }
        }) {}
  // Waits for a call that runs.
  ~Ticker() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    stop_.notify_all();
    thread_.join();
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace ota::actors
