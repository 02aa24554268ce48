// The bounded pool of threads that run requests.
//
// Most handlers wait for a commit most of the time, so there are many more of them than cores, with
// small stacks. A thread is woken only if no other is on its way (a woken one wakes the next while
// work is left): at high load a few threads that never sleep do everything, and when they block the
// next takes over at once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/thread.hpp"

namespace ota::http {

class Connection;

class HandlerPool {
 public:
  using Work = std::function<void(Connection&)>;

  // Who is next when more wait than there are threads. With the newest first those that have waited too long are not
  // served, and the others in time; with the oldest first each is served just when it has given up, and nobody is.
  enum class Turn : bool { kOldestFirst, kNewestFirst };

  // Starts the threads; `work` must not throw.
  HandlerPool(std::size_t threads, std::size_t stack_bytes, Work work, Turn turn = Turn::kOldestFirst);
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // Queues a connection on which a whole request is waiting. Every connection is queued at most
  // once at a time, so the bound on connections bounds the queue.
  void submit(Connection& connection);
  // Somebody will submit one more, whatever happens: stop() waits for that. Called by a running thread of the pool, which
  // may take it back.
  void expect() { expected_.fetch_add(1); }
  void expect_no_more();
  void submit_expected(Connection& connection);
  // Works off the queue and ends the threads. Nothing may be submitted any more but what is expected.
  void stop();
  std::size_t queued() const;
  std::size_t running() const;
  std::size_t expected() const { return expected_.load(std::memory_order_relaxed); }

 private:
  struct Sleeper {
    std::condition_variable wake;
    bool woken = false;
  };

  void run();
  Connection& take_next();
  // Wakes the thread that fell asleep last, whose memory is still warm. The lock is held.
  void wake_one();
  void wake_all();

  const Work work_;
  const Turn turn_;
  mutable std::mutex mutex_;
  std::deque<Connection*> queue_;
  std::vector<Sleeper*> sleepers_;
  bool waking_ = false;  // a woken thread has not looked at the queue yet
  bool stopping_ = false;
  std::atomic<std::size_t> expected_{0};
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace ota::http
