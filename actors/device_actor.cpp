// The device actor: registration, attributes, deletion, and the device's side of the grant protocol.
//
// A poll takes the device's turn: one choice at a time, other commands of this device wait. Candidates are tried in
// order (priority, direct before campaign, age); the first that grants wins, a closed gate lets the next one try.
#include <algorithm>
#include <set>

#include "actors/asking.hpp"
#include "actors/entities.hpp"
#include "actors/entity.hpp"
#include "actors/service.hpp"
#include "domain/codec/state_codec.hpp"
#include "domain/device/gates.hpp"
#include "domain/version.hpp"
#include "eventstore/fault.hpp"

namespace ota::actors {
namespace {

class DeviceActor final : public Entity {
 public:
  DeviceActor(caf::actor_config& config, World& world, domain::DeviceId id)
      : Entity(config, world, id) {
    state_.id = std::move(id);
  }
  const char* name() const override { return "device"; }

 protected:
  void load() override {
    const auto with = domain::fold_settings(world_.settings);
    if (const auto kept = world_.log->snapshot(key_); kept && kept->bytes.starts_with(with)) {
      if (auto state = domain::decode_device_state(std::string_view(kept->bytes).substr(with.size()))) {
        state_ = std::move(*state);
      }
    }
    read_tag(key_, state_.position);
  }
  void fold(const domain::Recorded& event) override {
    domain::evolve(state_, event, world_.settings);
    if (const auto* asked = std::get_if<domain::UpdateRequested>(&event.event)) {
      emergency_asked_ = emergency_asked_ || asked->plan.priority == domain::Priority::kEmergency;
    }
    if (std::holds_alternative<domain::DeviceAttributesChanged>(event.event)) is_written_ = true;
    if (!std::holds_alternative<domain::UpdateRefuted>(event.event)) return;
    if (const auto* id = std::get_if<domain::UpdateId>(&event.stream)) refuted_ = id->campaign();
  }
  domain::Position position() const override { return state_.position; }
  std::uint32_t revision() const override { return 0; }
  std::string snapshot() const override { return domain::fold_settings(world_.settings) + domain::encode_state(state_); }
  void react() override {
    if (!state_.registered) return;
    // A campaign that has closed sleeps, and what it had counted as completed has failed (decision 23).
    if (const auto campaign = std::exchange(refuted_, std::nullopt)) tell(*campaign, Wake{});
    if (std::exchange(is_written_, false)) hear_version();
    if (const auto* active = state_.active()) {
      confirm_version(active->first, active->second);
      if (std::exchange(emergency_asked_, false) && emergency_waits(active->second)) tell_update(active->first, kMakeRoom);
    }
    if (in_turn()) return;
    if (state_.deleted) {
      // Whatever of it is unfinished must end: what its deletion had no room for, or an operator re-opened.
      if (!state_.updates.empty()) submit_own([this] { return decide(domain::DeleteDevice{}, {}); });
    } else if (state_.return_due) {
      submit_own([this] { return take_back(); });
    }
  }
  bool may_rest() const override { return !turn_; }
  void drop_everything() override { turn_.reset(); }   // its reply answers as it goes

  void handle(const RequestPtr& request) override {
    if (const auto* poll = std::get_if<Poll>(&request->command)) {
      take_turn(request, [this, sleep = poll->sleep] {
        turn_->sleep = sleep;
        register_if_unknown({{}, domain::RegisteredVia::kPoll, {}, {}, {}});
      });
      return;
    }
    const auto* command = std::get_if<domain::DeviceCommand>(&request->command);
    if (!command) return;
    if (const auto* reg = std::get_if<domain::RegisterDevice>(command)) {
      take_turn(request, [this, reg] {
        turn_->only_register = true;
        register_if_unknown(*reg);
      });
      return;
    }
    submit([this, request, command] { return decide(*command, request->meta); }, request->meta,
           std::move(request->reply));
  }

  void ordinal_given(std::uint64_t ticket, std::optional<domain::Ordinal> ordinal) override {
    if (!turn_ || turn_->ticket != ticket) return;
    if (!ordinal) {
      finish(domain::DomainError{domain::ErrorCode::kUnavailable, "the directory cannot give a number now", {}, {}, {}, {}});
      return;
    }
    turn_->registration.ordinal = *ordinal;
    append_registration();
  }

