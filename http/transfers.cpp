#include "http/transfers.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "http/limits.hpp"

namespace ota::http {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int kSweepMs = 500;
constexpr std::size_t kStackBytes = 256 * limits::kKiB;

// Only so much at once where a rate is set: the others get their share in between.
constexpr std::uint64_t kThrottledTurn = 64 * limits::kKiB;

enum class Step { kProgress, kBlocked, kPaused, kFinished, kFailed };

}  // namespace

struct Transfers::Running {
  Running(Connection& its_connection, Transfer its_transfer, Pace pace, std::uint64_t bytes_per_s, Throttle& together)
      : connection(its_connection),
        transfer(std::move(its_transfer)),
        watch(pace),
        own_rate(bytes_per_s),
        all_rate(together) {}

  Connection& connection;
  Transfer transfer;
  PaceWatch watch;
  Throttle own_rate;
  Throttle& all_rate;
  SteadyClock::time_point resumes_at{};
  bool paused = false;
  bool drains = false;   // the kernel has the last byte, the line has not
  std::size_t slot = 0;  // in the worker's table
  std::size_t piece = 0;
  std::size_t text_sent = 0;  // of the piece

  // Sends until the socket is full, or for one turn.
  Step send_some(bool throttled) {
    const auto now = SteadyClock::now();
    if (const auto wait = std::max(own_rate.wait(now), all_rate.wait(now)); wait > SteadyClock::duration(0)) {
      resumes_at = now + wait;
      return Step::kPaused;
    }
    const std::uint64_t whole_turn = throttled ? kThrottledTurn : limits::kSendfileBytes;
    std::uint64_t turn = whole_turn;
    const Step step = send_turn(turn);
    if (throttled) {
      own_rate.sent(whole_turn - turn, now);
      all_rate.sent(whole_turn - turn, now);
    }
    return step;
  }

  Step send_turn(std::uint64_t& turn) {
    while (piece < transfer.pieces.size()) {
      if (turn == 0) return Step::kProgress;
      TransferPiece& now = transfer.pieces[piece];
      ssize_t count = 0;
      if (text_sent < now.text.size()) {
        // The file's bytes join it in one packet.
        count = connection.send_some(now.text.data() + text_sent, now.text.size() - text_sent, now.size > 0);
      } else if (now.size > 0) {
        count = connection.send_file_some(transfer.descriptor, now.offset,
                                          static_cast<std::size_t>(std::min(now.size, turn)));
        if (count == 0) return Step::kFailed;  // the file is shorter than it was
      } else {
        ++piece;
        text_sent = 0;
        continue;
      }
      if (count < 0) {
        if (errno == EINTR) continue;
        return errno == EAGAIN ? Step::kBlocked : Step::kFailed;
      }
      const auto sent = static_cast<std::uint64_t>(count);
      connection.sent(sent);
      if (text_sent < now.text.size()) {
        text_sent += sent;
      } else {
        now.offset += sent;
        now.size -= sent;
      }
      turn -= std::min(turn, sent);
    }
    return Step::kFinished;
  }
};

