#include "tools/benchmarks/poll_load.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/benchmarks/load_connection.hpp"

namespace ota::bench {
namespace {

constexpr double kP99MaxMs = 50;

double ms(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1'000; }

}  // namespace

std::vector<std::string> poll_requests(std::size_t first) {
  std::vector<std::string> polls;
  for (std::size_t device = first; device < first + kPollingDevices; ++device) {
    polls.push_back(http_text("GET", device_path(device)));
  }
  return polls;
}

std::string poll_answer(int port) {
  LoadConnection connection(port);
  const std::string request = poll_requests().front();
  connection.ask(request);
  return std::string(connection.body());
}

LoadResult run_for(const Extent& extent, int port, std::size_t connections, LoadPlan& plan) {
  LoadOptions options;
  options.port = port;
  options.connections = connections;
  options.warm_up = std::chrono::duration<double>(extent.warm_up_seconds());
  options.duration = std::chrono::duration<double>(extent.seconds());
  return run_load(options, plan);
}

void PollsBeside::add_alone(const LoadResult& result) {
  alone_per_second_ = std::max(alone_per_second_, result.per_second());
  alone_p99_ = std::max(alone_p99_, result.p99);
}

void PollsBeside::add_beside(const LoadResult& result) {
  beside_per_second_ = std::max(beside_per_second_, result.per_second());
  beside_p50_ = std::max(beside_p50_, result.p50);
  beside_p99_ = std::max(beside_p99_, result.p99);
}

Rows PollsBeside::rows(const std::string& work, const std::string& peer,
                       const std::string& note) const {
  return {{work + ", p99",
           ms(beside_p99_),
           "ms",
           {},
           Goal{Goal::Kind::kValueAtMost, kP99MaxMs, /*binding=*/true},
           fmt::format("p50 {:.2f} ms; {} p99 {:.2f} ms; {}", ms(beside_p50_), peer, ms(alone_p99_),
                       note)},
          {work, beside_per_second_, "polls/s", Peer{peer, alone_per_second_}, {}, note}};
}

}  // namespace ota::bench