  void append_done(std::uint64_t ticket, const eventstore::AppendOutcome& outcome) override {
    if (!turn_ || turn_->ticket != ticket) return;
    if (std::holds_alternative<eventstore::Refused>(outcome)) {
      finish(domain::DomainError{domain::ErrorCode::kUnavailable, "the service is stopping", {}, {}, {}, {}});
      return;
    }
    const bool committed = std::holds_alternative<eventstore::Committed>(outcome);
    turn_->wrote = turn_->wrote || committed;
    if (turn_->registering) {
      turn_->registering = false;
      if (committed) world_.ordinals_settled({{state_.id.value, turn_->registration.ordinal}});
      if (committed || ++turn_->conflicts > limits::kConflictsMax) {
        continue_turn();
      } else {
        register_if_unknown(turn_->registration);
      }
      return;
    }
    if (committed && std::exchange(turn_->goes_on, false)) {
      choose();  // nothing of its own is left to be granted: a campaign may try
    } else if (committed) {
      finish_well();
    } else {
      turn_->goes_on = false;
      choose_again();
    }
  }

  void answered(std::uint64_t ticket, const Answer&) override {
    if (turn_ && turn_->ticket == ticket) choose();
  }

  void grant_answered(std::uint64_t ticket, const domain::Result<GrantOutcome>& answer) override {
    if (!turn_ || turn_->ticket != ticket) return;
    if (!answer) {
      try_next();
      return;
    }
    switch (answer.value().kind) {
      case GrantOutcome::Kind::kGranted:
        turn_->wrote = true;
        finish_well();
        break;
      case GrantOutcome::Kind::kConflict: choose_again(); break;
      default: try_next(); break;
    }
  }

 private:
  static constexpr domain::CancelUpdate kMakeRoom{domain::CancelCause::kPreempted,
                                                  domain::CancelUpdate::Reach::kNotInstalling};
  // What may be offered: an update of the device's own, or a campaign.
  struct Candidate {
    domain::Priority priority = domain::Priority::kNormal;
    bool direct = false;
    domain::Time since{};
    domain::UpdateId update;              // of a campaign: the one that would be granted
  };
  struct Turn {
    Reply<Answer> reply;
    Meta meta;
    domain::Duration sleep{};
    bool only_register = false;
    bool registering = false;
    domain::RegisterDevice registration;
    std::vector<Candidate> candidates;
    std::size_t next = 0;
    std::uint64_t ticket = 0;
    int conflicts = 0;
    bool wrote = false;
    bool goes_on = false;                 // what is being written grants nothing
    bool made_room = false;               // for an emergency, or asked for it
  };

  domain::Result<Plan> decide(const domain::DeviceCommand& command, const Meta& meta) {
    Plan plan;
    plan.conditions = {own_condition()};
    plan.otherwise = {false, revision(), projections::to_store(position()), {}, {}};
    if (const auto* request = std::get_if<domain::RequestUpdate>(&command)) {
      if (auto refused = refuse_recalled(request->plan.firmware, plan)) return std::move(*refused);
    }
    auto decision = domain::decide(state_, command, world_.context(meta.caller));
    if (!decision) return decision.error();
    plan.events = std::move(decision.value());
    if (const auto* said = std::get_if<domain::ChangeAttributes>(&command)) {
      const auto version = said->values.find("firmware_version");
      said_version_ = version == said->values.end() ? std::nullopt : std::optional(version->second);
      is_written_ = false;
      if (plan.events.empty()) hear_version();
    }
    return plan;
  }

  // Nor does a request overtake a recall (decision 2).
  std::optional<domain::DomainError> refuse_recalled(domain::FirmwareId firmware, Plan& plan) const {
    plan.conditions.push_back({domain::stream_name(firmware), projections::to_store(world_.views->position())});
    const auto row = world_.views->firmware(firmware);
    if (!row || row->firmware.status != domain::FirmwareStatus::kRecalled) return std::nullopt;
    return domain::wrong_state("firmware", "recalled", "roll out", {"available"});
  }

  // ---- the turn ---------------------------------------------------------------------------------------------------

  void take_turn(const RequestPtr& request, std::function<void()> first) {
    submit_turn(
        [this, request, first = std::move(first)](Reply<Answer> reply) {
          turn_ = std::make_unique<Turn>();
          turn_->reply = std::move(reply);
          turn_->meta = request->meta;
          first();
        },
        std::move(request->reply));
  }

  void finish(Answer answer) {
    auto reply = std::move(turn_->reply);
    turn_.reset();
    reply(std::move(answer));
    end_turn();
  }
  void finish_well() { finish(Done{turn_->wrote, 0, projections::to_store(position()), {}, {}}); }

  void register_if_unknown(domain::RegisterDevice registration) {
    if (state_.registered && !state_.deleted) {
      continue_turn();
      return;
    }
    if (state_.deleted && domain::is_own_word(registration.via)) {
      finish(domain::not_found("Device", state_.id.value));
      return;
    }
    turn_->registering = true;
    turn_->registration = std::move(registration);
    turn_->ticket = next_ticket();
    world_.ask_ordinal(state_.id, [self = caf::actor_cast<caf::actor>(this), ticket = turn_->ticket](std::optional<domain::Ordinal> ordinal) {
                         caf::anon_send(self, OrdinalGiven{ticket, ordinal});
                       });
  }

