#include "tools/benchmarks/journal_load.hpp"

#include <fmt/format.h>

#include <atomic>
#include <latch>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <thread>

namespace ota::bench {
namespace {

using eventstore::Append;
using eventstore::Position;

// More than are in flight, so that an entity's last append is committed before its next.
constexpr std::size_t kStreamsPerProducer = 1'000;
constexpr std::size_t kPayloadBytes = 152;  // a record of ~250 bytes with all that is around it
constexpr std::uint16_t kEventType = 7;

class GroupSizes final : public eventstore::Tail {
 public:
  explicit GroupSizes(std::vector<std::uint16_t>& sizes) : sizes_(sizes) {}
  void on_group(const eventstore::GroupPtr& group) override {
    sizes_.push_back(static_cast<std::uint16_t>(group->events().size()));
  }

 private:
  std::vector<std::uint16_t>& sizes_;
};

// One thread's share. Appends are made before the clock starts: who makes them is not measured.
class Producer {
 public:
  Producer(std::size_t number, const JournalLoad& load)
      : places_(static_cast<std::ptrdiff_t>(load.in_flight_each)), newest_(kStreamsPerProducer) {
    std::minstd_rand random(static_cast<std::uint_fast32_t>(number + 1));
    appends_.reserve(load.events_per_producer);
    for (std::size_t n = 0; n < load.events_per_producer; ++n) {
      const std::size_t entity = number * kStreamsPerProducer + n % kStreamsPerProducer;
      appends_.push_back(make_append(entity, random));
    }
  }

  void run(eventstore::Journal& journal, std::latch& all_committed) {
    for (std::size_t n = 0; n < appends_.size(); ++n) {
      places_.acquire();
      // Written by the completion of this entity's last append, ordered before by the semaphore.
      Position& newest = newest_[n % kStreamsPerProducer];
      appends_[n].conditions.front().newest = newest;
      journal.append(std::move(appends_[n]),
                     [this, &newest, &all_committed](const eventstore::AppendOutcome& outcome) {
                       const auto* committed = std::get_if<eventstore::Committed>(&outcome);
                       if (committed != nullptr) newest = committed->last();
                       if (committed == nullptr) failed_ = true;
                       places_.release();
                       all_committed.count_down();
                     });
    }
  }
  bool failed() const { return failed_; }

 private:
  static Append make_append(std::size_t entity, std::minstd_rand& random) {
    eventstore::NewEvent event;
    event.stream = fmt::format("update:upd_{:032x}", entity);
    event.type = kEventType;
    event.tags = {fmt::format("device:bench-{:06}", entity), "campaign:0123456789abcdef"};
    event.payload.resize(kPayloadBytes);
    for (char& byte : event.payload) byte = static_cast<char>(random() >> 8 & 0xff);
    Append append;
    append.conditions.push_back({event.stream, {}});
    append.events.push_back(std::move(event));
    return append;
  }

  std::counting_semaphore<> places_;
  std::vector<Append> appends_;
  std::vector<Position> newest_;
  std::atomic<bool> failed_{false};
};

}  // namespace

JournalRun run_journal(const std::filesystem::path& directory, const JournalLoad& load) {
  std::vector<std::unique_ptr<Producer>> producers;
  for (std::size_t i = 0; i < load.producers; ++i) {
    producers.push_back(std::make_unique<Producer>(i, load));
  }
  JournalRun run;
  run.groups.reserve(load.events());
  GroupSizes sizes(run.groups);
  eventstore::Journal journal(eventstore::Log::open(directory), {&sizes}, {});
  std::latch all_committed(static_cast<std::ptrdiff_t>(load.events()));
  std::latch start(1);
  std::vector<std::thread> threads;
  for (const auto& producer : producers) {
    threads.emplace_back([&journal, &all_committed, &start, &producer] {
      start.wait();
      producer->run(journal, all_committed);
    });
  }
  const Stopwatch stopwatch;
  start.count_down();
  all_committed.wait();
  run.cost = stopwatch.cost();
  for (std::thread& thread : threads) thread.join();
  for (const auto& producer : producers) {
    if (producer->failed()) throw std::runtime_error("an append of the measurement failed");
  }
  return run;
}

}  // namespace ota::bench
