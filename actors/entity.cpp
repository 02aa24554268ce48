#include "actors/entity.hpp"

#include <utility>

#include <fmt/format.h>

#include "eventstore/fault.hpp"

namespace ota::actors {
namespace {

domain::DomainError error(domain::ErrorCode code, std::string message) {
  return {code, std::move(message), {}, {}, {}, {}};
}

}  // namespace

Entity::Entity(caf::actor_config& config, World& world, EntityId id)
    : caf::event_based_actor(config), world_(world), id_(std::move(id)), key_(key_of(id_)) {}

caf::behavior Entity::make_behavior() {
  set_default_handler(caf::drop);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
    return caf::sec::runtime_error;
  });
  return {
      [this](const RequestPtr& request) { on_request(request); },
      [this](const DeliveryPtr& delivery) { on_delivery(delivery); },
      [this](const AppendDone& appended) { on_append(appended); },
      [this](const Answered& a) { guarded([&] { answered(a.ticket, *a.answer); }); },
      [this](const GrantAnswered& a) { guarded([&] { grant_answered(a.ticket, *a.outcome); }); },
      [this](const OrdinalGiven& a) { guarded([&] { ordinal_given(a.ticket, a.ordinal); }); },
      [this](const Rest&) { on_rest(); },
      [this](const Tick&) {
        if (loaded_ && parked_.empty() && !resting_) guarded([&] { woken(); });
      },
  };
}

// ---- messages ----------------------------------------------------------------------------------------------------

void Entity::on_request(const RequestPtr& request) {
  if (resting_) return world_.send(request);  // its shard brings it back to life
  guarded([&] {
    ensure_loaded();
    if (!parked_.empty()) {
      request->reply(error(domain::ErrorCode::kUnavailable, parked_));
    } else if (std::holds_alternative<Wake>(request->command)) {
      request->reply(Done{false, revision(), projections::to_store(position()), {}, {}});
    } else {
      handle(request);
    }
  });
  if (!parked_.empty()) request->reply(error(domain::ErrorCode::kUnavailable, parked_));
}

void Entity::on_delivery(const DeliveryPtr& delivery) {
  if (!loaded_ || !parked_.empty() || resting_) return;  // what was delivered before the load is in it
  guarded([&] {
    bool news = false;
    for (const auto i : delivery->events) {
      const auto& event = delivery->group->events[i];
      if (event.position <= position()) continue;
      fold_whole(event);
      ++folded_events_;
      folded_bytes_ += delivery->group->raw->events()[i].payload.size() + limits::kRecordBeside;
      news = true;
    }
    if (!news) return;
    maybe_snapshot(false);
    react();
  });
}

void Entity::on_append(const AppendDone& appended) {
  if (appended.ticket != turn_ticket_) {
    --free_appends_;
    guarded([&] { append_done(appended.ticket, appended.outcome); });
    return;
  }
  appending_ = false;
  auto& job = jobs_.front();
  if (const auto* conflict = std::get_if<eventstore::Conflict>(&appended.outcome)) {
    busy_ = false;
    if (!parked_.empty()) {
      job.reply(error(domain::ErrorCode::kUnavailable, parked_));
      jobs_.pop_front();
      return;
    }
    if (++job.conflicts > conflicts_max()) {
      job.reply(error(domain::ErrorCode::kBusy, fmt::format("{} changes too fast; try again",
                                                            domain::readable_name(conflict->tag))));
      jobs_.pop_front();
    }
    guarded([&] {
      react();
      run();
    });
    return;
  }
  Job finished = std::move(job);
  jobs_.pop_front();
  busy_ = false;
  if (const auto* committed = std::get_if<eventstore::Committed>(&appended.outcome)) {
    OTA_FAULT("actors.before_reply");
    finished.reply(Done{true, revision(), committed->last(), {}, {}});
  } else if (const auto* repeated = std::get_if<eventstore::Repeated>(&appended.outcome)) {
    finished.reply(Done{false, revision(), repeated->earlier.position, repeated->earlier, {}});
  } else {
    finished.reply(error(domain::ErrorCode::kUnavailable, "the service is stopping"));
  }
  if (!parked_.empty()) return;
  guarded([&] {
    react();
    run();
  });
}

void Entity::on_rest() {
  if (resting_ || busy_ || !jobs_.empty() || free_appends_ > 0 || (loaded_ && parked_.empty() && !may_rest())) return;
  if (!world_.shard_of(key_).forget(key_, [this] { return !mailbox().empty(); })) return;
  resting_ = true;
  world_.router.leave(followed_tags(), caf::actor_cast<caf::actor>(this));
  maybe_snapshot(true);
}

// ---- turns -------------------------------------------------------------------------------------------------------

void Entity::enqueue(Job job) {
  if (jobs_.size() >= limits::kStash) {
    job.reply(error(domain::ErrorCode::kBusy,
                    fmt::format("{} commands already wait for {}", jobs_.size(), domain::readable_name(key_))));
    return;
  }
  jobs_.push_back(std::move(job));
  run();
}

void Entity::submit(Decide decide, Meta meta, Reply<Answer> reply) {
  enqueue({std::move(decide), {}, std::move(meta), std::move(reply), 0});
}

void Entity::submit_own(Decide decide) {
  Job job{std::move(decide), {}, {}, {}, 0};
  job.own = true;
  enqueue(std::move(job));
}

void Entity::submit_turn(std::function<void(Reply<Answer>)> begin, Reply<Answer> reply) {
  enqueue({{}, std::move(begin), {}, std::move(reply), 0});
}

void Entity::end_turn() {
  busy_ = false;
  run();
}

