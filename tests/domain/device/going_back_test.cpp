// What shows that a success was none, and how one device is taken back (decisions 10, 12 and 27; BR-OTA-031 to 035).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr std::uint32_t kWindow = 30;   // minutes of health_check

// Updated from 2.0.0 to 2.1.0 at kBefore.
std::vector<Fact> updated(std::uint32_t health_window = 0) {
  DeviceRegistered registered{kOrdinal, RegisteredVia::kPoll, {{"firmware_version", "2.0.0"}}, {}};
  auto granted = first_grant(4);
  granted.plan->health_window_minutes = health_window;
  return {registered, in(kUpdate, granted), in(kUpdate, started()), in(kUpdate, at(kBefore, succeeded()))};
}
std::vector<Fact> with(std::vector<Fact> facts, std::initializer_list<Fact> more) {
  facts.insert(facts.end(), more);
  return facts;
}

ChangeAttributes says(const std::string& name, const std::string& value, bool by_device = true) {
  ChangeAttributes c;
  c.values = {{name, value}};
  c.by_device = by_device;
  return c;
}

// What the device's word of its update comes to, some minutes after its success; empty: it is believed.
std::optional<UpdateRefuted> refuted(const std::vector<Fact>& facts, int minutes_later, const ChangeAttributes& said) {
  const auto scenario = given(facts).now(kBefore + minutes(minutes_later));
  const auto decision = decide(scenario.device(), DeviceCommand(said), scenario.context());
  REQUIRE(decision.ok());
  for (const auto& e : decision.value()) {
    if (const auto* event = std::get_if<UpdateRefuted>(&e.event)) {
      CHECK(e.stream == Stream(kUpdate));
      return *event;
    }
  }
  return std::nullopt;
}

RequestRollback manual(const std::string& to_version = "2.0.0", const std::string& reason = "customer asked") {
  RequestRollback r;
  r.id = kDirect;
  r.plan = plan();
  r.plan.firmware = kOtherFirmware;
  r.plan.to_version = to_version;
  r.plan.priority = Priority::kCritical;
  r.plan.rollback = RollbackOf{RollbackTrigger::kManual, reason, {}, ""};
  r.versions = {"2.1.0", "2.0.0"};
  return r;
}
UpdateRequested requested() {
  auto r = manual();
  r.plan.from_version = "2.1.0";
  r.plan.rollback->undoes = kUpdate;
  r.plan.rollback->undone_version = "2.1.0";
  return {r.plan};
}

}  // namespace

TEST_CASE("decision 12: another version behind the grace makes a failure of the success") {
  const auto old = says("firmware_version", "2.0.0");
  CHECK_FALSE(refuted(updated(), 14, old));
  CHECK(given(with(updated(), {at(kBefore + minutes(14), DeviceAttributesChanged{old.values, {}, true, false, {}})}))
            .device()
            .version == "2.1.0");   // nor does it count as the device's version
  const auto late = refuted(updated(), 15, old);
  REQUIRE(late);
  CHECK(*late == UpdateRefuted{RefutedBy::kVersion, "reported success but runs 2.0.0", 4, false, false});
  CHECK_FALSE(refuted(updated(), 15, says("firmware_version", "2.1.0")));
  CHECK_FALSE(refuted(updated(), 15, says("site", "ams")));
  CHECK_FALSE(refuted(updated(), 15, says("firmware_version", "2.0.0", false)));   // an operator's word
}

TEST_CASE("decision 12: a success is refuted no more once a newer update was granted") {
  const auto followed = with(updated(kWindow), {in(kDirect, UpdateRequested{plan()}), in(kDirect, granted())});
  CHECK_FALSE(refuted(followed, 20, says("firmware_version", "2.0.0")));
  CHECK_FALSE(refuted(followed, 20, says("health", "failed")));
}

TEST_CASE("decision 27: bad health within its window takes the device back, if that is a trigger") {
  const auto ill = says("health", "failed");
  const auto found = refuted(updated(kWindow), kWindow, ill);
  REQUIRE(found);
  CHECK(found->by == RefutedBy::kHealth);
  CHECK(found->takes_back);
  CHECK_FALSE(refuted(updated(kWindow), kWindow + 1, ill));
  CHECK_FALSE(refuted(updated(), 1, ill));
  CHECK_FALSE(refuted(updated(kWindow), 1, says("health", "ok")));
  CHECK_FALSE(refuted(updated(kWindow), 1, says("health", "failed", false)));
}

