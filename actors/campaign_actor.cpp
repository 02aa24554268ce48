// The campaign actor: operators' commands, the campaign's side of the grant protocol, and what follows from its state.
//
// Grants are pipelined: a place is reserved in memory while its append is in flight. From handing over an event that
// moves the gate until its commit nothing is granted. An open campaign never rests.
#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>

#include "actors/asking.hpp"
#include "actors/campaign_offer.hpp"
#include "actors/entities.hpp"
#include "actors/entity.hpp"
#include "actors/rollback_search.hpp"
#include "domain/campaign/grant.hpp"
#include "domain/codec/state_codec.hpp"
#include "eventstore/fault.hpp"
#include "projections/merged_tags.hpp"

namespace ota::actors {
namespace {

using GrantReply = std::shared_ptr<Reply<domain::Result<GrantOutcome>>>;

class CampaignActor final : public Entity {
 public:
  CampaignActor(caf::actor_config& config, World& world, domain::CampaignId id)
      : Entity(config, world, id), offer_(world.offers) {
    state_.id = id;
  }
  const char* name() const override { return "campaign"; }

 protected:
  std::vector<std::string> followed_tags() const override {
    std::vector<std::string> tags{key_, domain::fleet_tag()};
    if (firmware_) tags.push_back(domain::stream_name(*firmware_));
    return tags;
  }

  void load() override {
    // Deliveries bring what is newer: the tags are read one after the other, but up to one moment.
    const auto until = projections::to_domain(world_.log->head());
    if (const auto kept = world_.log->snapshot(key_)) {
      if (auto state = domain::decode_campaign_state(kept->bytes)) state_ = std::move(*state);
    }
    // The firmware must be followed before the log is read, and is known only from what was read: ask the views.
    if (const auto row = world_.views->campaign(state_.id)) follow_firmware(row->record.firmware);
    read_followed(state_.position, until);
  }

  void fold(const domain::Recorded& event) override {
    domain::evolve(state_, event);
    if (const auto* id = std::get_if<domain::UpdateId>(&event.stream)) {
      offer_.changed(id->ordinal.value);
      if (state_.status == domain::CampaignStatus::kRollback && state_.is_to_take_back(id->ordinal.value)) {
        search_.add(id->ordinal.value);  // it has completed only now
      }
      // Its attempt is over, or it waits from now on: if the campaign has ended meanwhile, it must be told again.
      if (std::holds_alternative<domain::AttemptEnded>(event.event) ||
          std::holds_alternative<domain::GrantLapsed>(event.event) ||
          std::holds_alternative<domain::UpdateHeld>(event.event)) {
        told_.remove(id->ordinal.value);
        for (const auto& [ticket, o] : cancels_) {
          if (o == id->ordinal.value) outdated_.add(o);
        }
      }
    } else {
      offer_.stale();
      // Whoever was told of one thing is told again of the next: an end, a recall, a switch.
      if (!std::holds_alternative<domain::DeviceId>(event.stream)) {
        told_ = {};
        for (const auto& [ticket, o] : cancels_) outdated_.add(o);
      }
    }
  }

  domain::Position position() const override { return state_.position; }
  std::uint32_t revision() const override { return state_.revision; }
  std::string snapshot() const override { return domain::encode_state(state_); }
  bool may_rest() const override {
    return (!state_.exists || state_.closed) && grants_.empty() && cancels_.empty();
  }

  void drop_everything() override {
    grants_.clear();
    cancels_.clear();
    offer_.withdraw();
  }

  void handle(const RequestPtr& request) override {
    if (const auto* ask = std::get_if<AskGrant>(&request->command)) {
      request->reply(Done{});
      grant(*ask, request->meta);
      return;
    }
    if (const auto* ask = std::get_if<AskWhy>(&request->command)) {
      request->reply(Done{});
      explain(*ask);
      return;
    }
    if (const auto* recall = std::get_if<FirmwareIsRecalled>(&request->command)) {
      request->reply(Done{});
      stop_going_back_to(recall->firmware);
      return;
    }
    const auto* command = std::get_if<domain::CampaignCommand>(&request->command);
    if (!command) return;
    if (const auto* create = std::get_if<domain::CreateCampaign>(command)) follow_firmware(create->record.firmware);
    submit([this, request, command] { return decide(*command, request->meta); }, request->meta,
           std::move(request->reply));
  }

