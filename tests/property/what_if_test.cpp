// What if, over whole rollouts of random fleets: under its own policy a record says what was, and the replay says the same.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "domain/campaign/replay.hpp"
#include "domain/campaign/what_if.hpp"
#include "tests/property/fleet.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using std::chrono::minutes;

namespace {

// What was, from the events alone.
struct Was {
  Campaign campaign;
  Bitmap granted;
  std::optional<Time> stopped_at;
  std::uint32_t granted_when_stopped = 0;
};

Was was(const std::vector<Recorded>& followed) {
  Was w;
  for (const auto& event : followed) {
    evolve(w.campaign, event);
    const auto* id = std::get_if<UpdateId>(&event.stream);
    if (id && id->of_campaign && id->kind == UpdateId::kDeployment && std::holds_alternative<AttemptGranted>(event.event)) {
      w.granted.add(id->ordinal.value);
    }
    const auto* paused = std::get_if<CampaignPaused>(&event.event);
    const bool stops = std::holds_alternative<CampaignRollbackBegun>(event.event) || (paused && paused->verdict);
    if (!stops || w.stopped_at) continue;
    w.stopped_at = event.time;
    w.granted_when_stopped = static_cast<std::uint32_t>(w.granted.cardinality());
  }
  return w;
}

CampaignRecord record_of(const std::vector<Recorded>& followed) {
  CampaignRecorder recorder(kCampaign);
  for (const auto& event : followed) recorder.add(event);
  return recorder.take();
}

void check_alike(const WhatIfOutcome& outcome, const Was& w) {
  const auto now = w.campaign.counts();
  RC_ASSERT(outcome.at_end.total == now.total);
  RC_ASSERT(outcome.at_end.in_progress == now.in_progress);
  RC_ASSERT(outcome.granted == w.granted.cardinality());
  RC_ASSERT(outcome.granted_when_stopped == w.granted_when_stopped);
  RC_ASSERT(outcome.at_end.completed == now.completed);
  RC_ASSERT(outcome.at_end.failed == now.failed);
  RC_ASSERT(outcome.at_end.cancelled == now.cancelled);
  RC_ASSERT(outcome.status == w.campaign.status);
}

void check_within(const WhatIfBounds& b, const WhatIfOutcome& o) {
  const auto holds = [](const Between<std::uint32_t>& range, std::uint32_t value) {
    return range.min <= value && value <= range.max;
  };
  RC_ASSERT(holds(b.granted, o.granted));
  RC_ASSERT(holds(b.completed, o.at_end.completed));
  RC_ASSERT(holds(b.failed, o.at_end.failed));
  RC_ASSERT(holds(b.cancelled, o.at_end.cancelled));
  RC_ASSERT((b.stopped == Stopped::kPerhaps || (b.stopped == Stopped::kAlways) == o.stopped_at.has_value()));
  if (!o.stopped_at) return;
  RC_ASSERT(b.stopped_at.has_value());
  RC_ASSERT(b.stopped_at->min <= *o.stopped_at);
  RC_ASSERT((!b.stopped_at->max || *o.stopped_at <= *b.stopped_at->max));
  RC_ASSERT(holds(*b.granted_when_stopped, o.granted_when_stopped));
}

FleetOptions replayed_fleet() {
  FleetOptions options;
  options.devices = *rc::gen::inRange<std::uint32_t>(0, 40);
  options.policy = *any_policy();
  auto& p = options.policy;
  p.scheduled_start.reset();
  p.scheduled_end.reset();
  p.requires_approval = *rc::gen::inRange(0, 4) == 0;
  if (*rc::gen::inRange(0, 4) == 0) p.scheduled_start = kNow + minutes(*rc::gen::inRange(-10, 120));
  if (*rc::gen::inRange(0, 4) == 0) p.scheduled_end = kNow + minutes(*rc::gen::inRange(1, 2'000));
  p.require_version_proof = *rc::gen::inRange(0, 6) == 0;
  p.download_only = p.strategy != Strategy::kBlueGreen && *rc::gen::inRange(0, 8) == 0;
  p.health_window_minutes = *rc::gen::inRange<std::uint32_t>(0, 30);
  options.content_pending = *rc::gen::inRange(0, 4) == 0;
  options.seed = *rc::gen::arbitrary<std::uint32_t>();
  options.failing_percent = *rc::gen::inRange<std::uint32_t>(0, 101);
  options.transport_percent = *rc::gen::inRange<std::uint32_t>(0, 60);
  options.silent_percent = *rc::gen::inRange<std::uint32_t>(0, 60);
  options.operators = *rc::gen::arbitrary<bool>();
  options.deletions = *rc::gen::arbitrary<bool>();
  options.recalls = *rc::gen::inRange(0, 4) == 0;
  options.directs = *rc::gen::arbitrary<bool>();
  return options;
}

}  // namespace

TEST_CASE("whatever became of a campaign, under its own policy the answer is that, exactly, and is decided again alike") {
  CHECK(rc::check([] {
    auto options = replayed_fleet();
    options.rollbacks = *rc::gen::arbitrary<bool>();
    options.prompt = *rc::gen::arbitrary<bool>();
    Fleet fleet(options);
    fleet.run();
    const auto record = record_of(fleet.followed());
    RC_ASSERT(!why_no_what_if(record, options.policy));
    const auto answer = what_if(record, options.policy, {});
    RC_ASSERT(answer.is_exact());
    const auto w = was(fleet.followed());
    check_alike(answer.scenarios.front().outcome, w);
    RC_ASSERT(answer.scenarios.front().outcome.stopped_at == w.stopped_at);
    RC_ASSERT(answer.scenarios.front().outcome.ended_at == w.campaign.ended_at);
    std::uint32_t differing = 0;
    campaign::recount(record, &differing);
    RC_ASSERT(differing == 0u);
  }));
}

// The replay of other policies, under the same one: of a service that decides at once it says what was.
TEST_CASE("a replay of the outcomes under the same policy leads where they led") {
  CHECK(rc::check([] {
    auto options = replayed_fleet();
    if (options.policy.strategy == Strategy::kBlueGreen) options.policy.strategy = Strategy::kStaged;
    options.prompt = true;
    Fleet fleet(options);
    fleet.run();
    const auto record = record_of(fleet.followed());
    const auto outcome = campaign::Replay(record, options.policy, {}, {}).run();
    RC_ASSERT(!outcome.cut_short);
    RC_ASSERT(outcome.unknown == 0u);
    // A schedule's end is folded here when it comes, by a fleet a little later: what stops it then has that moment.
    const auto w = was(fleet.followed());
    RC_ASSERT(outcome.stopped_at.has_value() == w.stopped_at.has_value());
    if (!w.campaign.ended_by_schedule) RC_ASSERT(outcome.stopped_at == w.stopped_at);
    check_alike(outcome, w);
  }));
}

TEST_CASE("under any other policy a replay comes to its end, counts every device once, and its bounds hold any mixture of ends") {
  CHECK(rc::check([] {
    auto options = replayed_fleet();
    options.rollbacks = *rc::gen::arbitrary<bool>();
    Fleet fleet(options);
    fleet.run();
    const auto record = record_of(fleet.followed());
    auto other = options.policy;
    const auto drawn = *any_policy();
    other.strategy = drawn.strategy;
    other.max_concurrent_updates = drawn.max_concurrent_updates;
    other.batch_size = drawn.batch_size;
    other.batch_settle_percent = drawn.batch_settle_percent;
    other.failure_threshold_percent = drawn.failure_threshold_percent;
    other.min_finished_for_verdict = drawn.min_finished_for_verdict;
    other.max_retries = drawn.max_retries;
    other.auto_rollback = drawn.auto_rollback;
    other.rollback_triggers = drawn.rollback_triggers;
    other.rollout_percentage = *rc::gen::inRange<std::uint32_t>(1, 101);
    if (why_no_what_if(record, other)) return;
    const auto answer = what_if(record, other, {});
    const auto bounds = answer.bounds();
    for (const auto& scenario : answer.scenarios) {
      const auto& o = scenario.outcome;
      RC_ASSERT(!o.cut_short);
      RC_ASSERT(o.at_end.in_progress == 0u);
      RC_ASSERT(o.at_end.completed + o.at_end.failed + o.at_end.cancelled <= o.at_end.total);
      RC_ASSERT(o.granted <= o.at_end.total);
      RC_ASSERT(o.at_end.completed + o.at_end.failed <= o.granted);
      check_within(bounds, o);
    }
    const auto followed = campaign::follow(record, other, {});
    if (!followed.parting && !admits_earlier(record, other)) return;   // nothing to be played
    const auto at_once = admits_earlier(record, other) ? campaign::Coming::kAtOnce : campaign::Coming::kLeftLater;
    for (const auto coming : {campaign::Coming::kAsRecorded, at_once}) {
      for (int run = 0; run < 8; ++run) {
        auto played = campaign::options_of(followed, coming);
        played.drawn = *rc::gen::arbitrary<std::uint64_t>();
        const auto o = campaign::Replay(record, other, {}, played).run();
        check_within(bounds, o);
        if (answer.is_exact()) RC_ASSERT(agree(o, answer.scenarios.front().outcome));
      }
    }
  }));
}
