#include "http/endless_answers.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <deque>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "http/pace.hpp"
#include "http/thread.hpp"

namespace ota::http {
namespace {

constexpr int kSocketsAtOnce = 64;
constexpr std::size_t kTurnsAtOnce = 64;  // then those that begin, and the bell, get theirs
constexpr std::size_t kThreadStackBytes = 256 * limits::kKiB;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

void log_broken_source(std::string_view why) {
  const nlohmann::ordered_json line{{"event", "endless_answer_failed"}, {"error", why}};
  spdlog::error(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

// A byte that has moved shows that a peer reads, however slowly: what it does not take waits in the log, not here.
Pace pace_of(const EndlessOptions& options) {
  return {.grace = options.stuck_max, .bytes_per_s_min = 1, .silence_max = options.stuck_max};
}

}  // namespace

struct EndlessAnswers::Running {
  enum class State : std::uint8_t {
    kReady,    // in the queue: its source may have something
    kBlocked,  // `piece` waits for room in the socket
    kWaiting,  // for news
  };

  Running(Connection& its_connection, std::unique_ptr<AnswerSource> its_source, bool in_chunks, Pace pace)
      : connection(its_connection), source(std::move(its_source)), chunked(in_chunks), watch(pace) {}

  Connection& connection;
  const std::unique_ptr<AnswerSource> source;
  const bool chunked;
  State state = State::kReady;
  std::string piece;      // what is left to send of it
  bool has_more = true;   // behind the piece
  PaceWatch watch;        // of the peer, while it owes us to read
  SteadyClock::time_point sent_at{};
  std::size_t slot = 0;   // in the table
};

class EndlessAnswers::Worker {
 public:
  Worker(EndlessOptions options, const Done& done, std::atomic<std::size_t>& open)
      : options_(std::move(options)), done_(done), open_(open), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0 || !hear(&wake_) || (options_.news && !hear(options_.news.get()))) {
      throw std::system_error(errno, std::generic_category(), "Cannot create an epoll");
    }
    thread_ = std::make_unique<Thread>("http-endless", kThreadStackBytes, [this] { run(); });
  }

  ~Worker() {
    stop();
    ::close(epoll_);
  }

