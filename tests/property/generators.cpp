#include "tests/property/generators.hpp"

#include <algorithm>
#include <string>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "tests/domain/samples.hpp"

namespace ota::domain {

void showValue(const Event& event, std::ostream& out) {
  out << event_name(event_type(event)) << ' ' << to_json_text(event);
}

void showValue(const UpdateId& id, std::ostream& out) { out << to_text(id); }

void showValue(const Report& r, std::ostream& out) {
  static const char* const kKinds[] = {"progress", "note", "success", "failure", "declined"};
  out << "report " << kKinds[static_cast<int>(r.kind)] << " of attempt " << r.attempt;
  if (r.phase) out << " in " << to_text(*r.phase);
  if (r.phase_basis_points) out << " at " << *r.phase_basis_points;
  for (const auto& line : r.details) out << " '" << line << '\'';
}

void showValue(const UpdateCommand& command, std::ostream& out) {
  struct Show {
    std::ostream& out;
    void operator()(const StartAttempt& c) { out << "start attempt " << c.attempt; }
    void operator()(const Report& c) { showValue(c, out); }
    void operator()(const CancelUpdate& c) { out << "cancel, reach " << static_cast<int>(c.reach); }
    void operator()(const AnswerCancel& c) {
      out << (c.accepted ? "agree" : "refuse") << " to stop attempt " << c.attempt;
    }
    void operator()(const DeadlineReached& c) {
      out << "deadline " << static_cast<int>(c.deadline) << " of attempt " << c.attempt;
    }
    void operator()(const NoteArtifactRequest& c) { out << "bytes asked for in attempt " << c.attempt; }
    void operator()(const ConfirmVersion& c) { out << "version seen in attempt " << c.attempt; }
    void operator()(const ReleaseHold&) { out << "release"; }
    void operator()(const AnswerConsent& c) {
      out << (c.agreed ? "consent to" : "decline") << " attempt " << c.attempt;
    }
    void operator()(const RetryUpdate& c) {
      out << "retry, campaign " << (c.closed_campaign.empty() ? "open" : c.closed_campaign);
    }
  };
  std::visit(Show{out}, command);
}

}  // namespace ota::domain

