#include "eventstore/writer.hpp"

#include <fmt/format.h>
#include <rocksdb/iostats_context.h>
#include <rocksdb/perf_level.h>

#include <algorithm>

#include "eventstore/assert.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/name_rows.hpp"
#include "eventstore/record.hpp"

namespace ota::eventstore {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A batch fails only for want of memory or for a wrong argument.
void must(const rocksdb::Status& status) { OTA_ASSERT(status.ok()); }

// Events and bytes that a request adds to its group.
std::size_t event_count(const Request& request) {
  const auto* append = std::get_if<AppendRequest>(&request);
  return append == nullptr ? 0 : append->append->events.size();
}
std::size_t byte_count(const Request& request) {
  if (const auto* append = std::get_if<AppendRequest>(&request))
    return append->append->record_bytes;
  if (const auto* answer = std::get_if<AnswerRequest>(&request)) return answer->answer.size();
  const auto* snapshot = std::get_if<SnapshotRequest>(&request);
  return snapshot == nullptr ? 0 : snapshot->bytes.size();
}

}  // namespace

Writer::Writer(const Log& log, Database& database, Head& head, RequestQueue& queue,
               Dispatcher& dispatcher, AcknowledgedKeeper& keeper, JournalCounters& counters, Journal::Options options)
    : log_(log),
      database_(database),
      head_(head),
      queue_(queue),
      dispatcher_(dispatcher),
      keeper_(keeper),
      counters_(counters),
      options_(std::move(options)),
      batch_(/*reserved_bytes=*/4 * limits::kGroupBytes, /*max_bytes=*/0, kBatchProtectionBytes,
             /*default_cf_ts_sz=*/0),
      position_(log.head()),
      newest_(log, options_.tag_memory_events),
      tiles_(database),
      checkpoints_(database, options_.signer),
      snapshots_(database) {}

void Writer::run() noexcept {
  try {
    while (wait_for_requests()) write_group();
    begin_group();
    checkpoints_.ask();  // of the log as it is left
    commit();
  } catch (const Stopped&) {
    return;
  }
}

bool Writer::wait_for_requests() {
  if (more_requests()) return true;
  if (queue_.wait(requests_)) return true;
  // Closed. What the last completions still ask for is answered too: it is refused.
  dispatcher_.wait_idle();
  return queue_.take(requests_);
}

bool Writer::more_requests() {
  if (next_ < requests_.size()) return true;
  requests_.clear();
  next_ = 0;
  return queue_.take(requests_);
}

void Writer::write_group() {
  begin_group();
  const auto end = SteadyClock::now() + limits::kGroupTime;
  do {
    Request& request = requests_[next_];
    if (!fits(request)) break;
    std::visit([this](auto& asked) { decide(asked); }, request);
    ++next_;
  } while (SteadyClock::now() < end && more_requests());
  commit();
  dispatcher_.hand_over(std::move(group_));
}

void Writer::begin_group() {
  group_ = {};
  time_ = std::max(head_.time(), options_.clock());
  events_ = 0;
  bytes_ = 0;
  handed_in_.clear();
  commands_.clear();
  batch_.Clear();
  newest_.begin_group();
}

bool Writer::fits(const Request& request) const {
  if (events_ == 0 && bytes_ == 0) return true;
  return events_ + event_count(request) <= options_.group_events_max &&
         bytes_ + byte_count(request) <= limits::kGroupBytes;
}

void Writer::tell_position(Journal::Completion done) {
  group_.deliveries.push_back({std::move(done), Committed{position_, 0, events_ == 0 ? head_.time() : time_},
                               /*of_append=*/false});
}

void Writer::decide(BarrierRequest& request) { tell_position(std::move(request.done)); }

void Writer::decide(CheckpointRequest& request) {
  checkpoints_.ask();
  tell_position(std::move(request.done));
}

void Writer::decide(SnapshotRequest& request) {
  bytes_ += request.bytes.size();
  counters_.meters.snapshots.fetch_add(1, std::memory_order_relaxed);
  counters_.meters.snapshot_bytes.fetch_add(request.bytes.size(), std::memory_order_relaxed);
  must(batch_.Put(database_.family(Family::kSnapshots), name_key(request.stream, request.position),
                  request.bytes));
  try {
    if (const auto gone = snapshots_.add(request.stream, request.position)) {
      must(batch_.Delete(database_.family(Family::kSnapshots), name_key(request.stream, *gone)));
    }
  } catch (const LogError&) {
    // They stay: too many are no harm.
  }
}

void Writer::decide(AnswerRequest& request) {
  bytes_ += request.answer.size();
  must(batch_.Put(database_.family(Family::kCommands), answer_key(request.command),
                  encode_answer(time_, request.answer)));
}

void Writer::decide(AppendRequest& request) {
  AppendOutcome outcome =
      request.refused ? Refused{"the journal is closing"} : outcome_of(request.append);
  if (std::holds_alternative<Conflict>(outcome)) {
    counters_.conflicts.fetch_add(1, std::memory_order_relaxed);
  }
  if (std::holds_alternative<Committed>(outcome)) handed_in_.push_back(request.handed_in);
  group_.deliveries.push_back({std::move(request.done), std::move(outcome), /*of_append=*/true});
}

