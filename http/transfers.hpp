// Sends files to clients without a thread for each: a few threads, each with an epoll, that call
// sendfile wherever a socket has room. Thousands of devices may download over thin lines while the
// handlers stay free.
//
// What is asked too often, or is more than the line is to carry, waits here: refusing it would end a device's update for
// good. A transfer owns its connection from begin() until it gives it to `done`. Its end is reported
// before that, on the transfer's thread: such a callback must be short and must not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/connection.hpp"
#include "http/thread.hpp"
#include "http/throttle.hpp"

namespace ota::http {

// What is sent, piece behind piece: text, then bytes of the file.
struct TransferPiece {
  std::string text = {};
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Transfer {
  std::shared_ptr<const void> holder = {};  // keeps the descriptor open
  int descriptor = -1;
  std::vector<TransferPiece> pieces = {};
  SteadyClock::duration pause{};  // before the first byte
  std::function<void(bool complete)> on_end;  // complete: the last byte has left; may be empty
};

class Transfers {
 public:
  // Gets the connection back: `complete` if everything was sent, else it is of no more use.
  using Done = std::function<void(Connection&, bool complete)>;

  Transfers(std::size_t threads, Pace pace, TransferRates rates, const Done& done);
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Takes over the connection, whose answer's head was sent.
  void begin(Connection& connection, Transfer transfer);
  // Ends what is under way as incomplete, and the threads.
  void stop();
  std::size_t running() const { return running_.load(std::memory_order_relaxed); }

 private:
  struct Running;
  class Worker;

  std::atomic<std::size_t> running_{0};
  Throttle all_together_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace ota::http
