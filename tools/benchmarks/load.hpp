// An HTTP load generator: many keep-alive connections from one thread with one epoll, one request
// in flight on each.
//
// It does as little as it can, since it shares the cores with what it measures: requests are texts
// made by a plan, answers are read as far as status and Content-Length.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ota::bench {

// What the connections say. Called on the generator's thread.
class LoadPlan {
 public:
  virtual ~LoadPlan() = default;
  // The next request of a connection, whole; it must stay as it is until the answer came. Empty:
  // this connection has said everything.
  virtual std::string_view next(std::size_t connection) = 0;
  // What a connection was answered, always with the status wanted; `body` is gone afterwards.
  virtual void answered(std::size_t /*connection*/, std::string_view /*body*/) {}
};

struct LoadOptions {
  int port = 0;  // on 127.0.0.1
  std::size_t connections = 64;
  int status = 200;                             // of every answer
  std::optional<std::size_t> body_bytes = {};   // of every answer, if that is known
  std::size_t kept_body_bytes = SIZE_MAX;       // so much of a body the plan is shown
  // Answers that came within the warm-up are not counted.
  std::chrono::duration<double> warm_up = {};
  // From then on; absent: until the plan has nothing more to say.
  std::optional<std::chrono::duration<double>> duration = {};
};

struct LoadResult {
  std::uint64_t answers = 0;
  std::uint64_t body_bytes = 0;  // also of answers that had not ended
  double seconds = 0;
  // Of one answer in sixteen, from sending the request to having the answer.
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p99{0};

  double per_second() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};

// Throws std::runtime_error with the answer if one has another status, or if a connection breaks.
LoadResult run_load(const LoadOptions& options, LoadPlan& plan);

}  // namespace ota::bench