namespace ota::domain::testing {
namespace {

// [from, to]
std::uint32_t number(std::uint32_t from, std::uint32_t to) {
  return *rc::gen::inRange<std::uint32_t>(from, to + 1);
}
bool coin() { return *rc::gen::arbitrary<bool>(); }
bool one_in(std::uint32_t n) { return number(1, n) == n; }

template <class E>
E value_up_to(E last) {
  return static_cast<E>(number(1, static_cast<std::uint32_t>(last)));
}

std::vector<std::string> lines() {
  static const std::vector<std::string> kLines = {"flashing", "slot B", "", "42 %"};
  std::vector<std::string> some;
  for (std::uint32_t n = number(0, 2); n > 0; --n) some.push_back(kLines[number(0, 3)]);
  return some;
}

Attributes attributes() {
  static const std::vector<std::string> kKeys = {"device_model", "firmware_version",
                                                 "hardware_version", "site", "name"};
  static const std::vector<std::string> kValues = {"SF-100", "2.0.0", "2.1.0", "2.2.0", "1.2"};
  Attributes some;
  for (std::uint32_t n = number(0, 3); n > 0; --n)
    some[kKeys[number(0, 4)]] = kValues[number(0, 4)];
  return some;
}

UpdatePlan any_plan() {
  UpdatePlan p = plan();
  p.firmware = coin() ? kFirmware : kOtherFirmware;
  p.priority = value_up_to(Priority::kEmergency);
  p.max_retries = number(0, 3);
  p.timeout_minutes = number(5, 60);
  p.force_update = one_in(4);
  p.download_only = one_in(6);
  p.require_version_proof = one_in(6);
  p.rollback_on_timeout = one_in(4);
  p.health_window_minutes = one_in(4) ? number(1, 60) : 0;
  if (one_in(4)) {
    p.rollback = RollbackOf{value_up_to(RollbackTrigger::kErrorThreshold), "bad", {}, coin() ? "2.1.0" : "2.2.0"};
    if (coin()) p.rollback->undoes = kUpdate;
  }
  return p;
}

AttemptEnded any_end() {
  AttemptEnded e;
  e.attempt = number(0, 3);
  e.success = coin();
  e.kind = value_up_to(FailureKind::kTimeout);
  e.error_code = "flash";
  e.batch = number(0, 2);
  e.retry = coin();
  e.retry_count = number(0, 3);
  e.spared_retries = number(0, 20);
  if (coin()) e.retry_at = *any_time();
  e.takes_back = one_in(6);
  e.without_download = one_in(6);
  return e;
}

ProgressReported any_progress() {
  ProgressReported p;
  p.attempt = number(0, 3);
  p.phase = static_cast<UpdateStatus>(number(0, 12));
  p.phase_basis_points = number(0, 20'000);
  p.details = lines();
  p.artifact_requested = one_in(4);
  return p;
}

}  // namespace

rc::Gen<Time> any_time() {
  return rc::gen::map(rc::gen::inRange(0, 600),
                      [](int minute) { return kBefore + minutes(minute); });
}

rc::Gen<UpdateId> any_update_id() {
  return rc::gen::exec([] {
    if (one_in(6)) return kDirect;
    const auto kind = static_cast<std::uint8_t>(one_in(8) ? 1 : 0);
    return UpdateId::in_campaign(kCampaign, {number(0, 7)}, kind);
  });
}

rc::Gen<Event> any_update_event() {
  return rc::gen::exec([]() -> Event {
    const std::uint32_t attempt = number(0, 3);
    const std::uint32_t batch = number(0, 2);
    switch (number(0, 17)) {
      case 0:
        return UpdateRequested{any_plan()};
      case 1: {
        AttemptGranted g{attempt, {number(1, 50)}, batch, coin(), *any_time(), {}};
        if (coin()) g.plan = any_plan();
        g.hold = one_in(3);
        return g;
      }
      case 2:
        return AttemptStarted{attempt, *any_time(), one_in(3), one_in(5), coin()};
      case 3:
        return any_progress();
      case 4:
        return LateReportRecorded{attempt, UpdateStatus::kInstalling, {}, lines()};
      case 5:
      case 6:
        return any_end();
      case 7:
        return GrantLapsed{attempt, batch, coin()};
      case 8:
        return UpdateSkipped{static_cast<SkipReason>(number(0, 4)), "fact"};
      case 9:
        return CancelRequested{value_up_to(CancelCause::kNotSeen), *any_time()};
      case 10:
        return CancelRefused{lines()};
      case 11:
        return UpdateCancelled{value_up_to(CancelCause::kNotSeen), attempt, batch, coin()};
      case 12: {
        ConsentAsked c{attempt, {number(1, 50)}, {}};
        if (coin()) c.plan = any_plan();
        return c;
      }
      case 13:
        return ConsentGiven{attempt, lines()};
      case 14:
        return UpdateHeld{attempt, batch, coin()};
      case 15:
        return UpdateRefuted{coin() ? RefutedBy::kVersion : RefutedBy::kHealth, "fact", batch, coin(), coin()};
      case 16:
        return UpdateUndone{*any_update_id()};
      default: {
        RetryAsked r{number(0, 3), attempt, {}};
        if (coin()) r.plan = any_plan();
        return r;
      }
    }
  });
}

rc::Gen<Event> any_device_event() {
  return rc::gen::exec([]() -> Event {
    switch (number(0, 6)) {
      case 0:
        return DeviceRegistered{{number(0, 7)}, RegisteredVia::kPoll, attributes(), {}};
      case 1:
        return DeviceAttributesChanged{attributes(), {"site"}, coin(), coin(), {"beta"}};
      case 2:
        return DeviceDeleted{"gone", {number(0, 7)}};
      case 3:
        return AutoConfirmChanged{coin(), "ada", "night shift"};
      case 4: {
        DeviceTokenRotated rotated{number(0, 9), {}};
        if (coin()) rotated.previous_until = *any_time();
        return rotated;
      }
      case 5:
        return DevicePushChanged{coin()};
      default:
        return DeviceReturned{{number(0, 7)}, RegisteredVia::kApi};
    }
  });
}

rc::Gen<Event> any_firmware_event() {
  return rc::gen::exec([]() -> Event {
    switch (number(0, 6)) {
      case 0:
        return FirmwareRecalled{"bad"};
      case 3:
        return FirmwareContentFailed{"not found"};
      case 4:
        return FirmwareSourceChanged{"https://files.example/f.bin", coin()};
      case 1:
        return FirmwareDeprecated{"old"};
      case 2:
        return FirmwareRestored{"needed"};
      default:
        return FirmwareContentStored{};
    }
  });
}

rc::Gen<Event> any_user_event() {
  return rc::gen::exec([]() -> Event {
    if (one_in(4)) return SubjectErased{{7}};
    UserPreferencesChanged e{coin(), {}};
    if (coin()) e.paused_until = *any_time();
    return e;
  });
}

rc::Gen<Event> any_campaign_event() {
  return rc::gen::exec([]() -> Event {
    switch (number(0, 15)) {
      case 0:
        return CampaignStarted{};
      case 1:
        return CampaignPaused{"lunch", value_up_to(PauseCause::kOwnFaults), {}};
      case 2:
        return CampaignResumed{};
      case 3:
        return CampaignCancelled{"no"};
      case 4:
        return CampaignAborted{};
      case 5:
        return CampaignClosed{static_cast<CampaignStatus>(number(6, 8)), {}};
      case 6:
        return CampaignTargetPart{0, to_bytes(set_of({number(0, 9)}))};
      case 7:
        return UnknownEvent{29};
      case 8:
        return CampaignApproved{coin(), "well", ""};
      case 9:
        return CampaignScheduled{*any_time()};
      case 10:
        return CampaignFinished{"enough", coin()};
      case 11:
        return CanaryPromoted{{}, coin(), ""};
      case 12:
        return CanaryToppedUp{number(0, 5), *rc::gen::arbitrary<std::uint64_t>()};
      case 13: {
        CampaignRollbackBegun e;
        e.number = number(1, 3);
        e.trigger = value_up_to(RollbackTrigger::kErrorThreshold);
        e.reason = "bad";
        e.give_up_at = *any_time();
        return e;
      }
      case 14:
        return CampaignSwitched{coin(), "now"};
      default:
        return BatchOpened{number(0, 3)};
    }
  });
}

rc::Gen<CampaignPolicy> any_policy() {
  return rc::gen::exec([] {
    CampaignPolicy p;
    p.strategy = value_up_to(Strategy::kBlueGreen);
    p.max_concurrent_updates = number(1, 8);
    p.batch_size = number(1, 6);
    p.batch_settle_percent = number(1, 100);
    p.timeout_minutes = number(5, 60);
    p.auto_rollback = coin();
    p.failure_threshold_percent = number(1, 100);
    p.min_finished_for_verdict = number(1, 20);
    p.max_retries = number(0, 3);
    p.force_update = one_in(4);
    p.rollback_triggers.clear();
    for (const auto trigger : {RollbackTrigger::kFailureRate, RollbackTrigger::kHealthCheck, RollbackTrigger::kTimeout,
                               RollbackTrigger::kErrorThreshold}) {
      if (coin()) p.rollback_triggers.push_back(trigger);
    }
    p.error_threshold_count = number(1, 4);
    p.requires_device_confirmation = one_in(6);
    if (p.strategy == Strategy::kBlueGreen && one_in(3)) p.switch_at = *any_time();
    if (one_in(4)) p.scheduled_start = *any_time();
    if (one_in(4)) p.scheduled_end = *any_time();
    if (one_in(4)) {
      const auto start = number(0, 1'439);
      const auto length = number(300, 1'380);  // long, so that most rollouts pass through one
      static const char* const kZones[] = {"UTC", "device", "Europe/Amsterdam", "nowhere"};
      p.maintenance_window = MaintenanceWindow{static_cast<std::uint16_t>(start),
                                               static_cast<std::uint16_t>((start + length) % 1'440),
                                               kZones[number(0, 3)]};
    }
    if (one_in(3)) {
      p.canary_p0_basis_points = number(100, 1'000);
      p.canary_p1_basis_points = number(5'100, 9'900);
    }
    return p;
  });
}

CampaignCreated with_canary(CampaignCreated record) {
  const auto& p = record.policy;
  const auto targets = bitmap_from_bytes(record.targets);
  if (p.strategy != Strategy::kCanary || record.picked == 0) return record;
  record.canary = evidence_table(p.failure_threshold_percent, p.canary_p0_basis_points,
                                 p.canary_p1_basis_points, record.picked);
  record.canary_cutoff = canary_cutoff(kCampaign, targets, *record.canary);
  return record;
}

rc::Gen<Report> any_report(std::uint32_t attempt_max) {
  return rc::gen::exec([attempt_max] {
    using enum UpdateStatus;
    static const UpdateStatus kPhases[] = {kInProgress, kDownloading, kVerifying, kInstalling,
                                           kRebooting};
    Report r;
    r.attempt = number(0, attempt_max);
    r.kind = static_cast<Report::Kind>(std::max<int>(0, static_cast<int>(number(0, 8)) - 4));
    if (coin()) r.phase = kPhases[number(0, 4)];
    if (coin()) r.phase_basis_points = number(0, 12'000);
    r.failure = value_up_to(FailureKind::kTimeout);
    r.details = lines();
    if (one_in(4)) r.signature_verified = coin();
    if (one_in(4)) r.checksum_verified = coin();
    return r;
  });
}

rc::Gen<UpdateCommand> any_update_command(std::uint32_t attempt_max) {
  return rc::gen::exec([attempt_max]() -> UpdateCommand {
    const std::uint32_t attempt = number(0, attempt_max);
    switch (number(0, 13)) {
      case 13:
        return NoteArtifactRequest{attempt};
      case 10:
        return ConfirmVersion{attempt};
      case 11:
        return ReleaseHold{};
      case 12:
        return AnswerConsent{attempt, coin(), lines()};
      case 0:
        return StartAttempt{attempt, coin()};
      case 1:
        return CancelUpdate{value_up_to(CancelCause::kNotSeen),
                            static_cast<CancelUpdate::Reach>(number(0, 2))};
      case 2:
        return AnswerCancel{attempt, coin(), lines()};
      case 3:
      case 4:
        return DeadlineReached{value_up_to(UpdateDeadline::kCancelGiveUp), attempt};
      case 5:
        return RetryUpdate{one_in(4) ? "completed" : "", one_in(8)};
      default:
        return *any_report(attempt_max);
    }
  });
}

rc::Gen<DeviceCommand> any_device_command() {
  return rc::gen::exec([]() -> DeviceCommand {
    switch (number(0, 12)) {
      case 10:
        return SetAutoConfirm{coin(), coin() ? "ada" : "", "remark"};
      case 11:
        return RotateToken{number(0, 2), minutes(number(0, 5))};
      case 12:
        return SetPush{coin()};
      case 0:
      case 1:
        return RegisterDevice{{number(0, 99)}, value_up_to(RegisteredVia::kMqtt), attributes(), {}, {number(0, 2)},
                              coin() ? std::optional(attributes()) : std::nullopt};
      case 2: {
        ChangeAttributes c;
        c.mode = static_cast<ChangeAttributes::Mode>(number(0, 2));
        c.values = attributes();
        for (const auto* key : {"site", "name"}) {
          if (coin() && !c.values.contains(key)) c.removed.push_back(key);
        }
        if (one_in(3)) c.groups = lines();
        if (one_in(4)) c.owner = Caller{number(0, 2)};
        if (one_in(4)) c.values["health"] = coin() ? "failed" : "ok";
        c.by_device = coin();
        return c;
      }
      case 3:
        if (one_in(3)) return DeleteDevice{"gone"};
        [[fallthrough]];
      case 4: {
        const auto id = UpdateId::direct(bytes_16(static_cast<std::uint8_t>(number(0, 3))));
        auto plan = any_plan();
        plan.rollback.reset();
        return RequestUpdate{id, kDevice, plan};
      }
      case 5:
      case 6: {
        RequestRollback r{UpdateId::direct(bytes_16(static_cast<std::uint8_t>(number(4, 6)))), any_plan(), {}, "", ""};
        r.plan.rollback = RollbackOf{value_up_to(RollbackTrigger::kErrorThreshold), one_in(4) ? "" : "bad", {}, "2.1.0"};
        if (coin()) r.versions = {"2.0.0", "2.1.0"};
        if (one_in(3)) r.error_code = "previous_version_unknown";
        return r;
      }
      default: {
        GrantDirect ask{minutes(number(0, 30)), {}};
        if (one_in(4)) ask.owner_pauses_until = *any_time();
        return ask;
      }
    }
  });
}

rc::Gen<CampaignCommand> any_campaign_command() {
  return rc::gen::exec([]() -> CampaignCommand {
    switch (number(0, 11)) {
      case 0: {
        auto p = *any_policy();
        p.requires_approval = one_in(4);
        return CreateCampaign{kCampaign, with_canary(created({1, 2, 3}, p)), {}};
      }
      case 1:
      case 2:
        return StartCampaign{};
      case 3:
        return PauseCampaign{"lunch"};
      case 4:
      case 5:
        return ResumeCampaign{};
      case 6:
        return ApproveCampaign{coin(), coin() ? "well" : "", ""};
      case 7:
        return PromoteCampaign{"now"};
      case 8:
        return FinishCampaign{"enough"};
      case 9:
        return RollbackCampaign{one_in(4) ? "" : "bad"};
      case 10:
        return SwitchCampaign{"now"};
      default:
        return CancelCampaign{"no"};
    }
  });
}

rc::Gen<FirmwareCommand> any_firmware_command() {
  return rc::gen::exec([]() -> FirmwareCommand {
    auto record = firmware_record();
    record.sha256[0] = coin() ? 1 : 2;
    switch (number(0, 4)) {
      case 0:
        return RegisterFirmware{record, {}};
      case 1:
        return RegisterFirmware{record, std::array<std::uint8_t, 20>{9}};
      case 2:
        return DeprecateFirmware{"old"};
      case 3:
        if (one_in(3)) return RecallFirmware{"bad"};
        [[fallthrough]];
      default:
        return RestoreFirmware{"needed"};
    }
  });
}

rc::Gen<UserCommand> any_user_command() {
  return rc::gen::exec([]() -> UserCommand {
    if (one_in(6)) return EraseUser{};
    ChangePreferences c{coin(), {}};
    if (coin()) c.paused_until = *any_time();
    return c;
  });
}

// ---- logs ---------------------------------------------------------------------------------------

Recorded AnyLog::record(Event event, Stream stream) {
  position_.value += 1;
  if (time_ == Time{}) time_ = kBefore;
  time_ += seconds(1);
  return {position_, time_, std::move(stream), std::move(event), kDevice, {}};
}

Recorded AnyLog::any_record() {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return record(*any_campaign_event(), kCampaign);
    case 1:
      return record(*any_device_event(), kDevice);
    case 2:
      return record(*any_firmware_event(), kFirmware);
    default:
      return record(*any_update_event(), *any_update_id());
  }
}

Recorded any_creation(AnyLog& log) {
  auto created_one = with_canary(created({0, 1, 2, 3, 4, 5}, *any_policy()));
  created_one.content_pending = one_in(4);
  return log.record(created_one, kCampaign);
}

}  // namespace ota::domain::testing
