// What if: the record of a campaign under its own policy ends as it ended, and under others as the rules say.
#include "domain/campaign/what_if.hpp"

#include <doctest/doctest.h>

#include "domain/rollout.hpp"

using namespace ota::domain;
using std::chrono::minutes;

namespace {

const Time kWhatIfBegin = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
const CampaignId kReplayed{{0x77}};
constexpr std::uint32_t kFleet = 40;

// A campaign of 40 devices, as the log has it: device n asks in minute n, and takes five minutes.
struct Written {
  explicit Written(CampaignPolicy policy, std::uint32_t granted = kFleet) : recorder(kReplayed) {
    CampaignCreated created;
    created.name = "replayed";
    created.facts.version = "2.0.0";
    created.facts.device_model = "SF-100";
    created.policy = std::move(policy);
    Bitmap targets;
    targets.addRange(0, kFleet);
    created.targets = to_bytes(targets);
    const auto pick = pick_percentage(kReplayed, targets, 100);
    created.picked = pick.count;
    created.pick_cutoff = pick.cutoff;
    tell(kWhatIfBegin, kReplayed, created);
    tell(kWhatIfBegin, kReplayed, CampaignStarted{});
    for (std::uint32_t n = 0; n < granted; ++n) {
      AttemptGranted grant;
      grant.plan.emplace();
      grant.plan->from_version = "1.0.0";
      pending.push_back({kWhatIfBegin + minutes(n), UpdateId::in_campaign(kReplayed, {n}), grant});
      AttemptEnded end;
      end.success = n % 10 != 3;   // 3, 13, 23, 33
      if (!end.success) end.error_code = "E3";
      pending.push_back({kWhatIfBegin + minutes(n + 5), UpdateId::in_campaign(kReplayed, {n}), end});
    }
  }
  CampaignRecord record(Event end, Time at) {
    pending.push_back({at, kReplayed, std::move(end)});
    std::stable_sort(pending.begin(), pending.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    for (auto& p : pending) tell(p.at, p.stream, p.event);
    return recorder.take();
  }
  void tell(Time at, Stream stream, Event event) {
    recorder.add({{++position}, at, std::move(stream), std::move(event), std::nullopt, {}});
  }
  struct Pending {
    Time at{};
    Stream stream;
    Event event;
  };
  CampaignRecorder recorder;
  std::vector<Pending> pending;
  std::uint64_t position = 0;
};

CampaignPolicy immediate() {
  CampaignPolicy policy;
  policy.strategy = Strategy::kImmediate;
  policy.max_concurrent_updates = 100;
  policy.max_retries = 0;
  return policy;
}

CampaignRecord whole() { return Written(immediate()).record(CampaignClosed{}, kWhatIfBegin + minutes(60)); }

}  // namespace

TEST_CASE("under its own policy a record ends as it ended, and nothing is unknown") {
  const auto answer = what_if(whole(), immediate(), {});
  CHECK(answer.is_exact());
  for (const auto& outcome : {answer.if_unknown_succeed, answer.if_unknown_fail}) {
    CHECK(outcome.status == CampaignStatus::kCompleted);
    CHECK_FALSE(outcome.stopped_at);
    CHECK(outcome.at_end.completed == 36);
    CHECK(outcome.at_end.failed == 4);
    CHECK(outcome.granted == kFleet);
    CHECK(outcome.ended_at == kWhatIfBegin + minutes(44));
  }
}

TEST_CASE("under a lower threshold it would have stopped, and the rest would not have been granted") {
  auto strict = immediate();
  strict.failure_threshold_percent = 5;
  const auto answer = what_if(whole(), strict, {});
  const auto& outcome = answer.if_unknown_fail;
  CHECK(answer.is_exact());
  CHECK(outcome.status == CampaignStatus::kRollback);
  REQUIRE(outcome.stopped_at);
  // 20 have finished in minute 24, with two failures; then 25 are granted: 2 of 25 are more than 5 %.
  CHECK(*outcome.stopped_at == kWhatIfBegin + minutes(24));
  CHECK(outcome.granted_when_stopped == 24);
  CHECK(outcome.when_stopped.failed == 2);
  CHECK(outcome.when_stopped.completed == 18);
  CHECK(outcome.reason.find("more than the threshold of 5 %") != std::string::npos);
  // Who was under way comes to its end: 23 fails, too.
  CHECK(outcome.at_end.failed == 3);
  CHECK(outcome.at_end.completed + outcome.at_end.failed == 24);
}

TEST_CASE("with fewer places it takes longer, and comes to the same") {
  auto narrow = immediate();
  narrow.max_concurrent_updates = 2;
  const auto outcome = what_if(whole(), narrow, {}).if_unknown_succeed;
  CHECK(outcome.status == CampaignStatus::kCompleted);
  CHECK(outcome.at_end.completed == 36);
  CHECK(outcome.ended_at == kWhatIfBegin + minutes(kFleet / 2 * 5 + 1));
}

TEST_CASE("what nobody knows is bounded: a campaign that was stopped, had it not been") {
  auto strict = immediate();
  strict.failure_threshold_percent = 5;
  CampaignRollbackBegun stopped;
  stopped.trigger = RollbackTrigger::kFailureRate;
  const auto record = Written(strict, 20).record(stopped, kWhatIfBegin + minutes(30));
  const auto again = what_if(record, strict, {});
  CHECK(again.is_exact());
  CHECK(again.if_unknown_fail.granted == 20);
  auto lenient = strict;
  lenient.failure_threshold_percent = 40;
  const auto answer = what_if(record, lenient, {});
  CHECK_FALSE(answer.is_exact());
  CHECK(answer.if_unknown_succeed.status == CampaignStatus::kCompleted);
  CHECK(answer.if_unknown_succeed.unknown == 20);
  CHECK(answer.if_unknown_succeed.at_end.failed == 2);
  CHECK(answer.if_unknown_fail.status == CampaignStatus::kRollback);
  CHECK(answer.if_unknown_fail.at_end.failed > 16);
}

TEST_CASE("a canary goes first, in the order in which its devices asked") {
  auto canary = immediate();
  canary.strategy = Strategy::kCanary;
  canary.failure_threshold_percent = 50;
  canary.batch_size = 500;
  const auto outcome = what_if(whole(), canary, {}).if_unknown_fail;
  CHECK(outcome.status == CampaignStatus::kCompleted);
  CHECK(outcome.granted == kFleet);
  CHECK(outcome.at_end.completed == 36);
}

TEST_CASE("an operator does what they did then, when it is possible") {
  Written written(immediate(), 20);
  written.pending.push_back({kWhatIfBegin + minutes(8), kReplayed, CampaignPaused{"lunch", PauseCause::kOperator, {}}});
  written.pending.push_back({kWhatIfBegin + minutes(8) + std::chrono::seconds(30), kReplayed, CampaignResumed{}});
  const auto record = written.record(CampaignCancelled{"enough"}, kWhatIfBegin + minutes(30));
  const auto same = what_if(record, immediate(), {}).if_unknown_fail;
  CHECK(same.status == CampaignStatus::kCancelled);
  CHECK(same.at_end.cancelled == 20);
  CHECK(same.steps_left_out == 0);
  auto strict = immediate();
  strict.failure_threshold_percent = 1;
  strict.min_finished_for_verdict = 1;
  CHECK(what_if(record, strict, {}).if_unknown_fail.steps_left_out > 0);   // there is nothing to pause any more
}

TEST_CASE("what devices did under other times, windows or phases cannot be replayed") {
  const auto record = whole();
  auto other = immediate();
  CHECK_FALSE(why_no_what_if(record, other));
  other.timeout_minutes = 5;
  CHECK(why_no_what_if(record, other));
  other = immediate();
  other.strategy = Strategy::kBlueGreen;
  CHECK(why_no_what_if(record, other)->find("blue_green") != std::string::npos);
}