  void react() override {
    publish();
    ask_to_be_woken();
    if (!state_.exists || in_turn()) return;
    const auto due = domain::next(state_, told_, limits::kOutstanding - std::min(cancels_.size(), limits::kOutstanding),
                                  world_.now());
    if (!due.own.empty()) {
      OTA_FAULT("campaign.before_own_event");
      submit_own([this]() -> domain::Result<Plan> {
        Plan plan;
        plan.events = domain::next(state_, told_, 0, world_.now()).own;
        plan.conditions = {gate_condition()};
        // Nobody may be re-opened behind the end: then nothing of the campaign runs, and its tag rests.
        if (!plan.events.empty() && std::holds_alternative<domain::CampaignClosed>(plan.events.front().event)) {
          plan.conditions.push_back(own_condition());
        }
        return plan;
      });
    }
    for (const auto& tell : due.tells) {
      if (!untellable_.contains(tell.update.ordinal.value)) send(tell);
    }
    look_for_no_way_back();
  }

  void woken() override {
    wakes_at_.reset();  // an alarm rings once
    untellable_ = {};
    looking_ = false;
    react();
  }

  void append_done(std::uint64_t ticket, const eventstore::AppendOutcome& outcome) override {
    const auto found = grants_.find(ticket);
    if (found == grants_.end()) return;
    auto [ordinal, first_in_batch, kind, reply] = std::move(found->second);
    grants_.erase(found);
    reserved_.ordinals.remove(ordinal);
    reserved_.asked.remove(ordinal);
    if (first_in_batch) --reserved_.in_batch;
    offer_.changed(ordinal);
    publish();
    OTA_FAULT("campaign.before_grant_reply");
    if (std::holds_alternative<eventstore::Committed>(outcome)) {
      (*reply)(GrantOutcome{kind, {}});
    } else {
      (*reply)(GrantOutcome{GrantOutcome::Kind::kConflict, "something newer was written"});
      if (state_.status == domain::CampaignStatus::kRollback) look_at(ordinal);
    }
  }

  void answered(std::uint64_t ticket, const Answer& answer) override {
    const auto found = cancels_.find(ticket);
    if (found == cancels_.end()) return;
    // Told and answered: its events, if any, show the effect. Something has changed since it was told: it is told again, and so
    // is, but not at once, who did not take it.
    const auto ordinal = found->second;
    const bool outdated = outdated_.contains(ordinal);
    outdated_.remove(ordinal);
    if (answer.ok() && !outdated) {
      told_.add(ordinal);
    } else if (!answer.ok()) {
      if (untellable_.isEmpty()) wake_later(limits::kRetell);
      untellable_.add(ordinal);
    }
    cancels_.erase(found);
    react();
  }

 private:
  struct Promise {
    std::uint32_t ordinal = 0;
    bool first_in_batch = false;
    GrantOutcome::Kind kind = GrantOutcome::Kind::kGranted;
    GrantReply reply;
  };

  eventstore::Condition gate_condition() const {
    return {domain::gate_tag(state_.id), projections::to_store(position())};
  }

  void follow_firmware(domain::FirmwareId firmware) {
    if (firmware_) return;
    firmware_ = firmware;
    world_.router.follow({domain::stream_name(firmware)}, caf::actor_cast<caf::actor>(this));
  }

  void read_followed(domain::Position after, domain::Position until) {
    std::vector<std::string> others{domain::fleet_tag()};
    if (firmware_) others.push_back(domain::stream_name(*firmware_));
    projections::read_merged(*world_.log, key_, others, after, until, [&](const domain::Recorded& event, const auto* as_kept) {
      domain::evolve(state_, event);
      if (!as_kept) return;
      ++folded_events_;
      folded_bytes_ += as_kept->payload.size() + limits::kRecordBeside;
    });
    offer_.stale();
  }

  domain::Result<Plan> decide(const domain::CampaignCommand& command, const Meta& meta) {
    Plan plan;
    plan.otherwise = {false, revision(), projections::to_store(position()), {}, {}};
    auto decision = domain::decide(state_, command, world_.context(meta.caller));
    if (!decision) return decision.error();
    plan.events = std::move(decision.value());
    if (const auto* create = std::get_if<domain::CreateCampaign>(&command)) {
      // What is not true any more of the firmware or of a target must not begin.
      const auto checked_at = projections::to_store(create->checked_at);
      plan.conditions = {own_condition(),
                         {domain::stream_name(create->record.firmware), checked_at},
                         {domain::fleet_tag(), checked_at}};
    } else if (std::holds_alternative<domain::AddTargetPart>(command)) {
      plan.conditions = {own_condition()};
    } else {
      plan.conditions = {gate_condition()};
    }
    if (!plan.events.empty()) offer_.close();
    return plan;
  }

