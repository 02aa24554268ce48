#include "actors/chore.hpp"

#include <sys/resource.h>

#include <utility>

namespace ota::actors {
namespace {

constexpr int kGentle = 19;

}  // namespace

Chore::Chore(std::chrono::milliseconds first, std::chrono::milliseconds every, Work work)
    : first_(first), every_(every), work_(std::move(work)), thread_([this] { run(); }) {}

Chore::~Chore() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Chore::start() {
  const std::lock_guard lock(mutex_);
  if (running_ || asked_) return false;
  asked_ = true;
  changed_.notify_all();
  return true;
}

void Chore::start_anew() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  changed_.notify_all();
}

bool Chore::is_running() const {
  const std::lock_guard lock(mutex_);
  return running_ || asked_;
}

void Chore::run() {
  setpriority(PRIO_PROCESS, 0, kGentle);  // of this thread, and of those that it starts
  const auto called = [this] { return closing_ || asked_; };
  const auto stopped = [this] {
    const std::lock_guard lock(mutex_);
    return closing_;
  };
  std::unique_lock lock(mutex_);
  for (auto rest = first_;; rest = every_) {
    if (every_.count() == 0) {
      changed_.wait(lock, called);
    } else {
      changed_.wait_for(lock, rest, called);
    }
    if (closing_) return;
    running_ = true;
    const bool asked = std::exchange(asked_, false);
    lock.unlock();
    work_(asked, stopped);
    lock.lock();
    running_ = false;
  }
}

}  // namespace ota::actors
