// Entity: the one base of every event-sourced actor. Load, decide, append, evolve on commit, reply, snapshot, rest.
//
// - The state changes on commit only, in log order, from deliveries of the tags that it follows: live exactly as in replay.
// - While an append of its own is in flight further commands wait in a bounded stash; beyond it they are answered busy.
// - A conflict means that its tail moved: by the time it hears of it the newer events have been delivered, so it decides
//   the same command again, three times at most.
// - What is due besides commands (reactions) is asked of the state after loading and after every delivery.
// - An entity that cannot be loaded, or throws, is parked: it answers an error and is reported, nothing else stops.
// Subclasses give the fold, the decisions and the conditions. They add no rules.
#pragma once

#include <algorithm>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/messages.hpp"
#include "actors/world.hpp"

namespace ota::actors {

class Entity : public caf::event_based_actor {
 public:
  Entity(caf::actor_config& config, World& world, EntityId id);

  const char* name() const override { return "entity"; }

 protected:
  // What a decision asks to be appended, and under which conditions.
  struct Plan {
    domain::Events events;
    std::vector<eventstore::Condition> conditions;
    Done otherwise;                       // the answer when there is nothing to append
  };
  using Decide = std::function<domain::Result<Plan>()>;

  caf::behavior make_behavior() override;

  // ---- for subclasses -------------------------------------------------------------------------------------------
  virtual std::vector<std::string> followed_tags() const { return {key_}; }
  // Reads the state from snapshot and log. Throws to be parked.
  virtual void load() = 0;
  virtual void fold(const domain::Recorded& event) = 0;
  virtual void handle(const RequestPtr& request) = 0;
  virtual domain::Position position() const = 0;
  virtual std::uint32_t revision() const = 0;
  virtual void react() {}
  virtual void answered(std::uint64_t, const Answer&) {}
  virtual void append_done(std::uint64_t, const eventstore::AppendOutcome&) {}   // of append_freely()
  virtual void grant_answered(std::uint64_t, const domain::Result<GrantOutcome>&) {}
  virtual void ordinal_given(std::uint64_t, std::optional<domain::Ordinal>) {}
  // How often a command is decided again after a conflict before it is answered `busy`.
  virtual int conflicts_max() const { return limits::kConflictsMax; }
  // Some time has passed that wake_later() asked for.
  virtual void woken() {}
  // May it rest now? Nothing in flight is checked by the base.
  virtual bool may_rest() const { return true; }
  // It is set aside: answer whoever waits for more than a turn in the queue.
  virtual void drop_everything() {}
  // The bytes of a snapshot; empty: this entity takes none.
  virtual std::string snapshot() const { return {}; }

  // Decides when it is this command's turn and appends; `reply` gets the answer when it is durable and visible.
  void submit(Decide decide, Meta meta, Reply<Answer> reply);
  // The same for an own event that a reaction asks for.
  void submit_own(Decide decide);
  // Takes the turn for something that takes several steps; end_turn() gives it back.
  void submit_turn(std::function<void(Reply<Answer>)> begin, Reply<Answer> reply);
  void end_turn();
  void wake_later(std::chrono::milliseconds delay);
  // Tells another entity what follows from this one's state. `device`: whose an update is that may have no events yet.
  void tell(EntityId to, Command command, std::optional<domain::DeviceId> device = {}, Reply<Answer> reply = {});
  // Appends at once, beside the turn; the outcome comes to append_done(). Returns the ticket.
  std::uint64_t append_freely(domain::Events events, std::vector<eventstore::Condition> conditions, const Meta& meta);

  std::uint64_t next_ticket() { return ++ticket_; }
  bool in_turn() const { return busy_; }
  // Whatever its own stream has up to here is in the state: at least what the log had before it was read, which the
  // writer remembers better than the last event of a stream that has rested for years.
  domain::Position seen() const { return std::max(position(), read_at_); }
  eventstore::Condition own_condition() const { return {key_, projections::to_store(seen())}; }
  // Reads the events of one tag after `after` into fold().
  void read_tag(const std::string& tag, domain::Position after);
  // What this very command did, if it was done already: said again, it may look wrong by now.
  std::optional<Done> done_before(const Meta& meta) const;
  std::optional<domain::DomainError> check_revision(const Meta& meta) const;

  World& world_;
  const EntityId id_;
  const std::string key_;
  std::size_t folded_events_ = 0;         // since the last snapshot
  std::size_t folded_bytes_ = 0;

 private:
  struct Job {
    Decide decide;
    std::function<void(Reply<Answer>)> begin;
    Meta meta;
    Reply<Answer> reply;
    int conflicts = 0;
    bool own = false;                     // due by itself: nobody asked
  };
  void fold_whole(const domain::Recorded& event);
  void on_request(const RequestPtr& request);
  void on_delivery(const DeliveryPtr& delivery);
  void on_append(const AppendDone& appended);
  void on_rest();
  void run();
  void enqueue(Job job);
  void ensure_loaded();
  void park(const std::string& why);
  void guarded(const std::function<void()>& work);
  void maybe_snapshot(bool at_rest);

  bool loaded_ = false;
  domain::Position read_at_;              // the head of the log when it began to load
  bool resting_ = false;
  std::string parked_;                    // why; empty: healthy
  bool busy_ = false;
  bool appending_ = false;                // the front job's append is in flight
  std::list<Job> jobs_;                   // not a deque, which takes 600 bytes while it is empty
  std::uint64_t ticket_ = 0;
  std::uint64_t turn_ticket_ = 0;
  std::size_t free_appends_ = 0;
  std::size_t last_snapshot_bytes_ = 0;
};

}  // namespace ota::actors
