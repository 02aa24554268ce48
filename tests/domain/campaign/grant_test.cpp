// May this device be updated now? Each gate of a campaign, in order (design, section 4).
#include "domain/campaign/grant.hpp"

#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

CampaignPolicy staged(std::uint32_t batch_size, std::uint32_t places = 10) {
  CampaignPolicy p;
  p.strategy = Strategy::kStaged;
  p.batch_size = batch_size;
  p.max_concurrent_updates = places;
  return p;
}

std::vector<Fact> running(const CampaignPolicy& policy = testing::policy(),
                          std::vector<Fact> more = {}) {
  more.insert(more.begin(), {Fact(created({6, 7, 8, 9}, policy)), Fact(CampaignStarted{})});
  return more;
}

GrantAsk ask(std::uint32_t ordinal = kOrdinal.value) {
  GrantAsk a;
  a.device = kDevice;
  a.ordinal = {ordinal};
  a.facts = {"SF-100", "2.0", "2.0.0", ""};
  a.action = kAction;
  a.poll_sleep = minutes(5);
  return a;
}

GrantDecision decide_on(const std::vector<Fact>& facts, const GrantAsk& a = ask(),
                        const Reservations& r = {}) {
  const auto scenario = given(facts);
  return grant(scenario.campaign(), r, a, scenario.context());
}

AttemptGranted expect_grant(const GrantDecision& decision) {
  if (const auto* wait = std::get_if<Wait>(&decision)) {
    FAIL("waits at the gate " << to_text(wait->gate) << ": " << wait->fact);
  }
  REQUIRE(std::holds_alternative<AttemptGranted>(decision));
  return std::get<AttemptGranted>(decision);
}
Wait expect_wait(const GrantDecision& decision, Gate gate) {
  REQUIRE(std::holds_alternative<Wait>(decision));
  const auto& wait = std::get<Wait>(decision);
  CHECK(to_text(wait.gate) == to_text(gate));
  CHECK_FALSE(wait.fact.empty());
  return wait;
}
UpdateSkipped expect_skip(const GrantDecision& decision, SkipReason reason) {
  REQUIRE(std::holds_alternative<UpdateSkipped>(decision));
  CHECK(std::get<UpdateSkipped>(decision).reason == reason);
  return std::get<UpdateSkipped>(decision);
}

std::vector<Fact> failed_until_at(Time retry_at) {
  auto failed = failed_until(retry_at);
  failed.batch = 1;
  return running(staged(2), {first_grant(1), started(), failed});
}

GrantAsk retry_ask() {
  auto a = ask();
  a.attempts = 1;
  a.planned_from = a.facts.firmware_version;
  a.batch = 1;
  return a;
}

}  // namespace

TEST_CASE("design 4: an open campaign grants, with all that the attempt needs") {
  auto p = staged(50);
  p.priority = Priority::kHigh;
  p.max_retries = 5;
  p.timeout_minutes = 45;
  p.pre_update_commands = {"stop"};
  p.post_update_commands = {"start"};
  p.maintenance_window = MaintenanceWindow{660, 780, "device"};
  const auto g = expect_grant(decide_on(running(p)));
  CHECK(g.attempt == 1);
  CHECK(g.action == kAction);
  CHECK(g.batch == 1);
  CHECK_FALSE(g.retry);
  CHECK(g.start_by == kNow + minutes(15));
  const UpdatePlan expected{kFirmware, "2.0.0",  "2.1.0",    Priority::kHigh,
                            5,         45,       52'428'800, 88,
                            false,     {"stop"}, {"start"},  MaintenanceWindow{660, 780, "device"}};
  CHECK(g.plan == expected);
}

TEST_CASE("an immediate campaign has no batches") {
  CHECK(expect_grant(decide_on(running())).batch == 0);
}

TEST_CASE("decision 7: the deadline of a grant comes from the sleep that the device was given") {
  auto p = policy();
  p.timeout_minutes = 10;
  CHECK(expect_grant(decide_on(running(p))).start_by == kNow + minutes(10));
  auto a = ask();
  a.poll_sleep = seconds(30);
  CHECK(expect_grant(decide_on(running(), a)).start_by == kNow + minutes(5));
}

TEST_CASE("gate known, S3/BR-OTA-020: who is not registered, or was deleted, is granted nothing") {
  auto a = ask();
  a.known = false;
  expect_wait(decide_on(running(), a), Gate::kKnown);
}

TEST_CASE("gate targeted: who is no target, or no longer waiting, waits for nothing") {
  expect_wait(decide_on(running(), ask(77)), Gate::kTargeted);
  expect_wait(decide_on({}), Gate::kTargeted);
  expect_wait(decide_on(running(policy(), {first_grant()})), Gate::kTargeted);
  const Fact ends[] = {succeeded(), failed_for_good(), UpdateCancelled{}, UpdateSkipped{}};
  for (const auto& end : ends) {
    expect_wait(decide_on(running(policy(), {first_grant(), started(), end})), Gate::kTargeted);
  }
}