  void grant(const AskGrant& ask, const Meta& meta) {
    auto& reply = *ask.reply;
    if (in_turn() || grants_.size() >= limits::kOutstanding) {
      reply(GrantOutcome{GrantOutcome::Kind::kWait, "the campaign is being changed"});
      return;
    }
    const auto decision = domain::grant(state_, reserved_, with_content(ask.ask), world_.context({}));
    if (const auto* wait = std::get_if<domain::Wait>(&decision)) {
      reply(GrantOutcome{GrantOutcome::Kind::kWait, wait->fact});
      return;
    }
    carry_out(ask, decision, meta);
  }

  // Where the bytes are while they are not here may change, and the campaign is not told: it looks when it matters.
  domain::GrantAsk with_content(domain::GrantAsk ask) const {
    if (state_.content_pending && ask.push) ask.content_elsewhere = stays_elsewhere(*world_.views, state_.firmware);
    return ask;
  }

  void carry_out(const AskGrant& ask, const domain::GrantDecision& decision, const Meta& meta) {
    Promise promise{ask.ask.ordinal.value, false, GrantOutcome::Kind::kGranted, ask.reply};
    domain::Event event;
    if (const auto* granted = std::get_if<domain::AttemptGranted>(&decision)) {
      promise.first_in_batch = !granted->retry && granted->batch == state_.batch;
      event = *granted;
    } else if (const auto* consent = std::get_if<domain::ConsentAsked>(&decision)) {
      event = *consent;
    } else {
      promise.kind = GrantOutcome::Kind::kSkipped;
    }
    const bool asks = std::holds_alternative<domain::ConsentAsked>(decision);
    (asks ? reserved_.asked : reserved_.ordinals).add(promise.ordinal);
    if (promise.first_in_batch) ++reserved_.in_batch;
    offer_.changed(promise.ordinal);
    publish();
    OTA_FAULT("campaign.before_grant");
    const auto update = domain::UpdateId::in_campaign(state_.id, ask.ask.ordinal,
                                                      static_cast<std::uint8_t>(ask.ask.rollback));
    domain::Events events;
    if (const auto* none = std::get_if<domain::NoWayBack>(&decision)) {
      events = domain::events_of(*none, update, ask.ask.device);
    } else if (const auto* skipped = std::get_if<domain::UpdateSkipped>(&decision)) {
      events = {{update, *skipped, ask.ask.device}};
    } else {
      events = {{update, std::move(event), ask.ask.device}};
    }
    std::vector<eventstore::Condition> conditions{
        {domain::stream_name(ask.ask.device), projections::to_store(ask.ask.device_position)}, gate_condition()};
    if (ask.ask.rollback == 0) {
      conditions.push_back({domain::stream_name(state_.firmware), projections::to_store(position())});
    } else if (ask.ask.back.stored) {
      conditions.push_back({domain::stream_name(ask.ask.back.firmware), projections::to_store(ask.ask.back.read_at)});
    }
    if (ask.ask.owner != domain::Caller{}) {  // a pause of theirs is not overtaken
      conditions.push_back({domain::stream_name(domain::UserStream{ask.ask.owner}), projections::to_store(ask.ask.owner_read_at)});
    }
    grants_.emplace(append_freely(std::move(events), std::move(conditions), meta), std::move(promise));
  }

  // Decision 10: nothing waits for a device that cannot go back, nor, behind the deadline, for any. The campaign looks through
  // those that it is to take back, a few at a time between other work; who can go back asks by itself.
  void look_for_no_way_back() {
    if (state_.status != domain::CampaignStatus::kRollback || looking_) return;
    search_.follow(state_, world_.now());
    if (search_.is_done()) return;
    std::size_t looked_at = 0;
    while (!search_.is_done() && looked_at++ < limits::kLooksAtOnce && grants_.size() < limits::kOutstanding && !in_turn()) {
      const auto ordinal = search_.take();
      if (state_.is_to_take_back(ordinal)) end_without_way_back({ordinal});
    }
    look_again();
  }