  void append_registration() {
    auto decision = domain::decide(state_, domain::DeviceCommand(turn_->registration), world_.context(turn_->meta.caller));
    if (!decision) {
      finish(decision.error());
    } else if (decision.value().empty()) {
      turn_->registering = false;
      continue_turn();
    } else {
      turn_->ticket = append_freely(std::move(decision.value()), {own_condition()}, turn_->meta);
    }
  }

  void continue_turn() {
    if (turn_->only_register) {
      finish_well();
    } else {
      choose();
    }
  }

  // ---- the choice -------------------------------------------------------------------------------------------------

  void choose() {
    turn_->candidates.clear();
    turn_->next = 0;
    if (const auto* active = state_.active()) {
      if (emergency_waits(active->second)) return ask_to_make_room(active->first);
    } else {
      gather_candidates();
    }
    try_next();
  }

  // On a conflict once more, then the poll is answered without an offer (design 4).
  void choose_again() {
    if (++turn_->conflicts > 1) {
      finish_well();
    } else {
      choose();
    }
  }

  void gather_candidates() {
    auto& list = turn_->candidates;
    const auto now = world_.now();
    for (const auto& [id, u] : state_.updates) {
      if (u.status != domain::UpdateStatus::kScheduled) continue;
      if (u.next_retry_at && *u.next_retry_at > now) continue;
      if (id.of_campaign && !u.next_retry_at) continue;  // lapsed: it is among the offers
      list.push_back({u.plan.priority, !id.of_campaign, u.requested_at, id});
    }
    for (const auto& offer : *world_.offers.all()) {
      if (!offer->is_hopeful(state_.ordinal.value) || !offer->is_for(state_.push)) continue;
      const auto id = domain::UpdateId::in_campaign(offer->campaign(), state_.ordinal,
                                                    static_cast<std::uint8_t>(offer->rollback()));
      if (offer->has_room() || (offer->asks_for_consent() && !was_asked(id))) {
        list.push_back({offer->priority(), false, offer->created(), id});
      }
    }
    std::stable_sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) {
      if (a.priority != b.priority) return a.priority > b.priority;
      if (a.direct != b.direct) return a.direct;
      return a.since < b.since;
    });
  }

  // For its consent to this update's next attempt.
  bool was_asked(const domain::UpdateId& id) const {
    const auto known = state_.updates.find(id);
    return state_.auto_confirm || (known != state_.updates.end() && known->second.consent_asked > 0);
  }

  void try_next() {
    while (turn_->next < turn_->candidates.size()) {
      const auto& candidate = turn_->candidates[turn_->next++];
      if (candidate.direct ? grant_direct(candidate.priority) : ask_campaign(candidate.update)) return;
    }
    finish_well();
  }

  bool grant_direct(domain::Priority at_least) {
    const auto read_at = projections::to_store(world_.views->position());
    const auto [wishes, owner_read_at] = wishes_of_owner(state_, *world_.views);
    domain::GrantDirect command{turn_->sleep, wishes.paused_until, shelf_of(state_, *world_.views), at_least};
    auto decision = domain::decide(state_, domain::DeviceCommand(std::move(command)), world_.context({}));
    if (!decision || decision.value().empty()) return false;
    const auto& last = decision.value().back();
    turn_->goes_on = !std::holds_alternative<domain::AttemptGranted>(last.event);
    std::vector<eventstore::Condition> conditions{own_condition()};
    std::set<domain::FirmwareId> decided_on;
    for (const auto& event : decision.value()) {
      decided_on.insert(state_.updates.at(std::get<domain::UpdateId>(event.stream)).plan.firmware);
    }
    for (const auto& firmware : decided_on) conditions.push_back({domain::stream_name(firmware), read_at});
    if (state_.owner != domain::Caller{}) {
      conditions.push_back({domain::stream_name(domain::UserStream{state_.owner}), projections::to_store(owner_read_at)});
    }
    turn_->ticket = append_freely(std::move(decision.value()), std::move(conditions), turn_->meta);
    return true;
  }

  bool ask_campaign(const domain::UpdateId& update) {
    auto request = std::make_shared<Request>();
    request->to = *update.campaign();
    request->meta.correlation = turn_->meta.correlation;
    AskGrant ask;
    ask.ask = ask_for(state_, update, *world_.views, world_.settings);
    ask.ask.device_position = seen();
    ask.ask.poll_sleep = turn_->sleep;
    turn_->ticket = next_ticket();
    ask.reply = std::make_shared<Reply<domain::Result<GrantOutcome>>>(
        [self = caf::actor_cast<caf::actor>(this), ticket = turn_->ticket](domain::Result<GrantOutcome> outcome) {
          caf::anon_send(
              self, GrantAnswered{ticket, std::make_shared<const domain::Result<GrantOutcome>>(std::move(outcome))});
        });
    request->command = std::move(ask);
    OTA_FAULT("device.before_ask");
    world_.send(std::move(request));
    return true;
  }

