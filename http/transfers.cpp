#include "http/transfers.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "http/limits.hpp"

namespace ota::http {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int kSweepMs = 500;
constexpr std::size_t kStackBytes = 256 * limits::kKiB;

enum class Step { kProgress, kBlocked, kFinished, kFailed };

}  // namespace

struct Transfers::Running {
  Running(Connection& its_connection, Transfer its_transfer, Pace pace)
      : connection(its_connection), transfer(std::move(its_transfer)), watch(pace) {}

  Connection& connection;
  Transfer transfer;
  PaceWatch watch;
  std::size_t slot = 0;  // in the worker's table
  std::size_t piece = 0;
  std::size_t text_sent = 0;  // of the piece

  // Sends until the socket is full, or for one turn.
  Step send_some() {
    std::uint64_t turn = limits::kSendfileBytes;
    while (piece < transfer.pieces.size()) {
      if (turn == 0) return Step::kProgress;
      TransferPiece& now = transfer.pieces[piece];
      ssize_t count = 0;
      if (text_sent < now.text.size()) {
        const int more = now.size > 0 ? MSG_MORE : 0;  // the file's bytes join it in one packet
        count = ::send(connection.descriptor(), now.text.data() + text_sent,
                       now.text.size() - text_sent, MSG_NOSIGNAL | more);
      } else if (now.size > 0) {
        auto offset = static_cast<off_t>(now.offset);
        // SIGPIPE is ignored: httplib::Server's constructor sees to that.
        count = ::sendfile(connection.descriptor(), transfer.descriptor, &offset,
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
      watch.moved(sent);
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
  Worker(std::atomic<std::size_t>& running, Pace pace, const Done& done, std::size_t number)
      : count_(running), pace_(pace), done_(done) {
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
    auto running = std::make_unique<Running>(connection, std::move(transfer), pace_);
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
      const int count = ::epoll_wait(epoll_, events.data(), kEventsAtOnce, kSweepMs);
      for (int i = 0; i < count; ++i) {
        void* const what = events[static_cast<std::size_t>(i)].data.ptr;
        if (what) advance(static_cast<Running*>(what));
      }
      if (!admit()) break;
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
      epoll_event event{};
      event.events = EPOLLOUT;
      event.data.ptr = added;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, added->connection.descriptor(), &event) != 0) {
        finish(added, false);
      }
    }
    return !stopping;
  }

  void advance(Running* running) {
    const Step step = running->send_some();
    if (step == Step::kFinished || step == Step::kFailed) finish(running, step == Step::kFinished);
  }

  void end_too_slow() {
    const auto now = SteadyClock::now();
    for (std::size_t i = all_.size(); i-- > 0;) {
      if (all_[i]->watch.deadline() < now) finish(all_[i].get(), false);
    }
  }

  void finish(Running* running, bool complete) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, running->connection.descriptor(), nullptr);
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
  const Done done_;
  int epoll_ = -1;
  int wake_ = -1;
  std::vector<std::unique_ptr<Running>> all_;  // the thread's
  std::mutex mutex_;
  std::vector<std::unique_ptr<Running>> arriving_;
  bool stopping_ = false;
  std::unique_ptr<Thread> thread_;
};

Transfers::Transfers(std::size_t threads, Pace pace, const Done& done) {
  for (std::size_t i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(running_, pace, done, i));
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
