#include "tests/domain/examples.hpp"

#include "tests/domain/samples.hpp"

namespace ota::domain::testing {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> counted_from(std::uint8_t first) {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = 0; i < N; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

const Time kMoment = Time(Duration(1'772'366'400'123'456));

FirmwareFacts full_facts() {
  return {"2.1.0-rc.1", "SF-100", "1.0", "3.2", 88, 52'428'800, true, true};
}

CampaignPolicy full_policy() {
  CampaignPolicy p;
  p.strategy = Strategy::kBlueGreen;
  p.priority = Priority::kEmergency;
  p.rollout_percentage = 35;
  p.max_concurrent_updates = 900;
  p.batch_size = 120;
  p.batch_settle_percent = 90;
  p.scheduled_start = kMoment;
  p.scheduled_end = kMoment + hours(48);
  p.timeout_minutes = 45;
  p.auto_rollback = true;
  p.failure_threshold_percent = 15;
  p.min_finished_for_verdict = 30;
  p.rollback_triggers = {RollbackTrigger::kFailureRate, RollbackTrigger::kHealthCheck,
                         RollbackTrigger::kTimeout, RollbackTrigger::kErrorThreshold};
  p.requires_approval = true;
  p.allow_beta = true;
  p.force_update = true;
  p.maintenance_window = MaintenanceWindow{1380, 270, "Europe/Amsterdam"};
  p.max_retries = 7;
  p.pre_update_commands = {"stop app", "sync"};
  p.post_update_commands = {"start app"};
  p.notify_on_start = true;
  p.notify_on_complete = true;
  p.notify_on_failure = true;
  p.notification_channels = {"email", "pager"};
  p.canary_p0_basis_points = 400;
  p.canary_p1_basis_points = 2'000;
  p.switch_at = kMoment + hours(24);
  p.require_version_proof = true;
  p.requires_device_confirmation = true;
  p.download_only = true;
  p.error_threshold_count = 12;
  p.health_window_minutes = 50;
  p.rollback_deadline_minutes = 2'880;
  return p;
}

UpdatePlan full_plan() {
  return {kFirmware,
          "2.0.0",
          "2.1.0-rc.1",
          Priority::kHigh,
          4,
          45,
          52'428'800,
          88,
          true,
          {"stop app"},
          {"start app", "report"},
          MaintenanceWindow{60, 300, "device"}};
}

Verdict full_verdict() {
  return {VerdictRule::kEvidence, VerdictDecision::kAbort, 12, 40, 20, true};
}

Verdict verdict_with_bounds() {
  auto verdict = full_verdict();
  verdict.log_likelihood = -5'000'000'000;
  verdict.abort_at = 12'867'000'000;
  verdict.promote_at = -12'867'000'000;
  return verdict;
}

CampaignCreated full_campaign() {
  CampaignCreated c;
  c.name = "Security Patch Q4";
  c.description = "für alle Rahmen";
  c.firmware = kFirmware;
  c.firmware_name = "Smart Frame";
  c.facts = full_facts();
  c.policy = full_policy();
  c.target_groups = {"beta", "lobby"};
  c.target_filters_json = R"({"device_model":"SF-100"})";
  c.target_device_count = 500;
  c.excluded = {{"incompatible", 20}, {"already_there", 3}};
  c.targets = to_bytes(set_of({1, 2, 3, 70'000}));
  c.parts = 2;
  c.parts_hash = counted_from<32>(0x80);
  c.resolved_at = {123'456};
  c.withdrawn = to_bytes(set_of({2}));
  c.picked = 175;
  c.pick_cutoff = 0xfedcba9876543210;
  return c;
}

// As an evidence verdict is written: the rates that it told apart, and what would promote.
Verdict canary_verdict(VerdictDecision decision) {
  return {VerdictRule::kEvidence, decision, 5, 46, 20, false, 400, 2'000, 9};
}

CampaignCreated canary_campaign() {
  auto c = full_campaign();
  c.policy.strategy = Strategy::kCanary;
  c.canary =
      EvidenceTable{400, 2'000, 6'912'000'000, 783'000'000, 12'866'000'000, -12'866'000'000, 46, 3};
  c.canary_cutoff = 0x0123456789abcdef;
  c.content_pending = true;
  return c;
}

AttemptEnded full_failure() {
  AttemptEnded e;
  e.attempt = 2;
  e.kind = FailureKind::kService;
  e.error_code = "link_expired";
  e.error_message = "410 Gone";
  e.batch = 3;
  e.retry = true;
  e.retry_count = 1;
  e.spared_retries = 2;
  e.retry_at = kMoment;
  return e;
}

AttemptEnded taking_back() {
  AttemptEnded e;
  e.kind = FailureKind::kTimeout;
  e.error_code = "timeout";
  e.takes_back = true;
  return e;
}

CampaignRollbackBegun full_rollback() {
  return {2, RollbackTrigger::kErrorThreshold, "device_7 on 10 devices", kMoment, full_verdict(), "device_7", 10};
}

UpdatePlan beta_plan() {
  auto plan = full_plan();
  plan.allow_beta = true;
  return plan;
}

UpdatePlan rollback_plan() {
  auto plan = full_plan();
  plan.priority = Priority::kCritical;
  plan.rollback = RollbackOf{RollbackTrigger::kHealthCheck, "health: failed",
                             UpdateId::in_campaign(kCampaign, kOrdinal), "2.1.0-rc.1"};
  return plan;
}

UpdatePlan plan_with_options() {
  auto plan = full_plan();
  plan.download_only = true;
  plan.requires_consent = true;
  plan.require_version_proof = true;
  plan.rollback_on_timeout = true;
  plan.health_window_minutes = 50;
  return plan;
}

FirmwareRegistered kept_elsewhere() {
  FirmwareRegistered r;
  r.id = kFirmware;
  r.name = "Smart Frame";
  r.manufacturer = "Acme";
  r.facts = full_facts();
  r.file_name = "frame-2.1.0.bin";
  r.file_url = "https://files.example/frame-2.1.0.bin";
  r.sha256 = counted_from<32>(0x20);
  r.kept_elsewhere = true;
  return r;
}

FirmwareRegistered verified() {
  FirmwareRegistered r;
  r.id = kFirmware;
  r.name = "Smart Frame";
  r.facts = full_facts();
  r.sha256 = counted_from<32>(0x20);
  r.signature = std::string(64, '\x7e');
  r.signature_key = "\x01\x02\x03\x04\x05\x06\x07\xff";
  return r;
}

AttemptEnded unfetched_success() {
  AttemptEnded e;
  e.attempt = 1;
  e.success = true;
  e.without_download = true;
  return e;
}

ProgressReported artifact_requested() {
  ProgressReported p;
  p.attempt = 2;
  p.phase = UpdateStatus::kDownloading;
  p.artifact_requested = true;
  return p;
}

AttemptEnded full_success() {
  AttemptEnded e;
  e.attempt = 2;
  e.success = true;
  e.batch = 3;
  e.retry = true;
  e.retry_count = 1;
  e.spared_retries = 2;
  return e;
}

}  // namespace

const std::vector<Example>& examples() {
  static const std::vector<Example> kExamples = {
      {"FirmwareRegistered", "",
       FirmwareRegistered{kFirmware,
                          "Smart Frame",
                          "Acme",
                          "the frame's system",
                          full_facts(),
                          "frame-2.1.0.bin",
                          "https://files.example/frame-2.1.0.bin",
                          counted_from<16>(0xa0),
                          counted_from<32>(0x20),
                          "\x01\x02\xff",
                          {"stable", "emea"},
                          R"({"ticket":7})",
                          "fixes the clock"}},
      {"FirmwareRegistered", "elsewhere", kept_elsewhere()},
      {"FirmwareRegistered", "verified", verified()},
      {"FirmwareContentStored", "", FirmwareContentStored{counted_from<20>(0x40)}},
      {"FirmwareContentStored", "md5",
       FirmwareContentStored{counted_from<20>(0x40), counted_from<16>(0xb0)}},
      {"FirmwareContentFailed", "", FirmwareContentFailed{"HTTP 404 for a day"}},
      {"FirmwareSourceChanged", "",
       FirmwareSourceChanged{"https://mirror.example/frame-2.1.0.bin", true}},
      {"FirmwareDeprecated", "", FirmwareDeprecated{"2.2.0 is out"}},
      {"FirmwareRestored", "", FirmwareRestored{"2.2.0 is worse"}},
      {"FirmwareRecalled", "", FirmwareRecalled{"it bricks frames"}},
      {"DeviceRegistered", "",
       DeviceRegistered{kOrdinal,
                        RegisteredVia::kImport,
                        {{"device_model", "SF-100"}, {"firmware_version", "2.0.0"}},
                        {"beta"}}},
      {"DeviceAttributesChanged", "",
       DeviceAttributesChanged{
           {{"site", "ams"}, {"name", "Rahmen 7"}}, {"old"}, true, true, {"beta", "lobby"}}},
      {"DeviceRegistered", "owned", DeviceRegistered{kOrdinal, RegisteredVia::kApi, {}, {}, {0xfeed}}},
      {"DeviceAttributesChanged", "owner",
       DeviceAttributesChanged{{}, {}, false, false, {}, Caller{0xfeed}}},
      {"DeviceDeleted", "", DeviceDeleted{"scrapped", kOrdinal}},
      {"DeviceReturned", "", DeviceReturned{{4'000'000'000}, RegisteredVia::kDeviceService}},
      {"AutoConfirmChanged", "", AutoConfirmChanged{true, "ada", "fleet policy"}},
      {"AutoConfirmChanged", "off", AutoConfirmChanged{false, "", ""}},
      {"DeviceTokenRotated", "", DeviceTokenRotated{3, kMoment}},
      {"DeviceTokenRotated", "at_once", DeviceTokenRotated{1, {}}},
      {"DevicePushChanged", "", DevicePushChanged{true}},
      {"DevicePushChanged", "off", DevicePushChanged{false}},
      {"IdsReserved", "", IdsReserved{{1'000}, {"pump-7", "Zähler 8"}}},
      {"CampaignCreated", "", full_campaign()},
      {"CampaignCreated", "canary", canary_campaign()},
      {"CampaignTargetPart", "", CampaignTargetPart{1, to_bytes(set_of({9, 10}))}},
      {"CampaignApproved", "", CampaignApproved{true, "looks good", "not on Fridays"}},
      {"CampaignScheduled", "", CampaignScheduled{kMoment}},
      {"CampaignStarted", "", CampaignStarted{}},
      {"CampaignPaused", "", CampaignPaused{"weekend"}},
      {"CampaignPaused", "canary",
       CampaignPaused{"canary undecided", PauseCause::kCanary,
                      canary_verdict(VerdictDecision::kUndecided)}},
      {"CampaignResumed", "", CampaignResumed{}},
      {"CampaignCancelled", "", CampaignCancelled{"wrong fleet"}},
      {"CampaignFinished", "", CampaignFinished{"good enough", true}},
      {"CanaryPromoted", "",
       CanaryPromoted{canary_verdict(VerdictDecision::kPromote), true, "seen enough"}},
      {"CanaryToppedUp", "", CanaryToppedUp{9, 0xfedcba9876543210}},
      {"CampaignAborted", "", CampaignAborted{RollbackTrigger::kErrorThreshold, full_verdict()}},
      {"CampaignAborted", "canary",
       CampaignAborted{RollbackTrigger::kFailureRate, canary_verdict(VerdictDecision::kAbort)}},
      {"CampaignRollbackBegun", "", full_rollback()},
      {"CampaignRollbackBegun", "manual",
       CampaignRollbackBegun{15, RollbackTrigger::kManual, "customers complain", kMoment, {}, "", 0}},
      {"CampaignSwitched", "", CampaignSwitched{true, "shops are closed"}},
      {"CampaignClosed", "", CampaignClosed{CampaignStatus::kFailed, full_verdict()}},
      {"CampaignClosed", "bounds", CampaignClosed{CampaignStatus::kFailed, verdict_with_bounds()}},
      {"BatchOpened", "", BatchOpened{4}},
      {"UpdateRequested", "", UpdateRequested{full_plan()}},
      {"UpdateRequested", "rollback", UpdateRequested{rollback_plan()}},
      {"UpdateRequested", "beta", UpdateRequested{beta_plan()}},
      {"AttemptGranted", "", AttemptGranted{2, {1'000'002}, 3, true, kMoment, full_plan()}},
      {"AttemptGranted", "options", AttemptGranted{1, {1'000'003}, 0, false, kMoment, plan_with_options(), true}},
      {"AttemptGranted", "warnings",
       AttemptGranted{1, {1'000'003}, 0, false, kMoment, {}, false, {"the device's model is not known"}}},
      {"AttemptStarted", "", AttemptStarted{2, kMoment}},
      {"AttemptStarted", "released", AttemptStarted{2, kMoment, true}},
      {"AttemptStarted", "downloads_here", AttemptStarted{1, kMoment, false, false, true}},
      {"AttemptStarted", "extended", AttemptStarted{2, kMoment, false, true}},
      {"ProgressReported", "",
       ProgressReported{2,
                        UpdateStatus::kInstalling,
                        4'250,
                        1'250'000,
                        -210,
                        {"flashing slot B", "42 %"},
                        true,
                        true}},
      {"ProgressReported", "artifact_requested", artifact_requested()},
      {"LateReportRecorded", "",
       LateReportRecorded{1, UpdateStatus::kVerifying, 210, {"came late"}}},
      {"AttemptEnded", "", full_failure()},
      {"AttemptEnded", "success", full_success()},
      {"AttemptEnded", "without_download", unfetched_success()},
      {"AttemptEnded", "takes_back", taking_back()},
      {"GrantLapsed", "", GrantLapsed{2, 3, true}},
      {"UpdateSkipped", "",
       UpdateSkipped{SkipReason::kIncompatible, "the device is a SF-200, the firmware for SF-100"}},
      {"CancelRequested", "", CancelRequested{CancelCause::kPreempted, kMoment}},
      {"CancelRefused", "", CancelRefused{{"flash write in progress"}}},
      {"UpdateCancelled", "", UpdateCancelled{CancelCause::kUserDeleted, 2, 3, true}},
      {"ConsentAsked", "", ConsentAsked{2, {1'000'004}, full_plan()}},
      {"ConsentGiven", "", ConsentGiven{2, {"yes, tonight"}}},
      {"UpdateHeld", "", UpdateHeld{2, 3, true}},
      {"UpdateHeld", "window", UpdateHeld{2, 3, true, kMoment}},
      {"UpdateRefuted", "", UpdateRefuted{RefutedBy::kHealth, "health: failed", 3, true, true}},
      {"UpdateUndone", "", UpdateUndone{UpdateId::in_campaign(kCampaign, kOrdinal, 15)}},
      {"RetryAsked", "", RetryAsked{2, 5, full_plan()}},
      {"RetryAsked", "batch", RetryAsked{2, 5, {}, 4}},
      {"DownloadCompleted", "", DownloadCompleted{kOtherFirmware}},
      {"UserPreferencesChanged", "", UserPreferencesChanged{true, kMoment}},
      {"SubjectErased", "", SubjectErased{{0x0123456789abcdef}}},
      {"LogKeyAdopted", "", LogKeyAdopted{"ota-log/0123456789abcdef", {1, 2, 31}, LogKeyChange::kFirst, {}}},
      {"AuditRead", "", AuditRead{"/api/v1/ota/audit/events?device_id=pump-7"}},
      {"AuditRead", "actor", AuditRead{"/api/v1/ota/audit/events?actor=*&type=campaign.paused", {0x0123456789abcdef}}},
      {"LogKeyAdopted", "rotated", LogKeyAdopted{"ota-log/0123456789abcdef", {7}, LogKeyChange::kRotated, {9, 63}}},
  };
  return kExamples;
}

}  // namespace ota::domain::testing