  // ---- beside the choice ------------------------------------------------------------------------------------------

  // Decision 9: an emergency does not wait for what does not install yet, if it could go itself.
  bool emergency_waits(const domain::UnfinishedUpdate& active) const {
    if (active.cancelling || active.plan.priority >= domain::Priority::kEmergency) return false;
    const auto now = world_.now();
    const auto pause = wishes_of_owner(state_, *world_.views).first.paused_until;
    const auto shelf = shelf_of(state_, *world_.views);
    for (const auto& entry : state_.updates) {
      const auto& plan = entry.second.plan;
      if (plan.priority == domain::Priority::kEmergency && domain::may_run(state_, entry, pause, shelf, now) &&
          !domain::skip_own(state_, plan, shelf)) {
        return true;
      }
    }
    for (const auto& offer : *world_.offers.all()) {
      if (offer->priority() < domain::Priority::kEmergency) return false;
      if (!offer->has_room() || !offer->is_for(state_.push) || !offer->is_hopeful(state_.ordinal.value)) continue;
      const auto id = domain::UpdateId::in_campaign(offer->campaign(), state_.ordinal);
      const auto row = world_.views->campaign_summary(offer->campaign());
      if (!row) continue;
      if (!offer->is_for(false) && !stays_elsewhere(*world_.views, row->record.firmware)) continue;  // its bytes will come
      const auto ask = ask_for(state_, id, *world_.views, world_.settings);
      if (domain::would_be_granted(row->record, row->switched, ask, now)) return true;
    }
    return false;
  }

  // The device is answered what becomes of that: a cancellation, or the emergency itself.
  void ask_to_make_room(const domain::UpdateId& update) {
    if (std::exchange(turn_->made_room, true)) return try_next();
    turn_->ticket = next_ticket();
    tell_update(update, kMakeRoom,
         Reply<Answer>([self = caf::actor_cast<caf::actor>(this), ticket = turn_->ticket](Answer answer) {
           caf::anon_send(self, Answered{ticket, std::make_shared<const Answer>(std::move(answer))});
         }));
  }

  // The same version again is no event, and yet a proof. Behind what it was said with, if that is written: what is said before an
  // end, and what is asked behind it, are two things.
  void hear_version() {
    const auto version = std::exchange(said_version_, std::nullopt);
    const auto* active = state_.active();
    if (!version || !active || !active->second.awaits_version) return;
    const auto& [id, u] = *active;
    if (domain::same_version(*version, u.plan.to_version) && domain::same_version(state_.version, u.plan.to_version)) {
      tell_update(id, domain::ConfirmVersion{u.attempt});
    }
  }

  // Decision 12: what waits for its version to be seen, and it is seen.
  void confirm_version(const domain::UpdateId& id, const domain::UnfinishedUpdate& u) {
    if (!u.plan.require_version_proof || !domain::same_version(state_.version, u.plan.to_version)) return;
    // It ran that version before: what it said then proves nothing, what it says from now on does (hear_version).
    if (domain::same_version(u.plan.from_version, u.plan.to_version)) return;
    tell_update(id, domain::ConfirmVersion{u.attempt});
  }

  void tell_update(const domain::UpdateId& update, domain::UpdateCommand command, Reply<Answer> reply = {}) {
    tell(update, std::move(command), state_.id, std::move(reply));
  }

  // What a time-out or bad health asks for (decision 27).
  domain::Result<Plan> take_back() {
    Plan plan;
    if (!state_.return_due) return plan;
    const auto& due = *state_.return_due;
    auto back = way_back(*world_.views, state_, due.firmware, due.to_version);
    back.undone = due.undone_version;
    domain::RequestRollback request;
    request.id = domain::UpdateId::direct(new_uuid(world_.now()));
    request.plan = plan_back(back, {due.trigger, due.fact, due.undoes, due.undone_version});
    std::tie(request.error_code, request.error_message) = domain::why_not_back(back);
    return decide(request, {});
  }

  domain::Device state_;
  std::unique_ptr<Turn> turn_;         // most devices have none
  bool emergency_asked_ = false;        // since the last react()
  std::optional<std::string> said_version_;   // with attributes that are being written
  bool is_written_ = false;             // they were, since the last react()
  std::optional<domain::CampaignId> refuted_;   // whose update the device has refuted, to be woken
};

}  // namespace

caf::actor spawn_device(caf::actor_system& system, World& world, domain::DeviceId id) {
  return system.spawn<DeviceActor>(std::ref(world), std::move(id));
}

}  // namespace ota::actors