TEST_CASE("decision 27: what has to go back is requested once") {
  const auto due = with(updated(kWindow), {in(kUpdate, kIll)});
  const auto s = given(due).device();
  REQUIRE(s.return_due);
  CHECK(s.return_due->undoes == kUpdate);
  CHECK(s.return_due->to_version == "2.0.0");
  CHECK(s.return_due->trigger == RollbackTrigger::kHealthCheck);
  auto back = manual();
  back.plan.rollback = RollbackOf{RollbackTrigger::kHealthCheck, kIll.fact, kUpdate, "2.1.0"};
  auto expected = UpdateRequested{back.plan};
  expected.plan.from_version = "2.1.0";
  given(due).when(back).then({in(kDirect, expected)});
  const auto asked = with(due, {in(kDirect, expected)});
  CHECK_FALSE(given(asked).device().return_due);
  auto once_more = back;
  once_more.id = kOtherDirect;
  given(asked).when(once_more).then_nothing();
  // Without a way back it has failed as soon as it is there.
  back.error_code = "previous_version_unknown";
  back.error_message = "what the device ran before is not known";
  AttemptEnded failed;
  failed.attempt = 0;
  failed.error_code = back.error_code;
  failed.error_message = back.error_message;
  given(due).when(back).then({in(kDirect, expected), in(kDirect, failed)});
}

TEST_CASE("decision 27: a time-out that takes the device back leaves it due, whoever else ends does not") {
  auto timed_out = failed_for_good();
  timed_out.takes_back = true;
  timed_out.error_message = "no result within 60 minutes";
  const DeviceRegistered registered{kOrdinal, RegisteredVia::kPoll, {{"firmware_version", "2.0.0"}}, {}};
  const auto s = given({registered, in(kUpdate, first_grant()), in(kUpdate, started()), in(kUpdate, timed_out)}).device();
  REQUIRE(s.return_due);
  CHECK(s.return_due->trigger == RollbackTrigger::kTimeout);
  CHECK(s.return_due->to_version == "2.0.0");
  CHECK(s.return_due->undone_version == "2.1.0");
  CHECK_FALSE(given({registered, in(kUpdate, first_grant()), in(kUpdate, started()), in(kUpdate, failed_for_good())})
                  .device()
                  .return_due);
}

TEST_CASE("BR-OTA-032: an operator takes a device back to a version that it had, and says why") {
  given(updated()).when(manual()).then({in(kDirect, requested())});
  CHECK(given(updated()).when(manual("2.0.0", "")).then_error(ErrorCode::kInvalid).field == "reason");
  const auto never = given(updated()).when(manual("1.0.0")).then_error(ErrorCode::kStateTransition);
  CHECK(never.allowed == std::vector<std::string>{"2.1.0", "2.0.0"});
  CHECK(never.message == "1.0.0 is not in the history of device pump-7; it can go back to 2.1.0, 2.0.0");
  CHECK(given(updated()).when(manual("2.1.0")).then_error(ErrorCode::kStateTransition).message ==
        "device pump-7 already runs 2.1.0");
  auto not_stored = manual();
  not_stored.error_code = "previous_version_not_stored";
  not_stored.error_message = "the version before, 2.0.0, is not stored here";
  CHECK(given(updated()).when(not_stored).then_error(ErrorCode::kStateTransition).message == not_stored.error_message);
}

TEST_CASE("S6/BR-OTA-044: a device that is not here, or on its way back already, is not taken back") {
  given({}).when(manual()).then_error(ErrorCode::kNotFound);
  given(with(updated(), {DeviceDeleted{"", kOrdinal}})).when(manual()).then_error(ErrorCode::kNotFound);
  auto second = manual();
  second.id = kOtherDirect;
  CHECK(given(with(updated(), {in(kDirect, requested())})).when(second).then_error(ErrorCode::kDuplicate).message.find(
            to_rollback_text(kDirect)) != std::string::npos);
}

TEST_CASE("decision 10: a rollback of a device that runs something else by now is ended, not granted") {
  const auto moved = [](const std::string& version) {
    return with(updated(), {in(kDirect, requested()),
                            at(kNow - minutes(1), DeviceAttributesChanged{{{"firmware_version", version}}, {}, true, false, {}})});
  };
  given(moved("3.0.0")).when(GrantDirect{}).then({in(kDirect, UpdateCancelled{CancelCause::kSuperseded, 0, 0, false})});
  CHECK(given(moved("2.1.0")).about(kDirect).when(GrantDirect{}).the<AttemptGranted>().attempt == 1);
  // What timed out in the middle of its installation may run either version.
  auto half_way = requested();
  half_way.plan.rollback->trigger = RollbackTrigger::kTimeout;
  const auto either = with(updated(), {in(kDirect, half_way), at(kNow - minutes(1), DeviceAttributesChanged{
                                                                  {{"firmware_version", "2.0.0"}}, {}, true, false, {}})});
  CHECK(given(either).about(kDirect).when(GrantDirect{}).the<AttemptGranted>().attempt == 1);
}
