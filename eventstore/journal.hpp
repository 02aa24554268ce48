// The journal: the one writer of the log.
//
//   append() --> queue --> writer thread: conditions, positions, time, one batch, one fsync
//                             --> dispatcher thread: tails (in their order), then completions
//
// - Appends are decided in the order in which they were handed in; each commits or conflicts whole
//   and alone.
// - The writer takes what is queued, without waiting, up to the limits of a group; the next group
//   gathers meanwhile.
// - The dispatcher hands every committed group to every tail before it calls any completion of that
//   group: who is answered finds the views and the followers informed.
// - A write or fsync that fails ends the process through Options::fail_stop, and so does RocksDB's own work
//   behind it (background_faults.hpp). There is no other path.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/log.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

struct JournalMeters;
struct Signer;

struct Append {
  // 1..limits::kAppendEvents. None only with a command, which is then remembered and no more; that is
  // durable with the next event, so before anything that is appended behind it.
  std::vector<NewEvent> events;
  std::vector<Condition> conditions;
  // Set together with the events' origin.command: makes the append happen at most once.
  struct Command {
    CommandId id;
    Hash request{};
    std::uint16_t status = 0;
  };
  std::optional<Command> command;
  // Set with the event that tells of a new signing key: from the group of that event on checkpoints are signed by it, the
  // first of them by the earlier key as well.
  std::shared_ptr<const Signer> signer;
};

// Events that became durable with one fsync, in position order. Immutable, shared by all followers.
class CommittedGroup {
 public:
  // `storage` owns what the views of `events` point into.
  CommittedGroup(std::vector<RecordedEvent> events, std::shared_ptr<const void> storage)
      : storage_(std::move(storage)), events_(std::move(events)) {}

  const std::vector<RecordedEvent>& events() const { return events_; }

 private:
  std::shared_ptr<const void> storage_;
  std::vector<RecordedEvent> events_;
};
using GroupPtr = std::shared_ptr<const CommittedGroup>;

// Follows the log live. Called on the dispatcher thread only, in order, without gaps; never throws.
class Tail {
 public:
  virtual ~Tail() = default;
  virtual void on_group(const GroupPtr& group) = 0;
};

class Journal {
 public:
  struct Options {
    std::function<Timestamp()> clock;  // default: the system clock
    // Called once, on the writer's thread or on one of RocksDB's, with what failed. Must not return;
    // default: prints and _exit(70). One that throws, in a test, ends the writer: what is not
    // committed by then is never answered, as in a process that died.
    std::function<void(const std::string& why)> fail_stop;
    std::size_t group_events_max = 0;     // 0: limits::kGroupEvents
    std::uint64_t tag_memory_events = 0;  // 0: limits::kTagMemoryEvents
    // Signs checkpoints (checkpoint_writer.hpp), the last one when the journal ends; null: none are made.
    std::shared_ptr<const Signer> signer;
  };
  // Called on the dispatcher thread; must not throw. May be empty.
  using Completion = std::function<void(const AppendOutcome&)>;

  // `tails` are informed in this order. They must outlive the journal.
  Journal(std::shared_ptr<Log> log, std::vector<Tail*> tails, Options options);
  // Commits what is queued, informs everybody, stops the threads. An append from then on, which
  // only a completion or a tail can still make, is Refused.
  ~Journal();

  // Queues an append. The events are serialised and hashed here, on the caller's thread. Refused
  // also if a condition or the command cannot be checked because the log cannot be read. Asserts
  // that the append is within limits.hpp.
  void append(Append append, Completion done);
  // Calls `done` (with Committed{head, 0}) when everything handed in before is decided and
  // dispatched.
  void barrier(Completion done);
  // The same, and what is in the log by then is in a checkpoint, if there is a signer.
  void checkpoint(Completion done);
  // Keeps a snapshot of `stream` as of `position`, which must already be committed. Not a promise:
  // a lost one costs time. The newest limits::kSnapshotsKept of a stream stay.
  void put_snapshot(std::string stream, Position position, std::string bytes);
  // Keeps what was answered to a command, for as long as the command is remembered; what is handed in
  // later finds it. Not a promise: a crash may lose it, and one beyond limits::kAnswerBytes is not kept.
  void keep_answer(CommandId command, std::string answer);

  // Appends queued and not yet dispatched: what admission looks at.
  std::size_t in_flight() const;
  // For how long none of them has ended: a disk that does not answer.
  std::chrono::steady_clock::duration stalled_for() const;

  struct Metrics {
    std::uint64_t groups = 0;
    std::uint64_t events = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t commit_us_total = 0;
    std::uint64_t commit_us_max = 0;
  };
  Metrics metrics() const;
  // The same in more detail (meters.hpp).
  const JournalMeters& meters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::eventstore