  // False: it has stopped.
  bool begin(std::unique_ptr<Running>& running) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      arriving_.push_back(std::move(running));
    }
    wake_.ring();
    return true;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.ring();
    thread_.reset();
  }

 private:
  using State = Running::State;
  enum class Sent : std::uint8_t { kAll, kBlocked, kFailed };

  bool hear(const Bell* bell) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = const_cast<Bell*>(bell);
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell->descriptor(), &event) == 0;
  }

  void run() {
    std::array<epoll_event, kSocketsAtOnce> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), kSocketsAtOnce, patience_ms());
      for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)]);
      if (!admit()) break;
      const auto now = SteadyClock::now();
      if (heard_news_ && now >= next_round_) ask_those_who_wait(now);
      for (std::size_t turns = std::min(kTurnsAtOnce, ready_.size()); turns > 0 && !ready_.empty(); --turns) {
        Running& next = *ready_.front();
        ready_.pop_front();
        take_turn(next);
      }
      if (now >= next_sweep_) sweep(now);
    }
    while (!all_.empty()) end(*all_.back());
  }

  int patience_ms() const {
    if (!ready_.empty()) return 0;
    using std::chrono::milliseconds;
    const auto until = heard_news_ ? std::min(next_round_, next_sweep_) : next_sweep_;
    const auto left = std::chrono::ceil<milliseconds>(until - SteadyClock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, sweep_every().count()));
  }

  std::chrono::milliseconds sweep_every() const {
    using std::chrono::milliseconds;
    return std::clamp(std::min(options_.silence_max, options_.stuck_max) / 4, milliseconds(5), milliseconds(500));
  }

  void on_event(const epoll_event& event) {
    if (event.data.ptr == &wake_) return wake_.quiet();
    if (event.data.ptr == options_.news.get()) {
      options_.news->quiet();
      heard_news_ = true;
      return;
    }
    Running& running = *static_cast<Running*>(event.data.ptr);
    // Whoever has nothing more to say has no more to ask either: nobody reads this any more.
    if ((event.events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) return finish(running, false);
    if (running.state != State::kBlocked) return;
    std::string rest = std::exchange(running.piece, {});
    kept_bytes_ -= rest.size();
    go_on_after(running, send(running, rest));
  }

  // Takes in what has been begun; false: stopping.
  bool admit() {
    std::vector<std::unique_ptr<Running>> arrived;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(arriving_);
      stopping = stopping_;
    }
    for (auto& one : arrived) {
      Running& running = *one;
      running.slot = all_.size();
      running.sent_at = SteadyClock::now();
      all_.push_back(std::move(one));
      ready_.push_back(&running);
      // Told of room only when there was none before.
      epoll_event event{};
      event.events = EPOLLOUT | EPOLLRDHUP | EPOLLET;
      event.data.ptr = &running;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, running.connection.descriptor(), &event) != 0) finish(running, false);
    }
    return !stopping;
  }

  void ask_those_who_wait(SteadyClock::time_point now) {
    heard_news_ = false;
    next_round_ = now + options_.gather;
    for (const auto& running : all_) {
      running->has_more = true;  // also of one that is asked only when there is room for what it said before
      if (running->state != State::kWaiting) continue;
      running->state = State::kReady;
      ready_.push_back(running.get());
    }
  }

  void take_turn(Running& running) {
    read_.clear();
    try {
      running.has_more = running.source->read(read_) == AnswerSource::Next::kMore;
    } catch (const std::exception& error) {
      log_broken_source(error.what());
      return finish(running, false);
    }
    if (running.piece.empty()) return go_on_after(running, send_framed(running));
    // What was left of the head goes first, once.
    frame(running);
    framed_.insert(0, std::exchange(running.piece, {}));
    go_on_after(running, send(running, framed_));
  }

  void frame(const Running& running) {
    framed_.clear();
    if (read_.empty()) return;
    if (running.chunked) fmt::format_to(std::back_inserter(framed_), "{:x}\r\n", read_.size());
    framed_ += read_;
    if (running.chunked) framed_ += "\r\n";
  }

  Sent send_framed(Running& running) {
    frame(running);
    return send(running, framed_);
  }

  // What there is no room for is kept.
  Sent send(Running& running, std::string_view bytes) {
    if (bytes.empty()) return Sent::kAll;
    running.sent_at = SteadyClock::now();
    while (!bytes.empty()) {
      const auto count = running.connection.send_some(bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno != EAGAIN) return Sent::kFailed;
      if (count < 0) {
        if (kept_bytes_ + bytes.size() > options_.kept_bytes) return Sent::kFailed;
        kept_bytes_ += bytes.size();
        running.piece.assign(bytes);
        return Sent::kBlocked;
      }
      running.connection.sent(static_cast<std::uint64_t>(count));
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return Sent::kAll;
  }

  void go_on_after(Running& running, Sent sent) {
    if (sent == Sent::kFailed) return finish(running, false);
    if (sent == Sent::kBlocked) {
      if (running.state != State::kBlocked) begin_watching(running);
      running.state = State::kBlocked;
    } else if (running.has_more) {
      running.state = State::kReady;
      ready_.push_back(&running);
    } else {
      running.state = State::kWaiting;
    }
  }

  // From now on the peer has to read.
  void begin_watching(Running& running) const {
    running.connection.note_arrived(running.watch);
    running.watch = PaceWatch(pace_of(options_));
  }

  void sweep(SteadyClock::time_point now) {
    next_sweep_ = now + sweep_every();
    for (std::size_t i = all_.size(); i-- > 0;) {
      Running& running = *all_[i];
      if (running.state == State::kBlocked) {
        if (is_stuck(running, now)) finish(running, false);
      } else if (now - running.sent_at >= options_.silence_max) {
        break_silence(running, now);
      }
    }
  }

  bool is_stuck(Running& running, SteadyClock::time_point now) const {
    if (running.watch.deadline() >= now) return false;
    running.connection.note_arrived(running.watch);
    return running.watch.deadline() < now;
  }

  // One that is gone without a word shows by what does not arrive there.
  void break_silence(Running& running, SteadyClock::time_point now) {
    running.connection.note_arrived(running.watch);
    if (running.connection.has_all_arrived()) {
      running.watch = PaceWatch(pace_of(options_), now);
    } else if (is_stuck(running, now)) {
      return finish(running, false);
    }
    read_.clear();
    running.source->read_silence(read_);
    const bool was_ready = running.state == State::kReady;
    const Sent sent = send_framed(running);
    if (sent == Sent::kAll) return;
    if (was_ready) std::erase(ready_, &running);
    go_on_after(running, sent);
  }

  // The service stops.
  void end(Running& running) {
    const bool between_pieces = running.state != State::kBlocked && running.piece.empty();
    finish(running, between_pieces && (!running.chunked || send(running, kLastChunk) == Sent::kAll));
  }

  void finish(Running& running, bool well) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, running.connection.descriptor(), nullptr);
    if (running.state == State::kReady) std::erase(ready_, &running);
    if (running.state == State::kBlocked) kept_bytes_ -= running.piece.size();
    const std::size_t slot = running.slot;
    std::swap(all_[slot], all_.back());
    all_[slot]->slot = slot;
    std::unique_ptr<Running> owned = std::move(all_.back());
    all_.pop_back();
    Connection& connection = owned->connection;
    owned.reset();
    open_.fetch_sub(1, std::memory_order_relaxed);
    done_(connection, well);
  }

  const EndlessOptions options_;
  const Done& done_;
  std::atomic<std::size_t>& open_;
  const int epoll_;
  const Bell wake_;
  std::vector<std::unique_ptr<Running>> all_;  // the thread's, as all up to the mutex
  std::deque<Running*> ready_;
  bool heard_news_ = false;
  SteadyClock::time_point next_round_{};
  SteadyClock::time_point next_sweep_{};
  std::size_t kept_bytes_ = 0;
  std::string read_;    // of the turn, as the source gave it
  std::string framed_;  // and as it is sent
  std::mutex mutex_;
  std::vector<std::unique_ptr<Running>> arriving_;
  bool stopping_ = false;
  std::unique_ptr<Thread> thread_;
};

EndlessAnswers::EndlessAnswers(EndlessOptions options, Done done)
    : done_(std::move(done)), worker_(std::make_unique<Worker>(std::move(options), done_, open_)) {}

EndlessAnswers::~EndlessAnswers() = default;

void EndlessAnswers::begin(Connection& connection, Begun begun) {
  assert(begun.source);
  auto running = std::make_unique<Running>(connection, std::move(begun.source), begun.chunked, Pace{});
  running->piece = std::move(begun.rest);
  open_.fetch_add(1, std::memory_order_relaxed);
  if (worker_->begin(running)) return;
  running.reset();
  open_.fetch_sub(1, std::memory_order_relaxed);
  done_(connection, false);
}

void EndlessAnswers::stop() { worker_->stop(); }

}  // namespace ota::http
