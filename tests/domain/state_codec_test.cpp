#include "domain/codec/state_codec.hpp"

#include <doctest/doctest.h>

#include <random>

#include "domain/codec/codec.hpp"
#include "tests/domain/samples.hpp"

namespace ota::domain {
namespace {

using testing::bytes_16;
using testing::kBefore;
using testing::kNow;

// Every field holds something else than its default, so that a forgotten one shows.

Firmware full_firmware() {
  Firmware f;
  f.exists = true;
  f.record = testing::firmware_record();
  f.record.description = "pumps \xc3\xa9lan";
  f.record.file_url = "https://example.org/fw.bin";
  f.record.signature = std::string("\x00\x01\xff", 3);
  f.record.labels = {"stable", ""};
  f.record.metadata_json = "{\"a\":1}";
  f.record.changelog = "less noise";
  f.record.kept_elsewhere = true;
  f.content_here = true;
  f.content_error = "HTTP 404";
  f.sha1.fill(0xab);
  f.status = FirmwareStatus::kDeprecated;
  f.status_reason = "old";
  f.created_by = {0xfedcba9876543210ULL};
  f.created_at = kBefore;
  f.updated_at = kNow;
  f.revision = 3;
  f.position = {99};
  return f;
}

UpdatePlan full_plan() {
  UpdatePlan plan = testing::plan();
  plan.priority = Priority::kEmergency;
  plan.force_update = true;
  plan.pre_update_commands = {"stop", "drain"};
  plan.post_update_commands = {"go"};
  plan.maintenance_window = MaintenanceWindow{60, 240, "Europe/Amsterdam"};
  plan.rollback = RollbackOf{RollbackTrigger::kHealthCheck, "bad health", testing::kDirect, "2.1.0"};
  plan.download_only = true;
  plan.requires_consent = true;
  plan.require_version_proof = true;
  plan.rollback_on_timeout = true;
  plan.health_window_minutes = 17;
  return plan;
}

Device full_device() {
  Device d;
  d.registered = true;
  d.deleted = true;
  d.id = {"pump-7"};
  d.ordinal = {4'000'000'000U};
  d.attributes = {{"device_model", "SF-100"}, {"empty", ""}, {"firmware_version", "2.0.0"}};
  d.groups = {"beta", "alpha"};
  UnfinishedUpdate running;
  running.status = UpdateStatus::kInProgress;
  running.plan = full_plan();
  running.attempt = 2;
  running.retry_count = 1;
  running.batch = 4;
  running.retry = true;
  running.action = {7};
  running.started = true;
  running.cancelling = true;
  running.released = true;
  running.awaits_version = true;
  running.may_hold = true;
  running.requested_at = kBefore;
  UnfinishedUpdate waiting;
  waiting.next_retry_at = kNow;
  waiting.requested_at = kBefore;
  waiting.consent_asked = 3;
  waiting.consented = true;
  d.updates = {{testing::kUpdate, running}, {testing::kDirect, waiting}};
  d.version = "1.9.0";
  d.owner = {0xfedcba9876543210ULL};
  d.auto_confirm = AutoConfirm{"ada", "night shift", kBefore};
  d.token_generation = 3;
  d.previous_token_until = kNow;
  d.push = true;
  d.installed = Installed{testing::kDirect, testing::kFirmware, "1.0.0", "2.0.0", kBefore, 3, true, kNow, true};
  d.return_due = ReturnDue{testing::kUpdate, testing::kFirmware, "1.0.0", "2.0.0", RollbackTrigger::kTimeout, "too late"};
  d.last_action = ActionId{1'000'007};
  d.installed_action = ActionId{1'000'003};
  d.wants_attributes_from = kNow;
  d.registered_at = kBefore;
  d.updated_at = kNow;
  d.position = {12};
  return d;
}

DeviceUpdate full_update() {
  DeviceUpdate u;
  u.exists = true;
  u.id = testing::kUpdate;
  u.device = {"pump-7"};
  u.plan = full_plan();
  u.status = UpdateStatus::kInstalling;
  u.attempt = 3;
  u.action = {1'000'009};
  u.batch = 2;
  u.retry = true;
  u.retry_count = 2;
  u.spared_retries = 1;
  u.retry_at = kNow;
  u.start_by = kNow + testing::seconds(1);
  u.started_at = kNow + testing::seconds(2);
  u.timeout_at = kNow + testing::seconds(3);
  u.completed_at = kNow + testing::seconds(4);
  u.cancel = CancelRequested{CancelCause::kRecalled, kNow + testing::seconds(5)};
  u.cancel_refused = true;
  u.cancel_requested_at = kNow + testing::seconds(6);
  u.late_reports = 3;
  u.last_late = 0xabcdef0123456789ULL;
  u.hold = true;
  u.held = true;
  u.released = true;
  u.consent_asked = 4;
  u.consented = true;
  u.undone_by = testing::kDirect;
  u.phase_basis_points = 4'200;
  u.progress_basis_points = 7'260;
  u.bytes_per_second = 1'000'000'000'000ULL;
  u.code = -17;
  u.details = {"one", "", "three"};
  u.signature_verified = false;
  u.checksum_verified = true;
  u.extended = true;
  u.downloads_here = true;
  u.artifact_requested = true;
  u.without_download = true;
  u.entries = 12;
  u.error_code = "device_3";
  u.error_message = "flash is full";
  u.created_at = kBefore;
  u.updated_at = kNow;
  u.revision = 5;
  u.position = {1ULL << 40};
  return u;
}

Campaign full_campaign() {
  Campaign c;
  c.exists = true;
  c.id = testing::kCampaign;
  c.name = "spring";
  c.description = "all pumps";
  c.firmware = testing::kFirmware;
  c.firmware_name = "pump";
  c.facts = testing::facts();
  c.facts.is_beta = true;
  c.facts.is_security_update = true;
  c.firmware_recalled = true;
  c.policy = testing::policy();
  c.policy.scheduled_start = kNow;
  c.policy.scheduled_end = kNow + testing::hours(1);
  c.policy.switch_at = kNow + testing::hours(2);
  c.policy.maintenance_window = MaintenanceWindow{0, 1, "device"};
  c.policy.rollback_triggers = {RollbackTrigger::kTimeout, RollbackTrigger::kFailureRate};
  c.status = CampaignStatus::kFailed;
  c.status_reason = "too many failed";
  c.closed = true;
  c.targets.addRange(0, 70'000);
  c.granted.addRange(0, 10);
  c.completed.addRange(10, 65'000);
  c.failed.add(65'001U);
  c.cancelled.addRange(65'010, 70'000);
  c.untold.add(65'011U);
  c.retries = {{65'002U, kNow}, {65'004U, kBefore}};
  c.batch = 4;
  c.batch_granted = 3;
  c.batch_settled = 2;
  c.verdict = Verdict{VerdictRule::kSlice, VerdictDecision::kAbort, 3, 9, 20, true, 400, 2'000, 5};
  c.lapsed.add(65'005U);
  c.content_pending = true;
  c.pause_cause = PauseCause::kOwnFaults;
  c.starts_at = kNow + testing::minutes(5);
  c.approved = true;
  c.approved_by = {0xfedcba9876543210ULL};
  c.approval_comment = "looks good";
  c.approval_conditions = "not on Fridays";
  c.finished = true;
  c.canary = EvidenceTable{1, 2, 3, 4, 5, -6, 7, 8};
  c.evidence = Evidence({{{40}, Outcome::kSucceeded},
                         {{9}, Outcome::kFailed},
                         {{4'000'000'000U}, Outcome::kUnknown},
                         {{7}, Outcome::kFailed}},
                        12);
  c.cohort.addRange(0, 50);
  c.promoted = true;
  c.own_faults.add(65'001U);
  c.judged_failed = 11;
  c.undone.addRange(10, 20);
  c.left_out.add(70'001U);
  c.gone.add(65'020U);
  c.held.addRange(0, 3);
  c.released.addRange(3, 5);
  c.switched = true;
  c.error_devices["device_3"].add(65'001U);
  c.error_devices["timeout"].addRange(1, 4);
  c.rollback.number = 2;
  c.rollback.trigger = RollbackTrigger::kErrorThreshold;
  c.rollback.reason = "device_3 on too many";
  c.rollback.begun_at = kBefore;
  c.rollback.give_up_at = kNow;
  c.rollback.granted.add(21U);
  c.rollback.ended.add(22U);
  c.rollback.retries = {{23U, kNow}};
  c.created_by = {7};
  c.created_at = kBefore;
  c.updated_at = kNow;
  c.started_at = kBefore + testing::minutes(1);
  c.ended_at = kBefore + testing::minutes(2);
  c.revision = 6;
  c.position = {77};
  return c;
}

TEST_CASE("firmware survives its bytes in every field") {
  const auto f = full_firmware();
  const auto g = decode_firmware_state(encode_state(f));
  REQUIRE(g);
  CHECK(g->exists == f.exists);
  CHECK(g->record == f.record);
  CHECK(g->content_here == f.content_here);
  CHECK(g->content_error == f.content_error);
  CHECK(g->sha1 == f.sha1);
  CHECK(g->status == f.status);
  CHECK(g->status_reason == f.status_reason);
  CHECK(g->created_by == f.created_by);
  CHECK(g->created_at == f.created_at);
  CHECK(g->updated_at == f.updated_at);
  CHECK(g->revision == f.revision);
  CHECK(g->position == f.position);
}

TEST_CASE("a device survives its bytes in every field") {
  const auto d = full_device();
  const auto e = decode_device_state(encode_state(d));
  REQUIRE(e);
  CHECK(e->registered == d.registered);
  CHECK(e->deleted == d.deleted);
  CHECK(e->id == d.id);
  CHECK(e->ordinal == d.ordinal);
  CHECK(e->attributes == d.attributes);
  CHECK(e->groups == d.groups);
  CHECK(e->updates == d.updates);
  CHECK(e->version == d.version);
  CHECK(e->owner == d.owner);
  CHECK(e->auto_confirm == d.auto_confirm);
  CHECK(e->token_generation == d.token_generation);
  CHECK(e->previous_token_until == d.previous_token_until);
  CHECK(e->push == d.push);
  CHECK(e->installed == d.installed);
  CHECK(e->return_due == d.return_due);
  CHECK(e->last_action == d.last_action);
  CHECK(e->installed_action == d.installed_action);
  CHECK(e->wants_attributes_from == d.wants_attributes_from);
  CHECK(e->registered_at == d.registered_at);
  CHECK(e->updated_at == d.updated_at);
  CHECK(e->position == d.position);
}

TEST_CASE("an update survives its bytes in every field") {
  const auto u = full_update();
  const auto v = decode_update_state(encode_state(u));
  REQUIRE(v);
  CHECK(v->exists == u.exists);
  CHECK(v->id == u.id);
  CHECK(v->device == u.device);
  CHECK(v->plan == u.plan);
  CHECK(v->status == u.status);
  CHECK(v->attempt == u.attempt);
  CHECK(v->action == u.action);
  CHECK(v->batch == u.batch);
  CHECK(v->retry == u.retry);
  CHECK(v->retry_count == u.retry_count);
  CHECK(v->spared_retries == u.spared_retries);
  CHECK(v->retry_at == u.retry_at);
  CHECK(v->start_by == u.start_by);
  CHECK(v->started_at == u.started_at);
  CHECK(v->timeout_at == u.timeout_at);
  CHECK(v->completed_at == u.completed_at);
  CHECK(v->cancel == u.cancel);
  CHECK(v->cancel_refused == u.cancel_refused);
  CHECK(v->cancel_requested_at == u.cancel_requested_at);
  CHECK(v->late_reports == u.late_reports);
  CHECK(v->last_late == u.last_late);
  CHECK(v->hold == u.hold);
  CHECK(v->held == u.held);
  CHECK(v->released == u.released);
  CHECK(v->consent_asked == u.consent_asked);
  CHECK(v->consented == u.consented);
  CHECK(v->undone_by == u.undone_by);
  CHECK(v->phase_basis_points == u.phase_basis_points);
  CHECK(v->progress_basis_points == u.progress_basis_points);
  CHECK(v->bytes_per_second == u.bytes_per_second);
  CHECK(v->code == u.code);
  CHECK(v->details == u.details);
  CHECK(v->signature_verified == u.signature_verified);
  CHECK(v->checksum_verified == u.checksum_verified);
  CHECK(v->extended == u.extended);
  CHECK(v->downloads_here == u.downloads_here);
  CHECK(v->artifact_requested == u.artifact_requested);
  CHECK(v->without_download == u.without_download);
  CHECK(v->entries == u.entries);
  CHECK(v->error_code == u.error_code);
  CHECK(v->error_message == u.error_message);
  CHECK(v->created_at == u.created_at);
  CHECK(v->updated_at == u.updated_at);
  CHECK(v->revision == u.revision);
  CHECK(v->position == u.position);
}

TEST_CASE("a campaign survives its bytes in every field, sets and all") {
  const auto c = full_campaign();
  const auto d = decode_campaign_state(encode_state(c));
  REQUIRE(d);
  CHECK(d->exists == c.exists);
  CHECK(d->id == c.id);
  CHECK(d->name == c.name);
  CHECK(d->description == c.description);
  CHECK(d->firmware == c.firmware);
  CHECK(d->firmware_name == c.firmware_name);
  CHECK(d->facts == c.facts);
  CHECK(d->firmware_recalled == c.firmware_recalled);
  CHECK(d->policy == c.policy);
  CHECK(d->status == c.status);
  CHECK(d->status_reason == c.status_reason);
  CHECK(d->closed == c.closed);
  CHECK((d->targets == c.targets));
  CHECK((d->granted == c.granted));
  CHECK((d->completed == c.completed));
  CHECK((d->failed == c.failed));
  CHECK((d->cancelled == c.cancelled));
  CHECK((d->untold == c.untold));
  CHECK(d->retries == c.retries);
  CHECK(d->batch == c.batch);
  CHECK(d->batch_granted == c.batch_granted);
  CHECK(d->batch_settled == c.batch_settled);
  CHECK(d->verdict == c.verdict);
  CHECK((d->lapsed == c.lapsed));
  CHECK(d->content_pending == c.content_pending);
  CHECK(d->pause_cause == c.pause_cause);
  CHECK(d->starts_at == c.starts_at);
  CHECK(d->approved == c.approved);
  CHECK(d->approved_by == c.approved_by);
  CHECK(d->approval_comment == c.approval_comment);
  CHECK(d->approval_conditions == c.approval_conditions);
  CHECK(d->finished == c.finished);
  CHECK(d->canary == c.canary);
  CHECK(d->evidence == c.evidence);
  CHECK(d->evidence.prefix() == 2);
  CHECK((d->cohort == c.cohort));
  CHECK(d->promoted == c.promoted);
  CHECK((d->own_faults == c.own_faults));
  CHECK(d->judged_failed == c.judged_failed);
  CHECK((d->undone == c.undone));
  CHECK((d->left_out == c.left_out));
  CHECK((d->gone == c.gone));
  CHECK((d->held == c.held));
  CHECK((d->released == c.released));
  CHECK(d->switched == c.switched);
  CHECK((d->error_devices == c.error_devices));
  CHECK(d->rollback.number == c.rollback.number);
  CHECK(d->rollback.trigger == c.rollback.trigger);
  CHECK(d->rollback.reason == c.rollback.reason);
  CHECK(d->rollback.begun_at == c.rollback.begun_at);
  CHECK(d->rollback.give_up_at == c.rollback.give_up_at);
  CHECK((d->rollback.granted == c.rollback.granted));
  CHECK((d->rollback.ended == c.rollback.ended));
  CHECK(d->rollback.retries == c.rollback.retries);
  CHECK(d->created_by == c.created_by);
  CHECK(d->created_at == c.created_at);
  CHECK(d->updated_at == c.updated_at);
  CHECK(d->started_at == c.started_at);
  CHECK(d->ended_at == c.ended_at);
  CHECK(d->revision == c.revision);
  CHECK(d->position == c.position);
}

TEST_CASE("states that hold nothing survive too, and what is absent stays absent") {
  const auto u = decode_update_state(encode_state(DeviceUpdate{}));
  REQUIRE(u);
  CHECK_FALSE(u->exists);
  CHECK_FALSE(u->start_by);
  CHECK_FALSE(u->cancel);
  CHECK_FALSE(u->code);
  CHECK_FALSE(u->signature_verified);
  CHECK_FALSE(u->plan.maintenance_window);
  const auto d = decode_device_state(encode_state(Device{}));
  REQUIRE(d);
  CHECK_FALSE(d->last_action);
  CHECK_FALSE(d->wants_attributes_from);
  const auto c = decode_campaign_state(encode_state(Campaign{}));
  REQUIRE(c);
  CHECK(c->targets.isEmpty());
  CHECK_FALSE(c->verdict);
  CHECK_FALSE(c->canary);
  CHECK_FALSE(c->starts_at);
  CHECK(c->pause_cause == PauseCause::kOperator);
  CHECK(c->evidence == Evidence{});
  CHECK(decode_firmware_state(encode_state(Firmware{})));
}

TEST_CASE("devices decoded one after the other have nothing of each other") {
  Device other = full_device();
  other.attributes = {{"device_model", "X"}, {"zone", "3"}};
  other.groups.clear();
  Device fewer = other;
  fewer.attributes.erase("device_model");
  DeviceStates states;
  for (const auto& device : {full_device(), Device{}, other, full_device(), fewer, other, Device{}}) {
    const auto bytes = encode_state(device);
    const auto* read = states.decode(bytes);
    REQUIRE(read);
    CHECK(encode_state(*read) == bytes);
    CHECK(states.decode("garbage") == nullptr);
  }
}

TEST_CASE("equal states have equal bytes") {
  CHECK(encode_state(full_device()) == encode_state(full_device()));
  CHECK(encode_state(full_campaign()) == encode_state(full_campaign()));
}

// Each state's bytes, and whether bytes are taken for one of its kind.
struct Kind {
  std::string bytes;
  bool (*reads)(std::string_view);
};
std::vector<Kind> kinds() {
  return {
      {encode_state(full_firmware()),
       [](std::string_view b) { return decode_firmware_state(b).has_value(); }},
      {encode_state(full_device()),
       [](std::string_view b) { return decode_device_state(b).has_value(); }},
      {encode_state(full_update()),
       [](std::string_view b) { return decode_update_state(b).has_value(); }},
      {encode_state(full_campaign()),
       [](std::string_view b) { return decode_campaign_state(b).has_value(); }},
  };
}

TEST_CASE("bytes of another version are not read") {
  for (auto& kind : kinds()) {
    ++kind.bytes[0];
    CHECK_FALSE(kind.reads(kind.bytes));
  }
}

TEST_CASE("bytes that end too early are not read, wherever they end") {
  for (const auto& kind : kinds()) {
    for (std::size_t size = 0; size < kind.bytes.size(); ++size) {
      CHECK_FALSE(kind.reads(std::string_view(kind.bytes).substr(0, size)));
    }
  }
}

TEST_CASE("bytes with one bit turned over are not read") {
  std::mt19937 random(7);
  for (const auto& kind : kinds()) {
    for (int i = 0; i < 2'000; ++i) {
      std::string damaged = kind.bytes;
      const std::size_t at = random() % damaged.size();
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << random() % 8);
      CHECK_FALSE(kind.reads(damaged));
    }
  }
}

TEST_CASE("garbage is not read") {
  std::mt19937 random(11);
  for (const auto& kind : kinds()) {
    for (int i = 0; i < 500; ++i) {
      std::string garbage(random() % 200, '\0');
      for (auto& c : garbage) c = static_cast<char>(random());
      if (!garbage.empty()) garbage[0] = kind.bytes[0];
      CHECK_FALSE(kind.reads(garbage));
    }
  }
}

}  // namespace
}  // namespace ota::domain