  bool is_too_late() const { return state_.rollback.give_up_at <= world_.now(); }
  void look_at(std::uint32_t ordinal) {
    search_.add(ordinal);
    if (!looking_) look_again();
  }
  void look_again() {
    looking_ = true;
    wake_later(std::chrono::milliseconds(1));
  }

  void end_without_way_back(domain::Ordinal ordinal) {
    const auto id = world_.views->device_of(ordinal);
    const auto device = id ? world_.views->device(*id) : std::nullopt;
    if (!device || device->ordinal != ordinal) return;
    AskGrant ask;
    const auto kind = static_cast<std::uint8_t>(state_.rollback.number);
    ask.ask = ask_for(*device, domain::UpdateId::in_campaign(state_.id, ordinal, kind), *world_.views, world_.settings);
    if (device->active() && !is_too_late()) return;  // it is decided when it asks
    ask.reply = std::make_shared<Reply<domain::Result<GrantOutcome>>>([](const domain::Result<GrantOutcome>&) {});
    const auto decision = domain::grant(state_, reserved_, ask.ask, world_.context({}));
    Meta meta;
    meta.causation = projections::to_store(position());
    if (std::holds_alternative<domain::NoWayBack>(decision)) carry_out(ask, decision, meta);
  }

  // What is on its way back to it, and does not install yet, is stopped; what waits ends when it asks (decision 2).
  void stop_going_back_to(domain::FirmwareId firmware) {
    if (state_.status != domain::CampaignStatus::kRollback) return;
    const auto kind = static_cast<std::uint8_t>(state_.rollback.number);
    for (const std::uint32_t ordinal : state_.rollback.granted) {
      const auto id = domain::UpdateId::in_campaign(state_.id, {ordinal}, kind);
      const auto update = world_.views->update(id);
      if (update && update->plan.firmware == firmware) tell(id, kStopsRecalled, update->device);
    }
  }

  void explain(const AskWhy& why) {
    if (!state_.exists) {
      (*why.reply)(domain::not_found("Campaign", domain::to_text(state_.id)));
      return;
    }
    auto ask = with_content(why.ask);
    if (state_.status == domain::CampaignStatus::kRollback) ask.rollback = state_.rollback.number;
    auto found = domain::gates(state_, reserved_, ask, world_.context({}));
    if (in_turn()) {  // its own words would be out of date in a moment
      found.push_back({domain::Gate::kRunning, false, "the campaign is being changed", {}});
    }
    (*why.reply)(std::move(found));
  }

  // Time alone may open or close the campaign.
  void ask_to_be_woken() {
    const auto at = domain::wakes_at(state_, world_.now());
    if (at == wakes_at_) return;
    wakes_at_ = at;
    world_.alarms.set(state_.id, at, caf::actor_cast<caf::actor>(this));
  }

  void send(const domain::Tell& due) {
    const std::uint32_t ordinal = due.update.ordinal.value;
    for (const auto& [ticket, o] : cancels_) {
      if (o == ordinal) return;
    }
    const auto ticket = next_ticket();
    cancels_.emplace(ticket, ordinal);
    Reply<Answer> reply([self = caf::actor_cast<caf::actor>(this), ticket](Answer answer) {
      caf::anon_send(self, Answered{ticket, std::make_shared<const Answer>(std::move(answer))});
    });
    OTA_FAULT("campaign.before_cancel");
    tell(due.update, due.command, world_.views->device_of({ordinal}), std::move(reply));
  }

  void publish() { offer_.publish(state_, reserved_, world_.now()); }

  domain::Campaign state_;
  domain::Reservations reserved_;
  std::unordered_map<std::uint64_t, Promise> grants_;
  std::unordered_map<std::uint64_t, std::uint32_t> cancels_;
  std::optional<domain::Time> wakes_at_;
  domain::Bitmap told_;
  domain::Bitmap outdated_;     // what they are being told is of an earlier state
  domain::Bitmap untellable_;   // could not take their cancel when last told
  CampaignOffer offer_;
  RollbackSearch search_;
  bool looking_ = false;                  // it goes on in a moment
  std::optional<domain::FirmwareId> firmware_;   // that is followed
};

}  // namespace

caf::actor spawn_campaign(caf::actor_system& system, World& world, domain::CampaignId id) {
  return system.spawn<CampaignActor>(std::ref(world), id);
}

}  // namespace ota::actors
