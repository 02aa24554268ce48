#include "tools/otasim/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace ota::sim {
namespace {

constexpr int kEventsMax = 512;   // of one turn; more wait for the next
constexpr int kWaitMsMax = 1000;  // a turn at least this often
constexpr std::uint64_t kSignalToken = ~std::uint64_t{0};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// One that stayed would end the process as soon as signals are let through again.
void take_signals(int signal_fd) {
  signalfd_siginfo taken{};
  while (::read(signal_fd, &taken, sizeof taken) > 0) {
  }
}

}  // namespace

EventLoop::EventLoop() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, &signals_before_); error != 0)
    throw std::system_error(error, std::generic_category(), "pthread_sigmask");
  signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signal_fd_ < 0) fail("signalfd");
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) fail("epoll_create1");
  watch(signal_fd_, kSignalToken);
}

EventLoop::~EventLoop() {
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  if (signal_fd_ >= 0) ::close(signal_fd_);
  pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

void EventLoop::watch(int fd, std::uint64_t token) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = token;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl add");
}

void EventLoop::watch_level(int fd, std::uint64_t token, Interest interest) {
  epoll_event event{};
  event.events = EPOLLRDHUP;
  if (interest != Interest::kWrite) event.events |= EPOLLIN;
  if (interest != Interest::kRead) event.events |= EPOLLOUT;
  event.data.u64 = token;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) return;
  if (errno != ENOENT || epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void EventLoop::unwatch(int fd) {
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) != 0 && errno != ENOENT)
    fail("epoll_ctl delete");
}

// Rounded up: waking a fraction of a millisecond early would only spin.
int EventLoop::wait_ms() {
  const auto timer = timers_.next();
  if (!timer) return kWaitMsMax;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*timer - now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, kWaitMsMax));
}

void EventLoop::run(EventSource& source) {
  stopped_ = false;
  std::array<epoll_event, kEventsMax> events{};
  while (!stopped_) {
    const bool hurries = source.before_wait();
    const int ready = epoll_wait(epoll_fd_, events.data(), kEventsMax, hurries ? 0 : wait_ms());
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == kSignalToken) {
        interrupted_ = true;
        return take_signals(signal_fd_);
      }
      source.on_ready(event.data.u64, event.events);
    }
    timers_.run_due(now());
  }
}

}  // namespace ota::sim
