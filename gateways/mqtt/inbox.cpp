#include "gateways/mqtt/inbox.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "gateways/mqtt/limits.hpp"
#include "gateways/nats/deletion_message.hpp"
#include "gateways/nats/limits.hpp"
#include "gateways/nats/pull_consumer.hpp"

namespace ota::gateways::mqtt {

// The workers of one session: each has a queue of its own, and all that one device says goes into the same one. Ends before
// the consumer does, since acknowledging needs it.
//
// What cannot be decided for longer is given back to the broker, which brings it again: somebody whose record is set aside
// would keep all those of its lane waiting, and before long everybody, since only so much is fetched. What the same device
// says behind it is given back as well, and so stays behind it.
class Inbox::Lanes {
 public:
  explicit Lanes(Inbox& inbox) : inbox_(inbox) {
    for (auto& lane : lanes_) lane.thread = std::thread([this, &lane] { run(lane); });
  }
  ~Lanes() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& lane : lanes_) lane.thread.join();
  }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  void put(nats::Delivery delivery) {
    auto& lane = lanes_[std::hash<std::string_view>{}(delivery.subject()) % lanes_.size()];
    {
      const std::lock_guard lock(mutex_);
      lane.queue.push_back(std::move(delivery));
      ++in_work_;
    }
    changed_.notify_all();
  }

  // Waits until more may be fetched, or `patience` is over. False: not yet.
  bool has_room(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return room_.wait_for(lock, patience, [this] { return in_work_ + limits::kFetchedAtOnce <= limits::kFetched; });
  }

 private:
  using Clock = std::chrono::steady_clock;
  // What a device has said that was given back, by its place in the stream: the first of it is awaited, for so long.
  struct GivenBack {
    std::set<std::uint64_t> sequences;
    Clock::time_point awaited_until;
  };
  struct Lane {
    std::deque<nats::Delivery> queue;
    std::thread thread;
    std::map<std::string, GivenBack, std::less<>> given_back;   // by subject; the thread's
  };

  void run(Lane& lane) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopping_ || !lane.queue.empty(); });
      if (stopping_) return;
      auto delivery = std::move(lane.queue.front());
      lane.queue.pop_front();
      lock.unlock();
      carry_out(lane, delivery);
      lock.lock();
      --in_work_;
      if (in_work_ + limits::kFetchedAtOnce <= limits::kFetched) room_.notify_one();
    }
  }

  void carry_out(Lane& lane, nats::Delivery& delivery) {
    auto before = lane.given_back.find(delivery.subject());
    if (before != lane.given_back.end() && before->second.awaited_until <= Clock::now()) {
      lane.given_back.erase(before);  // it was dropped, or another one hears it
      before = lane.given_back.end();
    }
    const bool awaits = before != lane.given_back.end();
    if (awaits && delivery.sequence() > *before->second.sequences.begin()) return give_back(lane, delivery);
    const auto until = Clock::now() + (awaits ? std::chrono::milliseconds(0) : limits::kInPlace);
    while (true) {
      const auto came = try_once(delivery);
      if (came != Came::kLater) {
        inbox_.received_.fetch_add(1);
        if (came == Came::kMalformed) inbox_.malformed_.fetch_add(1);
        break;
      }
      if (Clock::now() >= until) return give_back(lane, delivery);
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, limits::kBusy, [this] { return stopping_; })) return;
    }
    if (awaits) {
      before->second.sequences.erase(delivery.sequence());
      if (before->second.sequences.empty()) lane.given_back.erase(before);
    }
    try {
      delivery.acknowledge_soon();
    } catch (const nats::BusError&) {  // the connection has gone: it comes again
    }
  }

  static void give_back(Lane& lane, nats::Delivery& delivery) {
    auto& back = lane.given_back[std::string(delivery.subject())];
    back.sequences.insert(delivery.sequence());
    if (delivery.sequence() == *back.sequences.begin()) back.awaited_until = Clock::now() + limits::kGivenBackAwaited;
    try {
      delivery.redeliver_after(limits::kGivenBack);
    } catch (const nats::BusError&) {  // it comes again all the same, a little later
    }
  }

  Came try_once(const nats::Delivery& delivery) {
    const auto speaker = inbox_.topics_.speaker(delivery.subject());
    if (!speaker) {
      spdlog::warn("mqtt: a message on {} is skipped: that is no device's topic", nats::shown(delivery.subject()));
      return Came::kMalformed;
    }
    try {
      return inbox_.handler_(*speaker, delivery.body());
    } catch (const std::exception& error) {
      spdlog::error("mqtt: what {} said cannot be carried out: {}", nats::shown(speaker->value), error.what());
      return Came::kLater;
    }
  }

  Inbox& inbox_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable room_;
  bool stopping_ = false;
  std::size_t in_work_ = 0;
  std::array<Lane, limits::kWorkers> lanes_;
};

