#include "http/handler_pool.hpp"

#include <utility>

namespace ota::http {

HandlerPool::HandlerPool(std::size_t threads, std::size_t stack_bytes, Work work, Turn turn)
    : work_(std::move(work)), turn_(turn) {
  sleepers_.reserve(threads);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.push_back(
        std::make_unique<Thread>("http-" + std::to_string(i), stack_bytes, [this] { run(); }));
  }
}

HandlerPool::~HandlerPool() { stop(); }

void HandlerPool::submit(Connection& connection) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(&connection);
  wake_one();
}

void HandlerPool::submit_expected(Connection& connection) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(&connection);
  // The last one that was waited for: those who sleep have nothing to wait for any more.
  if (expected_.fetch_sub(1) == 1 && stopping_) return wake_all();
  wake_one();
}

void HandlerPool::expect_no_more() {
  if (expected_.fetch_sub(1) != 1) return;
  const std::lock_guard lock(mutex_);
  if (stopping_) wake_all();
}

void HandlerPool::wake_one() {
  if (waking_ || sleepers_.empty()) return;
  waking_ = true;
  Sleeper* const sleeper = sleepers_.back();
  sleepers_.pop_back();
  sleeper->woken = true;
  sleeper->wake.notify_one();
}

void HandlerPool::wake_all() {
  for (Sleeper* const sleeper : sleepers_) {
    sleeper->woken = true;
    sleeper->wake.notify_one();
  }
  sleepers_.clear();
}

Connection& HandlerPool::take_next() {
  const bool newest = turn_ == Turn::kNewestFirst;
  Connection& next = newest ? *queue_.back() : *queue_.front();
  newest ? queue_.pop_back() : queue_.pop_front();
  return next;
}

void HandlerPool::run() {
  Sleeper self;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (queue_.empty()) {
      if (stopping_ && expected_ == 0) return;
      self.woken = false;
      sleepers_.push_back(&self);
      self.wake.wait(lock, [&] { return self.woken; });
      waking_ = false;
      continue;
    }
    Connection& connection = take_next();
    if (!queue_.empty()) wake_one();
    lock.unlock();
    work_(connection);
    lock.lock();
  }
}

void HandlerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_all();
  }
  threads_.clear();  // joins
}

std::size_t HandlerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t HandlerPool::running() const {
  const std::lock_guard lock(mutex_);
  return threads_.size() - sleepers_.size();
}

}  // namespace ota::http