void Entity::run() {
  while (!busy_ && !jobs_.empty()) {
    auto& job = jobs_.front();
    if (job.begin) {
      Job turn = std::move(job);
      jobs_.pop_front();
      busy_ = true;
      turn.begin(std::move(turn.reply));
      continue;
    }
    std::optional<domain::Result<Plan>> decided;
    if (auto stale = check_revision(job.meta)) {
      decided = domain::Result<Plan>(std::move(*stale));
    } else {
      decided = job.decide();
    }
    if (!decided->ok() || decided->value().events.empty()) {
      Job finished = std::move(job);
      jobs_.pop_front();
      if (auto before = done_before(finished.meta)) {
        finished.reply(std::move(*before));
      } else if (decided->ok()) {
        finished.reply(decided->value().otherwise);
      } else {
        finished.reply(decided->error());
      }
      continue;
    }
    Plan& plan = decided->value();
    // What is due follows from the newest event that the entity knows.
    if (job.own) job.meta.causation = projections::to_store(position());
    eventstore::Append append;
    append.events = to_append(plan.events, job.meta);
    append.conditions = std::move(plan.conditions);
    if (job.meta.repeatable && job.meta.command) append.command = {*job.meta.command, job.meta.request, job.meta.status};
    busy_ = true;
    appending_ = true;
    turn_ticket_ = next_ticket();
    world_.journal->append(std::move(append),
                           [self = caf::actor_cast<caf::actor>(this), ticket = turn_ticket_](
                               const eventstore::AppendOutcome& outcome) {
                             caf::anon_send(self, AppendDone{ticket, outcome});
                           });
  }
}

std::uint64_t Entity::append_freely(domain::Events events, std::vector<eventstore::Condition> conditions,
                                    const Meta& meta) {
  eventstore::Append append;
  append.events = to_append(events, meta);
  append.conditions = std::move(conditions);
  const std::uint64_t ticket = next_ticket();
  ++free_appends_;
  world_.journal->append(std::move(append), [self = caf::actor_cast<caf::actor>(this), ticket](
                                                const eventstore::AppendOutcome& outcome) {
    caf::anon_send(self, AppendDone{ticket, outcome});
  });
  return ticket;
}

// ---- life --------------------------------------------------------------------------------------------------------

void Entity::ensure_loaded() {
  if (loaded_) return;
  world_.router.follow(followed_tags(), caf::actor_cast<caf::actor>(this));
  loaded_ = true;
  read_at_ = projections::to_domain(world_.log->head());
  const auto begin = std::chrono::steady_clock::now();
  load();
  world_.meters.activation_us.record(std::chrono::steady_clock::now() - begin);
  world_.report_loaded(key_);
  react();
}

void Entity::fold_whole(const domain::Recorded& event) {
  if (event.damaged) throw std::runtime_error(fmt::format("the event at {} cannot be read", event.position.value));
  fold(event);
}

void Entity::wake_later(std::chrono::milliseconds delay) { delayed_send(this, delay, Tick{}); }

void Entity::read_tag(const std::string& tag, domain::Position after) {
  world_.log->read_tag(tag, projections::to_store(after), [this](const eventstore::RecordedEvent& event) {
    fold_whole(projections::decode(event));
    ++folded_events_;
    folded_bytes_ += event.payload.size() + limits::kRecordBeside;
    return true;
  });
}

std::optional<Done> Entity::done_before(const Meta& meta) const {
  if (!meta.repeatable || !meta.command) return std::nullopt;
  auto earlier = world_.log->command(*meta.command, world_.now());
  if (!earlier) return std::nullopt;
  const auto position = earlier->position;
  return Done{false, revision(), position, std::move(earlier), {}};
}

std::optional<domain::DomainError> Entity::check_revision(const Meta& meta) const {
  if (meta.allows(revision())) return std::nullopt;
  return wrong_revision(meta, revision());
}

void Entity::tell(EntityId to, Command command, std::optional<domain::DeviceId> device, Reply<Answer> reply) {
  auto request = std::make_shared<Request>();
  request->to = std::move(to);
  request->command = std::move(command);
  request->meta.causation = projections::to_store(position());
  request->device = std::move(device);
  request->reply = std::move(reply);
  world_.send(std::move(request));
}

void Entity::guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& e) {
    park(e.what());
  }
}

void Entity::park(const std::string& why) {
  parked_ = fmt::format("{} is set aside at position {}: {}", domain::readable_name(key_), position().value, why);
  world_.report_poisoned(key_, parked_);
  drop_everything();
  // What is on its way to the journal gets that answer: it may take effect.
  std::list<Job> kept;
  auto jobs = std::exchange(jobs_, {});
  if (appending_) {
    kept.push_back(std::move(jobs.front()));
    jobs.pop_front();
  }
  jobs_ = std::move(kept);
  for (auto& job : jobs) job.reply(error(domain::ErrorCode::kUnavailable, parked_));
}

void Entity::maybe_snapshot(bool at_rest) {
  if (!loaded_ || !parked_.empty()) return;
  const bool worth = at_rest ? folded_events_ > limits::kSnapshotEventsAtRest
                             : folded_bytes_ > std::max(limits::kSnapshotBytesMin,
                                                        limits::kSnapshotFactor * last_snapshot_bytes_);
  if (!worth) return;
  std::string bytes = snapshot();
  folded_events_ = 0;
  folded_bytes_ = 0;
  if (bytes.empty()) return;
  last_snapshot_bytes_ = bytes.size();
  world_.journal->put_snapshot(key_, projections::to_store(position()), std::move(bytes));
}

}  // namespace ota::actors