TEST_CASE("gate busy: a grant that is being written is not promised twice") {
  expect_wait(decide_on(running(), ask(), {set_of({7}), 0}), Gate::kBusy);
}

TEST_CASE("gate running: only a campaign in progress grants or skips") {
  CHECK(expect_wait(decide_on({created({7})}), Gate::kRunning).fact == "the campaign is created");
  expect_wait(decide_on(running(policy(), {CampaignPaused{}})), Gate::kRunning);
  auto newest = ask();
  newest.facts.firmware_version = "9.0.0";
  expect_wait(decide_on(running(policy(), {CampaignPaused{}}), newest), Gate::kRunning);
  expect_grant(decide_on(running(policy(), {CampaignPaused{}, CampaignResumed{}})));
}

TEST_CASE("after a cancel, an abort or the close nobody is granted") {
  const Fact ends[] = {CampaignCancelled{}, CampaignAborted{},
                       CampaignClosed{CampaignStatus::kCompleted, {}}};
  for (const auto& end : ends) {
    CHECK(std::holds_alternative<Wait>(decide_on(running(policy(), {end}))));
  }
}

TEST_CASE("gate compatible, BR-OTA-022: a known other model is skipped, an unknown one goes on") {
  auto a = ask();
  a.facts.model = "SF-200";
  CHECK(expect_skip(decide_on(running(), a), SkipReason::kIncompatible).fact ==
        "the device is a SF-200, the firmware is for SF-100");
  a.facts.model.clear();
  expect_grant(decide_on(running(), a));
}

TEST_CASE("gate compatible, decision 5: known hardware outside the range is skipped") {
  auto a = ask();
  for (const char* hardware : {"0.9", "3.1"}) {
    a.facts.hardware_version = hardware;
    const auto skip = expect_skip(decide_on(running(), a), SkipReason::kIncompatible);
    CHECK(skip.fact == std::string("hardware ") + hardware + " is outside 1.0..3.0");
  }
  a.facts.hardware_version.clear();
  expect_grant(decide_on(running(), a));
}

TEST_CASE("gate compatible: an open end of the range reads as any") {
  auto record = created({7});
  record.facts.max_hardware_version.clear();
  auto a = ask();
  a.facts.hardware_version = "0.9";
  CHECK(expect_skip(decide_on({record, CampaignStarted{}}, a), SkipReason::kIncompatible).fact ==
        "hardware 0.9 is outside 1.0..any");
  record.facts.max_hardware_version = "0.5";
  record.facts.min_hardware_version.clear();
  CHECK(expect_skip(decide_on({record, CampaignStarted{}}, a), SkipReason::kIncompatible).fact ==
        "hardware 0.9 is outside any..0.5");
}

TEST_CASE(
    "gate not there, decision 4: a device on this or a newer version is skipped, unless forced") {
  auto a = ask();
  for (const char* version : {"2.1.0", "2.2.0"}) {
    a.facts.firmware_version = version;
    CHECK(expect_skip(decide_on(running(), a), SkipReason::kAlreadyThere).fact ==
          std::string("the device runs ") + version + ", the campaign brings 2.1.0");
  }
  auto p = policy();
  p.force_update = true;
  CHECK(expect_grant(decide_on(running(p), a)).plan->force_update);
  a.facts.firmware_version.clear();
  expect_grant(decide_on(running(), a));
}

TEST_CASE("gate retry time: a retry waits until its moment, and says so") {
  const auto wait =
      expect_wait(decide_on(failed_until_at(kNow + seconds(1)), retry_ask()), Gate::kRetryTime);
  CHECK(wait.until == kNow + seconds(1));
  const auto g = expect_grant(decide_on(failed_until_at(kNow), retry_ask()));
  CHECK(g.retry);
  CHECK(g.attempt == 2);
  CHECK(g.batch == 1);
  CHECK_FALSE(g.plan);
  // It runs something else by now: a rollback must not take it further back than that.
  auto moved = retry_ask();
  moved.facts.firmware_version = "2.0.1";
  CHECK(expect_grant(decide_on(failed_until_at(kNow), moved)).plan->from_version == "2.0.1");
}

TEST_CASE("gate batch: a full batch waits for the next, and reservations fill it too") {
  const auto full = running(staged(1), {of(8, first_grant(1))});
  CHECK(expect_wait(decide_on(full), Gate::kBatch).fact == "batch 1 is full: 1 of 1 granted");
  expect_wait(decide_on(running(staged(1)), ask(), {set_of({8}), 1}), Gate::kBatch);
  expect_grant(decide_on(running(staged(2), {of(8, first_grant(1))})));
  auto next_batch = full;
  next_batch.push_back(BatchOpened{2});
  CHECK(expect_grant(decide_on(next_batch)).batch == 2);
}

TEST_CASE("gate batch: none stands before a retry, which belongs to its old batch") {
  auto facts = failed_until_at(kBefore);
  facts.push_back(BatchOpened{2});
  facts.push_back(of(8, first_grant(2)));
  facts.push_back(of(9, first_grant(2)));
  expect_wait(decide_on(facts, ask(6)), Gate::kBatch);
  CHECK(expect_grant(decide_on(facts, retry_ask())).batch == 1);
}

