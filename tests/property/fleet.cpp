#include "tests/property/fleet.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "domain/window.hpp"
#include "tests/domain/samples.hpp"
#include "tests/property/generators.hpp"

namespace ota::domain::testing {
namespace {

constexpr std::uint32_t kStepsMax = 200'000;  // far beyond what any fleet of the tests needs
constexpr std::size_t kPromisesMax = 4;       // grants in flight
constexpr std::size_t kOutstandingMax = 8;    // cancels at once
constexpr int kReactionsMax = 100;            // one leads to the next, but not for ever
constexpr Caller kApprover{2};

}  // namespace

Fleet::Fleet(const FleetOptions& options) : options_(options), random_(options.seed), now_(kNow) {
  campaign_.id = kCampaign;
  Bitmap targets;
  for (std::uint32_t i = 0; i < options.devices; ++i) {
    Device device;
    device.id = {"device-" + std::to_string(i)};
    devices_.push_back(device);
    targets.add(i);
    Attributes attributes;
    if (i % 3 == 0) attributes["timezone"] = "Asia/Tokyo";
    if (i % 5 != 4) attributes["firmware_version"] = "1.0.0";
    if (i % 4 != 1) attributes["can_hold"] = "true";
    obey(devices_.back(),
         DeviceCommand(RegisterDevice{{i}, RegisteredVia::kImport, attributes, {}, {}}));
  }
  next_ordinal_ = options.devices;
  auto record = with_canary(created(targets, options.policy));
  record.content_pending = options.content_pending;
  obey(campaign_, CampaignCommand(CreateCampaign{kCampaign, record, {}}));
  if (options.policy.requires_approval) {
    check(!obey(campaign_, CampaignCommand(StartCampaign{})), "started without its approval");
    obey(campaign_, CampaignCommand(ApproveCampaign{true, "go", ""}), kApprover);
  }
  check(obey(campaign_, CampaignCommand(StartCampaign{})), "not started");
  react();
}

void Fleet::run() {
  for (std::uint32_t step = 0; !campaign_.closed || !campaign_.untold.isEmpty(); ++step) {
    check(step < kStepsMax, "the campaign does not come to its end");
    if (!devices_.empty())
      turn_of_device(number(0, static_cast<std::uint32_t>(devices_.size()) - 1));
    if (percent(3)) turn_of_operator();
    if (percent(3)) look_after();
    write_promises(number(0, 2));
    let_time_pass();
    if (options_.prompt) react();
    deadlines();
    give_up();
    react();
    react_of_devices();
    // Even what has ended may be rolled back, and again.
    if (campaign_.closed && options_.rollbacks && rollbacks_begun_ < 3 && percent(50)) {
      obey(campaign_, CampaignCommand(RollbackCampaign{"on second thoughts"}));
    }
  }
  write_promises(promises_.size());
  check_end();
}

// ---- the log ------------------------------------------------------------------------------------

// A campaign's own events come behind the grants that it has sent before.
void Fleet::commit(const Events& events, Caller caller) {
  if (!events.empty() && events.front().stream == own_stream()) write_promises(promises_.size());
  for (const auto& emitted : events) {
    check_before(emitted);
    position_.value += 1;
    deliver({position_, now_, emitted.stream, emitted.event, emitted.device, caller}, tags_of(emitted));
  }
  check_campaign();
  if (options_.prompt && !reacting_ && campaign_.exists) react();
}

void Fleet::deliver(const Recorded& event, const std::vector<std::string>& tags) {
  const auto followed = [&](const std::string& name) {
    return stream_name(event.stream) == name ||
           std::find(tags.begin(), tags.end(), name) != tags.end();
  };
  if (followed(gate_tag(campaign_.id)) || followed(stream_name(kFirmware))) ++gate_moves_;
  if (followed(stream_name(campaign_.id)) || followed(stream_name(kFirmware)) ||
      followed(fleet_tag())) {
    keep_book(event);
    evolve(campaign_, event);
    followed_.push_back(event);
    const auto* id = std::get_if<UpdateId>(&event.stream);
    const bool over = std::holds_alternative<AttemptEnded>(event.event) ||
                      std::holds_alternative<GrantLapsed>(event.event);
    if (id && over) told_.remove(id->ordinal.value);
    if (!id && !followed(fleet_tag())) told_ = {};
  }
  for (auto& device : devices_) {
    if (followed(stream_name(device.id))) evolve(device, event, settings_);
  }
  if (const auto* id = std::get_if<UpdateId>(&event.stream)) {
    auto& update = updates_[*id];
    update.id = *id;
    const auto before = update;
    evolve(update, event);
    check_progress(before, update);
    check_edge(before, update, event.event);
  }
}

// Decides and writes; false if the command was refused.
template <class State, class Command>
bool Fleet::obey(const State& state, const Command& command, Caller caller) {
  const auto decision = decide(state, command, context(caller));
  if (decision) commit(decision.value(), caller);
  return decision.ok();
}

// Up to `most` promised grants reach the log, in order; one whose device or gate has moved is
// refused by the journal.
void Fleet::write_promises(std::size_t most) {
  for (; most > 0 && !promises_.empty(); --most) {
    const auto promise = std::move(promises_.front());
    promises_.pop_front();
    reserved_.ordinals.remove(promise.ordinal.value);
    reserved_.asked.remove(promise.ordinal.value);
    if (promise.first_in_batch) --reserved_.in_batch;
    const auto& device = devices_[promise.device];
    if (device.position == promise.device_position && gate_moves_ == promise.gate_moves)
      commit(promise.events);
  }
}

// What follows from the campaign's state, until nothing is due.
void Fleet::react() {
  const bool was_reacting = std::exchange(reacting_, true);
  for (int reactions = 0;; ++reactions) {
    check(reactions < kReactionsMax, "the campaign's reactions do not come to their end");
    const auto due = next(campaign_, told_, kOutstandingMax, now_);
    if (due.own.empty() && due.tells.empty()) break;
    if (!due.own.empty()) {
      write_promises(promises_.size());
      commit(next(campaign_, told_, 0, now_).own);
    }
    for (const auto& tell : due.tells) {
      auto& update = updates_[tell.update];
      update.id = tell.update;
      check(obey(DeviceUpdate(update), tell.command), "a reaction of the campaign is refused");
      told_.add(tell.update.ordinal.value);
    }
  }
  reacting_ = was_reacting;
}

// ---- who does things ----------------------------------------------------------------------------

void Fleet::turn_of_device(std::size_t index) {
  const Device& device = devices_[index];
  if (device.deleted) {
    if (percent(5))
      obey(Device(device), DeviceCommand(RegisterDevice{{next_ordinal_++}, RegisteredVia::kApi, {}, {}, {}}));
    return;
  }
  if (const auto* active = device.active()) {
    if (active->second.awaits_version && percent(40)) {
      speak(index);
    } else {
      act_on(updates_.at(active->first));
    }
    return;
  }
  if (percent(10)) speak(index);
  if (const auto* asked = device.awaits_consent(); asked && percent(50)) {
    const DeviceUpdate update = updates_.at(asked->first);
    obey(update, UpdateCommand(AnswerConsent{asked->second.consent_asked, options_.all_well || percent(80), {}}));
    return;
  }
  if (options_.directs && percent(10)) {
    RequestUpdate request{UpdateId::direct(bytes_16(0)), device.id, plan()};
    request.id.base[0] = static_cast<std::uint8_t>(next_direct_ >> 8);
    request.id.base[1] = static_cast<std::uint8_t>(next_direct_++);
    request.plan.firmware = kOtherFirmware;
    request.plan.to_version = "1.0.0";
    request.plan.force_update = true;
    obey(device, DeviceCommand(request));
  }
  const auto direct = decide(device, DeviceCommand(GrantDirect{settings_.poll_sleep}), context());
  if (!direct.value().empty() && percent(50)) {
    commit(direct.value());
  } else {
    ask_campaign(index);
  }
}

// The update that a device may be granted in this campaign now: to the firmware, or back from it.
UpdateId Fleet::present_id(Ordinal ordinal) const {
  const bool backwards = campaign_.status == CampaignStatus::kRollback;
  const auto kind = static_cast<std::uint8_t>(backwards ? campaign_.rollback.number : 0);
  return UpdateId::in_campaign(campaign_.id, ordinal, kind);
}

bool Fleet::is_hopeful(std::uint32_t o, bool was_asked) const {
  const auto space = room(campaign_, reserved_, now_);
  if (reserved_.contains(o) || !(space.for_first_attempts || (space.for_consent && !was_asked))) return false;
  if (campaign_.status == CampaignStatus::kRollback) {
    return campaign_.is_to_take_back(o) && !campaign_.rollback.retries.contains(o);
  }
  return campaign_.is_remaining(o) && !campaign_.retries.contains(o);
}

// Of every seventh device the version before is not stored any more.
WayBack Fleet::way_back(std::uint32_t ordinal, const std::string& version) const {
  WayBack back;
  back.version = version;
  back.stored = !version.empty() && ordinal % 7 != 0;
  back.firmware = kOtherFirmware;
  back.facts.version = version;
  back.facts.device_model = "SF-100";
  return back;
}

GrantAsk Fleet::ask_of(const Device& device, const UpdateId& id) const {
  GrantAsk ask;
  ask.device = device.id;
  ask.ordinal = device.ordinal;
  ask.facts = facts_of(device);
  ask.device_position = device.position;
  ask.action = next_action(device.last_action, settings_.first_action);
  ask.rollback = id.kind;
  ask.poll_sleep = settings_.poll_sleep;
  if (const auto known = device.updates.find(id); known != device.updates.end()) {
    const auto& u = known->second;
    ask.attempts = u.attempt;
    ask.batch = u.batch;
    ask.consented = u.consented;
    ask.consent_asked = u.consent_asked > 0;
    if (u.consented && u.consent_asked == u.attempt + 1) ask.action = u.action;
  }
  const auto deployment = updates_.find(UpdateId::in_campaign(campaign_.id, device.ordinal));
  if (id.kind != UpdateId::kDeployment && deployment != updates_.end()) {
    ask.back = way_back(device.ordinal.value, deployment->second.plan.from_version);
  }
  return ask;
}

// As the poll path does it: only where a retry is due or an offer with room names the device.
bool Fleet::ask_campaign(std::size_t index, bool gives_up) {
  const Device& device = devices_[index];
  const auto id = present_id(device.ordinal);
  const auto known = device.updates.find(id);
  const bool retry_due = known != device.updates.end() &&
                         known->second.status == UpdateStatus::kScheduled &&
                         known->second.next_retry_at && *known->second.next_retry_at <= now_;
  const bool was_asked = known != device.updates.end() && known->second.consent_asked > 0;
  if (!retry_due && !gives_up && !is_hopeful(device.ordinal.value, was_asked)) return false;
  const auto ask = ask_of(device, id);
  const auto decision = grant(campaign_, reserved_, ask, context());
  check_gates(ask, decision);
  if (std::holds_alternative<Wait>(decision) || promises_.size() >= kPromisesMax) return false;
  if (const auto& window = campaign_.policy.maintenance_window;
      window && id.kind == UpdateId::kDeployment && std::holds_alternative<AttemptGranted>(decision)) {
    check(is_open(*window, ask.facts.timezone, now_), "granted though the window is closed");
  }
  Promise promise{{}, index, device.ordinal, device.position, gate_moves_, false};
  if (const auto* granted = std::get_if<AttemptGranted>(&decision)) {
    promise.first_in_batch = !granted->retry && granted->batch == campaign_.batch;
    promise.events = {{id, *granted, device.id}};
  } else if (const auto* asked = std::get_if<ConsentAsked>(&decision)) {
    promise.events = {{id, *asked, device.id}};
  } else if (const auto* none = std::get_if<NoWayBack>(&decision)) {
    promise.events = events_of(*none, id, device.id);
  } else {
    promise.events = {{id, std::get<UpdateSkipped>(decision), device.id}};
  }
  const bool asks = std::holds_alternative<ConsentAsked>(decision);
  (asks ? reserved_.asked : reserved_.ordinals).add(device.ordinal.value);
  if (promise.first_in_batch) ++reserved_.in_batch;
  promises_.push_back(std::move(promise));
  if (options_.prompt) write_promises(promises_.size());
  return true;
}

// What a device says of itself: its version, mostly the right one, and now and then bad health.
void Fleet::speak(std::size_t index) {
  const Device device = devices_[index];
  ChangeAttributes said;
  said.by_device = true;
  const bool wrong = !options_.all_well && percent(10);
  if (!options_.all_well && percent(10)) {
    said.values["health"] = percent(30) ? "failed" : "ok";
  } else if (const auto* active = device.active(); active && active->second.awaits_version) {
    said.values["firmware_version"] = wrong && percent(70) ? "0.5.0" : active->second.plan.to_version;
  } else {
    said.values["firmware_version"] = wrong && percent(30) ? "0.5.0" : device.version;
  }
  obey(device, DeviceCommand(said));
}

// What device actors do by themselves, after every event.
void Fleet::react_of_devices() {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const Device device = devices_[i];
    const auto* active = device.active();
    if (active && active->second.plan.require_version_proof && device.version == active->second.plan.to_version) {
      obey(DeviceUpdate(updates_.at(active->first)), UpdateCommand(ConfirmVersion{active->second.attempt}));
    }
    if (device.return_due && !device.deleted) take_back(device);
    if (device.deleted && !device.updates.empty()) obey(Device(devices_[i]), DeviceCommand(DeleteDevice{"scrapped"}));
  }
}

