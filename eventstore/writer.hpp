// The one writer of the log: decides appends in the order in which they were asked, gives positions
// and the time, and commits group after group, each one batch and one fsync.
//
// Positions are dense because they are given here, at the commit, and nowhere else. An append's
// conditions see every append decided before it, also of the same group: a group that cannot be
// written ends the process, so what was decided on it never becomes visible. Everything here but stop()
// runs on the writer's thread.
#pragma once

#include <rocksdb/write_batch.h>

#include <atomic>
#include <chrono>
#include <unordered_map>

#include "eventstore/fail_stop.hpp"
#include "eventstore/acknowledged_keeper.hpp"
#include "eventstore/checkpoint_writer.hpp"
#include "eventstore/command_index.hpp"
#include "eventstore/database.hpp"
#include "eventstore/dispatcher.hpp"
#include "eventstore/hash64.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/kept_snapshots.hpp"
#include "eventstore/meters.hpp"
#include "eventstore/newest_positions.hpp"
#include "eventstore/request_queue.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/tiles.hpp"

namespace ota::eventstore {

struct JournalCounters {
  std::atomic<std::uint64_t> groups{0};
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> conflicts{0};
  std::atomic<std::uint64_t> commit_us_total{0};
  std::atomic<std::uint64_t> commit_us_max{0};
  JournalMeters meters;
};

struct CommandIdHash {
  std::size_t operator()(const CommandId& id) const { return hash64(command_key(id)); }
};

class Writer {
 public:
  // All must outlive the writer. `options` without defaults left open.
  Writer(const Log& log, Database& database, Head& head, RequestQueue& queue,
         Dispatcher& dispatcher, AcknowledgedKeeper& keeper, JournalCounters& counters, Journal::Options options);

  // Writes until the queue is closed and empty, or until something failed.
  void run() noexcept;
  // Ends the process through fail_stop; what is not committed yet is not answered. From any thread.
  void stop(const std::string& why) noexcept;

 private:
  struct Stopped {};  // thrown behind a fail_stop that did not end the process

  bool wait_for_requests();
  bool more_requests();
  void write_group();
  void begin_group();
  bool fits(const Request& request) const;

  void decide(AppendRequest& request);
  void decide(BarrierRequest& request);
  void decide(CheckpointRequest& request);
  void decide(SnapshotRequest& request);
  void decide(AnswerRequest& request);
  AppendOutcome outcome_of(std::unique_ptr<PreparedAppend>& append);
  std::optional<CommandRecord> known(const CommandId& id) const;
  Committed accept(std::unique_ptr<PreparedAppend> append);
  void put_event(PreparedAppend& append, std::size_t index);
  // Hears, once the group is durable, up to where it was decided.
  void tell_position(Journal::Completion done);

  void commit();
  void check_stopped() const;
  void count_commit(std::chrono::steady_clock::time_point began, std::chrono::steady_clock::time_point ended);
  [[noreturn]] void fail(const std::string& why);

  const Log& log_;
  Database& database_;
  Head& head_;
  RequestQueue& queue_;
  Dispatcher& dispatcher_;
  AcknowledgedKeeper& keeper_;
  JournalCounters& counters_;
  const Journal::Options options_;
  FailStop fault_;

  std::vector<Request> requests_;  // taken from the queue,
  std::size_t next_ = 0;           // decided up to here

  // The group that is being made.
  DecidedGroup group_;
  Timestamp time_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::chrono::steady_clock::time_point> handed_in_;  // of each append that is in it
  std::unordered_map<CommandId, CommandRecord, CommandIdHash> commands_;  // of this group
  rocksdb::WriteBatch batch_;

  Position position_;  // of the newest event decided
  NewestPositions newest_;
  TileWriter tiles_;
  CheckpointWriter checkpoints_;
  KeptSnapshots snapshots_;
  Sha256 sha_;
};

}  // namespace ota::eventstore