AppendOutcome Writer::outcome_of(std::unique_ptr<PreparedAppend>& append) {
  try {
    if (append->command) {
      if (const auto earlier = known(append->command->id)) return Repeated{*earlier};
    }
    for (const PreparedCondition& checked : append->conditions) {
      const Position newer = newest_.violation(checked, group_.appends);
      if (newer.value != 0) return Conflict{checked.condition.tag, newer};
    }
  } catch (const LogError& error) {
    return Refused{fmt::format("the append cannot be checked: {}", error.what())};
  }
  return accept(std::move(append));
}

std::optional<CommandRecord> Writer::known(const CommandId& id) const {
  const auto in_group = commands_.find(id);
  if (in_group != commands_.end()) return in_group->second;
  return log_.command(id, time_);
}

Committed Writer::accept(std::unique_ptr<PreparedAppend> append) {
  const bool has_events = !append->events.empty();
  const Committed committed{{position_.value + (has_events ? 1 : 0)},
                            static_cast<std::uint32_t>(append->events.size()),
                            time_};
  for (std::size_t i = 0; i < append->events.size(); ++i) put_event(*append, i);
  if (append->command) {
    const CommandRecord record{append->command->request, append->command->status, committed.first,
                               time_};
    const CommandId& id = append->command->id;
    must(batch_.Put(database_.family(Family::kCommands), slice(command_key(id)),
                    encode_command(record)));
    commands_.emplace(id, record);
  }
  if (append->signer) checkpoints_.adopt(append->signer);
  events_ += append->events.size();
  bytes_ += append->record_bytes;
  if (has_events) group_.appends.push_back(std::move(append));
  return committed;
}

void Writer::put_event(PreparedAppend& append, std::size_t index) {
  PreparedEvent& event = append.events[index];
  ++position_.value;
  append.views[index].position = position_;
  append.views[index].time = time_;
  stamp_record(event.record_begin, time_);
  const rocksdb::Slice record = slice(event.record());

  char log_key[kPositionBytes];
  store_be64(log_key, position_.value);
  must(batch_.Put(database_.family(Family::kLog), {log_key, sizeof log_key}, record));
  for (std::size_t i = event.keys_begin; i < event.keys_end; ++i) {
    PreparedKey& key = append.keys[i];
    key.stamp(position_);
    const bool of_stream = i == event.keys_begin;
    must(batch_.Put(database_.family(of_stream ? Family::kStreams : Family::kTags),
                    slice(key.view()), of_stream ? record : rocksdb::Slice()));
    newest_.remember(key.hash(), position_);
  }
  tiles_.add(sha_.leaf(time_, event.body), batch_);
}

void Writer::commit() {
  const bool signs = checkpoints_.is_due(position_);
  if (signs) checkpoints_.put(tiles_.tree(), events_ == 0 ? head_.time() : time_, batch_);
  if (batch_.Count() == 0) return;
  tiles_.end_group(batch_);
  check_stopped();
  OTA_FAULT("journal.before_write");
  const auto begin = SteadyClock::now();
  // A group without events is no promise, and synced all the same: so at most one record of the WAL is not, and a sound
  // record behind a damaged one shows that the damaged one had been synced (wal_file.hpp).
  rocksdb::get_iostats_context()->fsync_nanos = 0;
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableTimeExceptForMutex);
  const rocksdb::Status written = database_.db().Write(durable_write(), &batch_);
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  if (!written.ok()) {
    fail(fmt::format("the event log in {} cannot be written: {}", database_.directory().string(),
                     written.ToString()));
  }
  check_stopped();
  if (signs) counters_.meters.checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (events_ == 0) return;
  count_commit(begin, SteadyClock::now());
  head_.move_to(position_, time_);
  keeper_.tell(database_.durable_to(position_, time_));
  OTA_FAULT("journal.after_write");
}

void Writer::count_commit(SteadyClock::time_point began, SteadyClock::time_point ended) {
  const auto took_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(ended - began).count());
  auto& meters = counters_.meters;
  meters.write_us.record(took_us);
  meters.fsync_us.record(std::chrono::nanoseconds(rocksdb::get_iostats_context()->fsync_nanos));
  meters.group_events.record(events_);
  meters.group_bytes.record(bytes_);
  for (const auto handed_in : handed_in_) meters.commit_us.record(ended - handed_in);
  counters_.groups.fetch_add(1, std::memory_order_relaxed);
  counters_.events.fetch_add(events_, std::memory_order_relaxed);
  counters_.commit_us_total.fetch_add(took_us, std::memory_order_relaxed);
  if (took_us > counters_.commit_us_max.load(std::memory_order_relaxed)) {  // one thread counts
    counters_.commit_us_max.store(took_us, std::memory_order_relaxed);
  }
}

void Writer::check_stopped() const {
  if (fault_.is_stopped()) throw Stopped();
}

void Writer::fail(const std::string& why) {
  stop(why);
  throw Stopped();
}

void Writer::stop(const std::string& why) noexcept { fault_.stop(options_.fail_stop, why); }

}  // namespace ota::eventstore