void Fleet::take_back(const Device& device) {
  const auto& due = *device.return_due;
  const auto back = way_back(device.ordinal.value, due.to_version);
  RequestRollback request;
  request.id = UpdateId::direct(bytes_16(0));
  request.id.base[0] = static_cast<std::uint8_t>(next_direct_ >> 8);
  request.id.base[1] = static_cast<std::uint8_t>(next_direct_++);
  request.plan.firmware = back.firmware;
  request.plan.to_version = back.version;
  request.plan.priority = Priority::kCritical;
  request.plan.force_update = true;
  request.plan.rollback = RollbackOf{due.trigger, due.fact, due.undoes, due.undone_version};
  std::tie(request.error_code, request.error_message) = why_not_back(back);
  check(obey(Device(device), DeviceCommand(request)), "what is due is refused");
  const auto now = std::find_if(devices_.begin(), devices_.end(), [&](const auto& d) { return d.id == device.id; });
  check(!now->return_due, "what was due is still due");
}

// A device with an attempt does one thing, or nothing.
void Fleet::act_on(DeviceUpdate& update) {
  if (percent(options_.silent_percent)) return;
  const DeviceUpdate u = update;
  if (u.held && percent(90)) return;  // it does as it is told, mostly
  if (u.cancel && percent(50)) {
    obey(u, UpdateCommand(AnswerCancel{u.attempt, percent(60), {}}));
    return;
  }
  if (!u.started_at && percent(70)) {
    obey(u, UpdateCommand(StartAttempt{u.attempt}));
    return;
  }
  if (percent(60)) {
    Report report;
    report.attempt = percent(90) ? u.attempt : u.attempt - 1;
    if (percent(70)) report.phase = static_cast<UpdateStatus>(number(3, 7));
    report.phase_basis_points = number(0, 10'000);
    obey(u, UpdateCommand(report));
    return;
  }
  report_end(u);
}

void Fleet::report_end(const DeviceUpdate& update) {
  Report report;
  report.attempt = update.attempt;
  report.kind = Report::Kind::kSuccess;
  if (percent(options_.failing_percent)) {
    report.kind = percent(10) ? Report::Kind::kDeclined : Report::Kind::kFailure;
    if (percent(options_.transport_percent)) report.failure = FailureKind::kTransport;
  }
  if (percent(50)) {
    report.runs = std::find_if(devices_.begin(), devices_.end(), [&](const auto& d) { return d.id == update.device; })->version;
  }
  obey(update, UpdateCommand(report));
  if (percent(20))
    obey(DeviceUpdate(updates_.at(update.id)), UpdateCommand(report));  // the answer was lost
}

void Fleet::turn_of_operator() {
  const auto any = [&] { return number(0, options_.devices == 0 ? 0 : options_.devices - 1); };
  if (options_.deletions && percent(30) && options_.devices > 0) {
    obey(Device(devices_[any()]), DeviceCommand(DeleteDevice{"scrapped"}));
    return;
  }
  if (!options_.operators) return;
  switch (number(0, 12)) {
    case 12:
      if (options_.rollbacks && percent(10)) obey(campaign_, CampaignCommand(RollbackCampaign{"bad"}));
      return;
    case 0:
      obey(campaign_, CampaignCommand(PauseCampaign{"lunch"}));
      return;
    case 1:
    case 2:
    case 3:
      obey(campaign_, CampaignCommand(ResumeCampaign{}));
      return;
    case 4:
      if (percent(10)) obey(campaign_, CampaignCommand(CancelCampaign{"no"}));
      return;
    case 5:
      if (percent(15)) obey(campaign_, CampaignCommand(FinishCampaign{"enough"}));
      return;
    case 6:
      if (percent(30)) obey(campaign_, CampaignCommand(PromoteCampaign{"now"}));
      return;
    default:
      break;
  }
  if (options_.devices == 0) return;
  const Device device = devices_[any()];
  const auto id = UpdateId::in_campaign(campaign_.id, device.ordinal);
  auto& update = updates_[id];
  update.id = id;
  if (!update.exists) update.device = device.id;
  if (percent(50)) {
    obey(DeviceUpdate(update),
         UpdateCommand(CancelUpdate{CancelCause::kOperator, CancelUpdate::Reach::kAny}));
  } else if (campaign_.targets.contains(id.ordinal.value)) {
    const bool open = !campaign_.finished && (campaign_.status == CampaignStatus::kInProgress ||
                                              campaign_.status == CampaignStatus::kPaused);
    RetryUpdate retry{open ? "" : "over", device.deleted};
    retry.plan = update.plan;
    retry.plan->max_retries = campaign_.policy.max_retries;
    obey(DeviceUpdate(update), UpdateCommand(retry));
  }
}

// The bytes come, the firmware turns out to be bad, and somebody sees to a campaign that stands.
void Fleet::look_after() {
  if (campaign_.content_pending && percent(50)) {
    commit({{kFirmware, FirmwareContentStored{}, std::nullopt}});
  }
  if (options_.recalls && !campaign_.firmware_recalled && percent(10)) {
    commit({{kFirmware, FirmwareRecalled{"bad"}, std::nullopt}});
    return;
  }
  const bool waits_for_good = campaign_.firmware_recalled && !campaign_.takes_nobody();
  if (waits_for_good && percent(30)) {
    check(!obey(campaign_, CampaignCommand(ResumeCampaign{})) ||
              campaign_.status != CampaignStatus::kInProgress,
          "resumed with recalled firmware");
    if (percent(50) && obey(campaign_, CampaignCommand(FinishCampaign{"recalled"}))) return;
    obey(campaign_, CampaignCommand(CancelCampaign{"recalled"}));
    return;
  }
  const bool waits_for_switch = campaign_.policy.strategy == Strategy::kBlueGreen && !campaign_.switched;
  if (waits_for_switch && percent(20)) obey(campaign_, CampaignCommand(SwitchCampaign{"time to go"}));
  const bool by_itself =
      campaign_.status == CampaignStatus::kPaused && campaign_.pause_cause != PauseCause::kOperator;
  if (!by_itself || campaign_.firmware_recalled) return;
  if (campaign_.in_canary() && percent(50)) {
    obey(campaign_, CampaignCommand(PromoteCampaign{"good enough"}));
  } else {
    obey(campaign_, CampaignCommand(ResumeCampaign{}));
  }
}

// Behind its deadline a rollback waits for nobody: what the campaign's actor does with whoever was not seen.
void Fleet::give_up() {
  if (campaign_.status != CampaignStatus::kRollback || campaign_.rollback.give_up_at > now_) return;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const auto o = devices_[i].ordinal.value;
    const bool waits = campaign_.is_to_take_back(o) && !campaign_.rollback.retries.contains(o);
    if (waits && !reserved_.contains(o)) ask_campaign(i, true);
  }
}