TEST_CASE("gate concurrency, BR-OTA-016: places are those in progress and those promised") {
  auto p = policy();
  p.max_concurrent_updates = 2;
  const std::vector<Fact> two = {of(8, first_grant()), of(9, first_grant())};
  CHECK(expect_wait(decide_on(running(p, two)), Gate::kConcurrency).fact ==
        "2 of 2 places are taken");
  expect_wait(decide_on(running(p, {of(8, first_grant())}), ask(), {set_of({9}), 0}),
              Gate::kConcurrency);
  expect_grant(decide_on(running(p, {of(8, first_grant())})));
  auto freed = two;
  freed.push_back(of(9, failed_until(kNow)));
  expect_grant(decide_on(running(p, freed)));
}

TEST_CASE("gate concurrency: a retry needs a place like everybody") {
  auto p = policy();
  p.max_concurrent_updates = 1;
  const auto facts =
      running(p, {first_grant(), started(), failed_until(kBefore), of(8, first_grant())});
  expect_wait(decide_on(facts, retry_ask()), Gate::kConcurrency);
}

TEST_CASE("an update that was cancelled before its first grant and asked for again has its first one") {
  const auto g = expect_grant(
      decide_on(running(policy(), {UpdateCancelled{}, at(kBefore, RetryAsked{1, 0, {}})})));
  CHECK_FALSE(g.retry);
  CHECK(g.attempt == 1);
  REQUIRE(g.plan);
  CHECK(g.plan->to_version == "2.1.0");
}

TEST_CASE("the batch gate stands before it too") {
  auto p = policy();
  p.strategy = Strategy::kStaged;
  p.batch_size = 1;
  expect_wait(decide_on(running(p, {of(8, first_grant(1)), UpdateCancelled{},
                                    at(kBefore, RetryAsked{1, 0, {}})})),
              Gate::kBatch);
}

TEST_CASE("a retry that meanwhile got there is skipped") {
  auto a = retry_ask();
  a.facts.firmware_version = "2.1.0";
  expect_skip(decide_on(failed_until_at(kBefore), a), SkipReason::kAlreadyThere);
}

TEST_CASE("nobody is skipped by a campaign that does not run, or while another update is under way") {
  auto there = ask();
  there.facts.firmware_version = "2.1.0";
  expect_skip(decide_on(running(), there), SkipReason::kAlreadyThere);
  expect_wait(decide_on(running(policy(), {CampaignPaused{"lunch"}}), there), Gate::kRunning);
  there.busy_with = "update x";
  expect_wait(decide_on(running(), there), Gate::kBusy);
}

TEST_CASE("decisions 6 and 18: beta firmware reaches a device whose campaign or whose owner has opted in") {
  auto record = created({kOrdinal.value});
  record.facts.is_beta = true;
  const auto beta = [&](bool allowed) {
    record.policy.allow_beta = allowed;
    return std::vector<Fact>{record, CampaignStarted{}};
  };
  expect_wait(decide_on(beta(false)), Gate::kBeta);
  expect_grant(decide_on(beta(true)));
  auto fan = ask();
  fan.owner_wants_beta = true;
  expect_grant(decide_on(beta(false), fan));
}

TEST_CASE("BR-OTA-022: what is not known of a device is recorded as a warning") {
  auto a = ask();
  CHECK(expect_grant(decide_on(running(), a)).warnings.empty());
  a.facts.model.clear();
  CHECK(expect_grant(decide_on(running(), a)).warnings.size() == 1);
}

TEST_CASE("gates have names for people") {
  const std::pair<Gate, const char*> names[] = {
      {Gate::kKnown, "known"},           {Gate::kTargeted, "targeted"},
      {Gate::kCompatible, "compatible"}, {Gate::kNotThere, "not_there_yet"},
      {Gate::kBeta, "beta"},
      {Gate::kBusy, "not_busy"},         {Gate::kRunning, "campaign_running"},
      {Gate::kContent, "content"},       {Gate::kWindow, "window"},
      {Gate::kConsent, "consent"},       {Gate::kRetryTime, "retry_time"},
      {Gate::kBatch, "batch"},           {Gate::kConcurrency, "concurrency"}};
  for (const auto& [gate, name] : names) CHECK(to_text(gate) == name);
  CHECK(to_text(static_cast<Gate>(99)) == "unknown");
}

TEST_CASE("design 4: a grant that lapsed, was cancelled and asked for again has its batch before it like a first one") {
  const auto full = running(staged(2), {of(6, first_grant(1)), of(6, GrantLapsed{1, 1, false}), of(7, first_grant(1)),
                                        of(8, first_grant(1)), of(6, UpdateCancelled{CancelCause::kOperator, 0, 0, false}),
                                        of(6, RetryAsked{1, 1, plan(), 0})});
  const auto decision = decide_on(full, ask(6));
  REQUIRE(std::holds_alternative<Wait>(decision));
  CHECK(std::get<Wait>(decision).gate == Gate::kBatch);
}
