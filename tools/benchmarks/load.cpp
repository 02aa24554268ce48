#include "tools/benchmarks/load.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "tools/benchmarks/load_connection.hpp"

namespace ota::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kSampleEvery = 16;
constexpr int kSilenceMaxMs = 30'000;  // no answer on any connection for so long is a fault

Clock::duration ticks(std::chrono::duration<double> seconds) {
  return std::chrono::duration_cast<Clock::duration>(seconds);
}

class Generator {
 public:
  Generator(const LoadOptions& options, LoadPlan& plan)
      : plan_(plan),
        status_(options.status),
        body_bytes_each_(options.body_bytes),
        epoll_(epoll_create1(0)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    for (std::size_t i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<LoadConnection>(
          options.port, ConnectionOptions{.kept_body_bytes = options.kept_body_bytes}));
      watch(i, EPOLL_CTL_ADD, EPOLLIN);
    }
    counts_from_ = Clock::now() + ticks(options.warm_up);
    if (options.duration) ends_at_ = counts_from_ + ticks(*options.duration);
  }
  ~Generator() { close(epoll_); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  LoadResult run() {
    for (std::size_t i = 0; i < connections_.size(); ++i) ask(i);
    std::array<epoll_event, 256> events;
    while (asking_ > 0) {
      const int count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kSilenceMaxMs);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw std::runtime_error("the server answers no more");
      now_ = Clock::now();
      for (int i = 0; i < count; ++i) go_on(events[static_cast<std::size_t>(i)].data.u64);
    }
    return result();
  }

 private:
  void watch(std::size_t index, int how, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = index;
    epoll_ctl(epoll_, how, connections_[index]->descriptor(), &event);
  }

  void ask(std::size_t index) {
    if (ends_at_ && now_ >= *ends_at_) return;
    const std::string_view request = plan_.next(index);
    if (request.empty()) return;
    LoadConnection& connection = *connections_[index];
    connection.timed = ++asked_ % kSampleEvery == 0;
    if (connection.timed) connection.sent_at = Clock::now();
    connection.send(request);
    if (connection.wants_to_send()) watch(index, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    ++asking_;
  }

  void go_on(std::size_t index) {
    LoadConnection& connection = *connections_[index];
    const bool was_sending = connection.wants_to_send();
    const std::size_t read_before = connection.body_bytes_read();
    const bool whole = connection.go_on();
    if (now_ >= counts_from_) body_bytes_ += connection.body_bytes_read() - read_before;
    if (was_sending && !connection.wants_to_send()) watch(index, EPOLL_CTL_MOD, EPOLLIN);
    if (!whole) return;
    --asking_;
    if (connection.status() != status_) {
      throw std::runtime_error(fmt::format("an answer of the measurement has status {}: {}",
                                           connection.status(), connection.body()));
    }
    if (connection.body_bytes_read() != body_bytes_each_.value_or(connection.body_bytes_read())) {
      throw std::runtime_error(fmt::format("an answer of the measurement has {} bytes, not {}",
                                           connection.body_bytes_read(), *body_bytes_each_));
    }
    if (now_ >= counts_from_) {
      ++answers_;
      if (connection.timed) samples_.push_back(Clock::now() - connection.sent_at);
    }
    plan_.answered(index, connection.body());
    ask(index);
  }

  std::chrono::microseconds percentile(std::size_t percent) {
    if (samples_.empty()) return {};
    const auto at = static_cast<std::ptrdiff_t>((samples_.size() - 1) * percent / 100);
    std::nth_element(samples_.begin(), samples_.begin() + at, samples_.end());
    return std::chrono::duration_cast<std::chrono::microseconds>(
        samples_[static_cast<std::size_t>(at)]);
  }

  LoadResult result() {
    LoadResult found;
    found.answers = answers_;
    found.body_bytes = body_bytes_;
    found.seconds = std::chrono::duration<double>(Clock::now() - counts_from_).count();
    found.p50 = percentile(50);
    found.p99 = percentile(99);
    return found;
  }

  LoadPlan& plan_;
  const int status_;
  const std::optional<std::size_t> body_bytes_each_;
  int epoll_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  Clock::time_point now_ = Clock::now();
  Clock::time_point counts_from_;
  std::optional<Clock::time_point> ends_at_;
  std::size_t asking_ = 0;  // connections that wait for an answer
  std::uint64_t asked_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::vector<Clock::duration> samples_;
};

}  // namespace

LoadResult run_load(const LoadOptions& options, LoadPlan& plan) {
  return Generator(options, plan).run();
}

}  // namespace ota::bench