void Fleet::deadlines() {
  std::vector<std::pair<UpdateId, DeadlineReached>> due;
  for (const auto& [id, u] : updates_) {
    if (u.start_by && *u.start_by <= now_)
      due.push_back({id, {UpdateDeadline::kStartBy, u.attempt}});
    if (u.timeout_at && *u.timeout_at <= now_)
      due.push_back({id, {UpdateDeadline::kTimeout, u.attempt}});
    if (u.cancel && u.cancel->give_up_at <= now_)
      due.push_back({id, {UpdateDeadline::kCancelGiveUp, u.attempt}});
  }
  for (const auto& [id, deadline] : due)
    obey(DeviceUpdate(updates_.at(id)), UpdateCommand(deadline));
}

// Mostly a little; sometimes so much that whatever waits for time is due.
void Fleet::let_time_pass() {
  const auto before = now_;
  const bool idle = next(campaign_, told_, 0, before).own.empty();
  const auto wakes = wakes_at(campaign_, before);
  const bool had_room = room(campaign_, reserved_, before).for_retries;
  now_ += options_.leaps && percent(2) ? Duration(minutes(70)) : Duration(seconds(number(1, 60)));
  check(!wakes || *wakes > before, "to be woken in the past");
  const bool due = idle && !next(campaign_, told_, 0, now_).own.empty();
  const bool opened = room(campaign_, reserved_, now_).for_retries != had_room;
  check(!(due || opened) || (wakes && *wakes <= now_), "time changed something unforeseen");
}

std::uint32_t Fleet::number(std::uint32_t from, std::uint32_t to) {
  return from + static_cast<std::uint32_t>(random_()) % (to - from + 1);
}

}  // namespace ota::domain::testing