Inbox::Inbox(nats::ReconnectLoop::Options options, Topics topics, Bounds bounds)
    : topics_(std::move(topics)),
      stream_bytes_(bounds.stream_bytes),
      limits_(bounds.rate),
      loop_(std::move(options), [this](nats::Connection& connection) { session(connection); }) {}

void Inbox::start(Handler handler, Refuser refuser) {
  handler_ = std::move(handler);
  refuser_ = std::move(refuser);
  loop_.start();
}

void Inbox::stop() { loop_.stop(); }

Inbox::Status Inbox::status() const { return {loop_.state(), received_.load(), malformed_.load(), refused_.load()}; }

// A stream of an earlier version has no bound for each device. A broker that does not permit to set one is no reason to hear
// nobody.
void Inbox::look_after_stream(nats::Connection& connection) {
  connection.create_stream_if_missing(kStream, topics_.up_subjects(),
                                      {limits::kStreamAge, stream_bytes_, limits::kStreamMessagesOfDevice});
  try {
    connection.bound_subjects(kStream, limits::kStreamMessagesOfDevice);
  } catch (const nats::BusError& error) {
    if (!connection.is_open()) throw;
    spdlog::warn("mqtt: one device may fill the stream, and push out what others say: {}", error.what());
  }
}

void Inbox::sort(nats::Delivery delivery, Lanes& lanes) {
  // What comes again was counted, and let in, when it came first.
  if (delivery.came_before()) return lanes.put(std::move(delivery));
  switch (limits_.judge(delivery.subject(), delivery.stored_at(), UpLimits::Clock::now())) {
    case UpLimits::Verdict::kWelcome: return lanes.put(std::move(delivery));
    case UpLimits::Verdict::kRefuse: return refuse(delivery, true);
    case UpLimits::Verdict::kDrop: return refuse(delivery, false);
  }
}

void Inbox::refuse(nats::Delivery& delivery, bool tell) {
  refused_.fetch_add(1);
  const auto speaker = tell ? topics_.speaker(delivery.subject()) : std::nullopt;
  if (speaker) refuser_(*speaker, delivery.body());
  delivery.acknowledge_soon();
}

void Inbox::session(nats::Connection& connection) {
  look_after_stream(connection);
  nats::PullConsumer consumer(connection, kStream, kConsumer, topics_.up_subjects(), nats::limits::kSilence, &first_);
  Lanes lanes(*this);
  loop_.ready();
  while (!loop_.stopping()) {
    if (lanes.has_room(limits::kTick)) {
      // Whoever comes alone does not wait for others.
      if (auto first = consumer.next(nats::limits::kPull)) {
        sort(std::move(*first), lanes);
        for (auto& further : consumer.next(limits::kFetchedAtOnce - 1, limits::kMoreToFetch)) sort(std::move(further), lanes);
      }
    }
    if (!connection.is_open()) throw nats::BusError("the connection was lost");
  }
}

}  // namespace ota::gateways::mqtt
