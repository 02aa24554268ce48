#include "eventstore/journal.hpp"

#include <thread>
#include <utility>

#include "eventstore/acknowledged_keeper.hpp"
#include "eventstore/assert.hpp"
#include "eventstore/dispatcher.hpp"
#include "eventstore/fail_stop.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/request_queue.hpp"
#include "eventstore/writer.hpp"

namespace ota::eventstore {
namespace {

Timestamp system_clock() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Journal::Options with_defaults(Journal::Options options) {
  if (!options.clock) options.clock = system_clock;
  if (!options.fail_stop) options.fail_stop = stop_process;
  if (options.group_events_max == 0) options.group_events_max = limits::kGroupEvents;
  if (options.tag_memory_events == 0) options.tag_memory_events = limits::kTagMemoryEvents;
  return options;
}

}  // namespace

struct Journal::Impl {
  Impl(std::shared_ptr<Log> log_of, std::vector<Tail*> tails, Options options)
      : log(claim(std::move(log_of))),
        dispatcher(std::move(tails), in_flight),
        keeper(log->impl_->database->directory(), [&database = *log->impl_->database](Acknowledged& note) { note_manifest_end(database.db(), note); },
               [this](const std::string& why) { writer.stop(why); }),
        writer(*log, *log->impl_->database, *log->impl_->head, queue, dispatcher, keeper, counters,
               with_defaults(std::move(options))),
        thread([this] { writer.run(); }) {
    log->impl_->database->watch([this](const std::string& why) { writer.stop(why); });
    log->impl_->database->watch_tables([this] { keeper.tell_of_tables(); });
  }
  ~Impl() {
    log->impl_->database->watch_tables({});
    log->impl_->database->watch({});
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The log is free again with the last of what is answered, also if the rest cannot be made.
  static std::shared_ptr<Log> claim(std::shared_ptr<Log> log) {
    OTA_ASSERT(!log->impl_->has_journal.exchange(true));  // one writer
    Log* const claimed = log.get();
    return {claimed, [log = std::move(log)](Log*) { log->impl_->has_journal = false; }};
  }
  // While everything is still there: completions may call append() to the very end.
  void close() {
    queue.close();
    thread.join();
    keeper.close();
    dispatcher.wait_idle();
  }

  std::shared_ptr<Log> log;
  InFlight in_flight;
  JournalCounters counters;
  RequestQueue queue;
  Dispatcher dispatcher;
  AcknowledgedKeeper keeper;   // hears of no commit before there is a writer, and none after it has ended
  Writer writer;
  std::thread thread;  // last: it uses the others
};

Journal::Journal(std::shared_ptr<Log> log, std::vector<Tail*> tails, Options options)
    : impl_(std::make_unique<Impl>(std::move(log), std::move(tails), std::move(options))) {}
Journal::~Journal() { impl_->close(); }

void Journal::append(Append append, Completion done) {
  AppendRequest request{std::make_unique<PreparedAppend>(std::move(append)), std::move(done),
                        std::chrono::steady_clock::now()};
  impl_->in_flight.begin();
  impl_->queue.push(std::move(request));
}

void Journal::barrier(Completion done) { impl_->queue.push(BarrierRequest{std::move(done)}); }

void Journal::checkpoint(Completion done) { impl_->queue.push(CheckpointRequest{std::move(done)}); }

void Journal::put_snapshot(std::string stream, Position position, std::string bytes) {
  OTA_ASSERT(!stream.empty() && stream.size() <= limits::kStreamBytes);
  OTA_ASSERT(position.value != 0 && position <= impl_->log->head());  // never ahead of the log
  if (bytes.size() > limits::kSnapshotBytes) return;
  impl_->queue.push(SnapshotRequest{std::move(stream), position, std::move(bytes)});
}

void Journal::keep_answer(CommandId command, std::string answer) {
  if (answer.size() > limits::kAnswerBytes) return;
  impl_->queue.push(AnswerRequest{command, std::move(answer)});
}

std::size_t Journal::in_flight() const { return impl_->in_flight.count(); }

std::chrono::steady_clock::duration Journal::stalled_for() const { return impl_->in_flight.stalled_for(); }

const JournalMeters& Journal::meters() const { return impl_->counters.meters; }

Journal::Metrics Journal::metrics() const {
  const JournalCounters& counters = impl_->counters;
  return {counters.groups.load(std::memory_order_relaxed),
          counters.events.load(std::memory_order_relaxed),
          counters.conflicts.load(std::memory_order_relaxed),
          counters.commit_us_total.load(std::memory_order_relaxed),
          counters.commit_us_max.load(std::memory_order_relaxed)};
}

}  // namespace ota::eventstore
