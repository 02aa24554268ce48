// Answers that have no end, such as events as they happen: one thread with one epoll, however many there are.
//
// Sources that may have something to say take turns; each gives one piece, which is sent before it is asked again. One whose
// peer does not read waits for room, one that has nothing to say waits for the bell; neither costs more than its connection.
// Nobody ends such an answer but its peer, the end of the service, a source that fails, and a peer that takes nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "http/answer_source.hpp"
#include "http/bell.hpp"
#include "http/connection.hpp"
#include "http/limits.hpp"

namespace ota::http {

struct EndlessOptions {
  // Rung when sources that had nothing to say may have something; null: they never have.
  std::shared_ptr<const Bell> news = {};
  // Proxies and clients take a connection for dead that is silent for longer than this; 30 s are usual.
  std::chrono::milliseconds silence_max{15'000};
  // For a peer that takes nothing of what is sent to it: as long as one may stand still elsewhere.
  std::chrono::milliseconds stuck_max{60'000};
  // All who wait for news are asked at most so often: a thousand of them at each of some thousand commits a second would
  // keep a processor busy, and nobody sees the difference.
  std::chrono::milliseconds gather{10};
  // Of pieces that wait for room, of all together; whoever else has to wait is broken off. A thousand times 32 KB, and as
  // much again for events that are larger than a piece.
  std::size_t kept_bytes = 64 * limits::kMiB;
};

class EndlessAnswers {
 public:
  // Gets the connection back, on any thread: `well` if what was sent ends where it may end, else it is of no more use.
  using Done = std::function<void(Connection&, bool well)>;

  EndlessAnswers(EndlessOptions options, Done done);
  ~EndlessAnswers();
  EndlessAnswers(const EndlessAnswers&) = delete;
  EndlessAnswers& operator=(const EndlessAnswers&) = delete;

  struct Begun {
    std::unique_ptr<AnswerSource> source;
    bool chunked = true;    // else the connection's end is the answer's
    std::string rest = {};  // of the answer's head: not sent yet
  };
  // Takes over the connection, of whose answer the head was sent. Any thread.
  void begin(Connection& connection, Begun begun);
  // Ends all of them at once, and those that are begun from now on; and the thread.
  void stop();
  std::size_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  struct Running;
  class Worker;

  std::atomic<std::size_t> open_{0};
  const Done done_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ota::http