class Transfers::Worker {
 public:
  Worker(std::atomic<std::size_t>& running, Pace pace, TransferRates rates, Throttle& together, const Done& done,
         std::size_t number)
      : count_(running), pace_(pace), rates_(rates), together_(together), done_(done) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "Cannot create an epoll");
    }
    thread_ = std::make_unique<Thread>("http-send-" + std::to_string(number), kStackBytes,
                                       [this] { run(); });
  }

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake();
    thread_.reset();
    ::close(wake_);
    ::close(epoll_);
  }

  void begin(Connection& connection, Transfer transfer) {
    const auto pause = transfer.pause;
    auto running =
        std::make_unique<Running>(connection, std::move(transfer), pace_, rates_.each_bytes_per_s, together_);
    running->resumes_at = SteadyClock::now() + pause;
    running->paused = pause > SteadyClock::duration(0);
    if (running->paused) running->watch.forgive(pause);
    {
      const std::lock_guard lock(mutex_);
      arriving_.push_back(std::move(running));
    }
    wake();
  }

 private:
  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto size = ::write(wake_, &one, sizeof one);
  }

  void run() {
    std::array<epoll_event, kEventsAtOnce> events;
    auto next_sweep = SteadyClock::now();
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), kEventsAtOnce, patience_ms());
      for (int i = 0; i < count; ++i) {
        void* const what = events[static_cast<std::size_t>(i)].data.ptr;
        if (what) advance(static_cast<Running*>(what), events[static_cast<std::size_t>(i)].events);
      }
      if (!admit()) break;
      resume_due();
      if (SteadyClock::now() >= next_sweep) {
        end_too_slow();
        next_sweep = SteadyClock::now() + std::chrono::milliseconds(kSweepMs);
      }
    }
    while (!all_.empty()) finish(all_.back().get(), false);
  }

  // Takes in what has been begun; false: stopping.
  bool admit() {
    std::uint64_t value;
    [[maybe_unused]] const auto size = ::read(wake_, &value, sizeof value);
    std::vector<std::unique_ptr<Running>> arrived;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(arriving_);
      stopping = stopping_;
    }
    for (auto& running : arrived) {
      Running* const added = running.get();
      added->slot = all_.size();
      all_.push_back(std::move(running));
      if (!watch(*added, EPOLL_CTL_ADD)) {
        finish(added, false);
      } else if (added->paused) {
        sleepers_.emplace(added->resumes_at, added);
      }
    }
    return !stopping;
  }

  // Whoever is paused is watched for nothing but its end.
  bool watch(Running& running, int operation) const {
    epoll_event event{};
    event.events = running.paused ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
    event.data.ptr = &running;
    return ::epoll_ctl(epoll_, operation, running.connection.descriptor(), &event) == 0;
  }

  int patience_ms() const {
    if (sleepers_.empty()) return kSweepMs;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(sleepers_.begin()->first - SteadyClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kSweepMs));
  }

  void resume_due() {
    const auto now = SteadyClock::now();
    while (!sleepers_.empty() && sleepers_.begin()->first <= now) {
      Running* const running = sleepers_.begin()->second;
      sleepers_.erase(sleepers_.begin());
      running->paused = false;
      if (!watch(*running, EPOLL_CTL_MOD)) finish(running, false);
    }
  }

  void advance(Running* running, std::uint32_t events) {
    if (running->drains) return drain(running, events);
    // Of one that is paused only an end or an error of its socket is told.
    const Step step = running->paused ? Step::kFailed : running->send_some(is_throttled());
    if (step == Step::kFinished) return drain(running, events);
    if (step == Step::kFailed) return finish(running, false);
    if (step != Step::kPaused) return;
    running->paused = true;
    running->watch.forgive(running->resumes_at - SteadyClock::now());
    sleepers_.emplace(running->resumes_at, running);
    if (!watch(*running, EPOLL_CTL_MOD)) finish(running, false);
  }

  // A peer that goes before the last byte has left was not sent it, whatever the kernel has taken for it: that may be
  // megabytes, and all of a small firmware. One that goes afterwards was, though its end may be told first.
  void drain(Running* running, std::uint32_t events) {
    const Connection& connection = running->connection;
    const bool complete = !running->transfer.on_end || connection.has_all_left();
    if (complete || (events & (EPOLLERR | EPOLLHUP)) != 0) {
      if (running->drains) connection.report_all_left(false);
      return finish(running, complete);
    }
    if (!std::exchange(running->drains, true)) connection.report_all_left(true);
  }

  bool is_throttled() const { return rates_.each_bytes_per_s > 0 || rates_.together_bytes_per_s > 0; }

  void end_too_slow() {
    const auto now = SteadyClock::now();
    for (std::size_t i = all_.size(); i-- > 0;) {
      Running& running = *all_[i];
      if (running.watch.deadline() >= now) continue;
      running.connection.note_arrived(running.watch);
      if (running.watch.deadline() < now) finish(&running, false);
    }
  }

  void finish(Running* running, bool complete) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, running->connection.descriptor(), nullptr);
    if (running->paused) {
      const auto [begin, end] = sleepers_.equal_range(running->resumes_at);
      const auto found = std::find_if(begin, end, [&](const auto& entry) { return entry.second == running; });
      if (found != end) sleepers_.erase(found);
    }
    const std::size_t slot = running->slot;
    std::swap(all_[slot], all_.back());
    all_[slot]->slot = slot;
    const std::unique_ptr<Running> owned = std::move(all_.back());
    all_.pop_back();
    if (owned->transfer.on_end) owned->transfer.on_end(complete);
    owned->transfer.holder.reset();
    count_.fetch_sub(1, std::memory_order_relaxed);
    done_(owned->connection, complete);
  }

  std::atomic<std::size_t>& count_;
  const Pace pace_;
  const TransferRates rates_;
  Throttle& together_;
  const Done done_;
  int epoll_ = -1;
  int wake_ = -1;
  std::vector<std::unique_ptr<Running>> all_;  // the thread's
  std::multimap<SteadyClock::time_point, Running*> sleepers_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Running>> arriving_;
  bool stopping_ = false;
  std::unique_ptr<Thread> thread_;
};

Transfers::Transfers(std::size_t threads, Pace pace, TransferRates rates, const Done& done)
    : all_together_(rates.together_bytes_per_s) {
  for (std::size_t i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(running_, pace, rates, all_together_, done, i));
  }
}

Transfers::~Transfers() { stop(); }

void Transfers::begin(Connection& connection, Transfer transfer) {
  running_.fetch_add(1, std::memory_order_relaxed);
  const auto number = static_cast<std::size_t>(connection.descriptor()) % workers_.size();
  workers_[number]->begin(connection, std::move(transfer));
}

void Transfers::stop() { workers_.clear(); }

}  // namespace ota::http
