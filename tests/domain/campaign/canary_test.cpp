// Canary: the first devices are judged by their evidence; what follows is staged (design, section
// 4).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using enum VerdictDecision;

namespace {

// Rates far apart, so that a canary is good enough where the threshold is not: 8 devices.
CampaignPolicy forgiving() {
  auto p = canary_policy();
  p.canary_p0_basis_points = 1'000;
  p.canary_p1_basis_points = 9'000;
  p.min_finished_for_verdict = 2;
  return p;
}

CanaryPromoted promoted(std::uint32_t failed, std::uint32_t counted) {
  return {evidence(kPromote, failed, counted), false, {}};
}
CampaignRollbackBegun aborted(const Verdict& verdict) { return rolled_back(verdict); }
CampaignPaused paused(const Verdict& verdict) {
  return {sentence(verdict), PauseCause::kCanary, verdict};
}

const Verdict kUndecidedOf46 = evidence(kUndecided, 4, 46, 10);
std::vector<Fact> undecided(const CampaignPolicy& policy = canary_policy(),
                            std::uint32_t devices = 100) {
  return canary(times(4, 'x') + times(42, '.'), policy, devices);
}
// And paused for it.
std::vector<Fact> paused_undecided(std::uint32_t devices = 100) {
  return undecided(canary_policy(), devices) + std::vector<Fact>{paused(kUndecidedOf46)};
}

}  // namespace

// ---- who may join -------------------------------------------------------------------------------

TEST_CASE("design 4: the canary's devices are those up to the stored cut-off") {
  const auto record = created_canary(1'000);
  const auto s = given({record, CampaignStarted{}}).campaign();
  CHECK(s.in_canary());
  CHECK(s.canary == record.canary);
  CHECK(s.cohort.cardinality() == 184);
  CHECK(s.cohort.isSubset(s.targets));
}

TEST_CASE("a campaign without a table has no canary, whatever its strategy") {
  const auto s = given({created({1, 2, 3}, canary_policy()), CampaignStarted{}}).campaign();
  CHECK_FALSE(s.in_canary());
  CHECK(s.cohort.isEmpty());
}

TEST_CASE("gate batch: a device that is not among the canary's waits, one that is joins") {
  const auto scenario = given({created_canary(1'000), CampaignStarted{}});
  const auto s = scenario.campaign();
  CHECK(is_granted(ask_for(scenario, ask_of(s.cohort.minimum()))).batch == 1);
  const Bitmap others = s.targets - s.cohort;
  const auto wait = is_waiting(ask_for(scenario, ask_of(others.minimum())), Gate::kBatch);
  CHECK(wait.fact == "the canary goes first, and the device is not in it");
}

TEST_CASE("gate batch: a canary is full with its quota, and reservations fill it") {
  const auto full = given(canary(times(46, '?')));
  CHECK(is_waiting(ask_for(full, ask_of(60)), Gate::kBatch).fact ==
        "the canary is full: 46 of 46 granted");
  const auto almost = given(canary(times(45, '?')));
  is_granted(ask_for(almost, ask_of(60)));
  is_waiting(ask_for(almost, ask_of(60), {set_of({61}), 1}), Gate::kBatch);
  CHECK_FALSE(room(full.campaign(), {}, kNow).for_first_attempts);
  CHECK(room(full.campaign(), {}, kNow).for_retries);
  CHECK(room(almost.campaign(), {}, kNow).for_first_attempts);
}

TEST_CASE("what lapses, is cancelled or fails by a broken link makes room for another canary") {
  auto broken = failed_until(kNow);
  broken.batch = 1;
  auto service = broken;
  broken.kind = FailureKind::kTransport;
  service.kind = FailureKind::kService;
  const Fact leaving[] = {GrantLapsed{1, 1, false},
                          UpdateCancelled{CancelCause::kDeclined, 1, 1, false}, broken, service};
  for (const auto& fact : leaving) {
    const auto scenario = given(canary(times(46, '?')) + std::vector<Fact>{of(3, fact)});
    CHECK(scenario.campaign().evidence.count() == 45);
    is_granted(ask_for(scenario, ask_of(60)));
  }
}

TEST_CASE("design 4: no batch gate stands before a retry, in a canary neither") {
  auto facts = canary("r" + times(45, '?'));
  auto ask = ask_of(0);
  ask.attempts = 1;
  ask.batch = 1;
  const auto scenario = given(facts).now(kNow + hours(2));
  const auto g = is_granted(ask_for(scenario, ask));
  CHECK(g.retry);
  CHECK(g.batch == 1);
}

// ---- how it is judged ---------------------------------------------------------------------------

TEST_CASE("design 4: enough clean devices promote the canary, by the numbers that decided it") {
  given(canary(times(17, '.'))).own_events().then({promoted(0, 17)});
  given(canary(times(16, '.'))).own_events().then_nothing();
  given(canary("x" + times(26, '.'))).own_events().then({promoted(1, 27)});
  given(canary("x" + times(25, '.'))).own_events().then_nothing();
}

TEST_CASE("design 4: only the devices before the first unknown one promote") {
  given(canary("?" + times(40, '.'))).own_events().then_nothing();
  given(canary(times(17, '.') + times(20, '?'))).own_events().then({promoted(0, 17)});
}

TEST_CASE("design 4: failures abort the canary, what is unknown counts as not failed") {
  given(canary("xx")).own_events().then({aborted(evidence(kAbort, 2, 2))});
  given(canary("xx?")).own_events().then({aborted(evidence(kAbort, 2, 3))});
  given(canary("xx??")).own_events().then_nothing();
  given(canary(times(7, 'x') + times(39, '?')))
      .own_events()
      .then({aborted(evidence(kAbort, 7, 46))});
}

TEST_CASE("design 4: a device's outcome is that of its first attempt") {
  given(canary("rr")).own_events().then({aborted(evidence(kAbort, 2, 2))});
  auto saved = retry_grant(2);
  saved.batch = 1;
  auto success = succeeded(2);
  success.batch = 1;
  success.retry = true;
  const auto s = given(canary("r") + std::vector<Fact>{of(0, saved), of(0, success)}).campaign();
  CHECK(s.completed == set_of({0}));
  CHECK(s.evidence.failed() == 1);
  CHECK(s.evidence.count() == 1);
}

TEST_CASE("design 4: a timeout fails like a device's own failure") {
  auto end = failed_until(kNow);
  end.batch = 1;
  end.kind = FailureKind::kTimeout;
  const auto facts = canary("??") + std::vector<Fact>{of(0, end), of(1, end)};
  given(facts).own_events().then({aborted(evidence(kAbort, 2, 2))});
}

TEST_CASE("a device that left by a broken link joins again with its retry, as the last") {
  auto retry = retry_grant(2);
  retry.batch = 1;
  const auto facts = canary("t.") + std::vector<Fact>{of(0, retry)};
  const auto s = given(facts).campaign();
  REQUIRE(s.evidence.count() == 2);
  CHECK(s.evidence.sequence()[0].ordinal == Ordinal{1});
  CHECK(s.evidence.sequence()[1] == Evidence::Entry{{0}, ota::domain::Outcome::kUnknown});
  auto failed = failed_for_good(2);
  failed.batch = 1;
  failed.retry = true;
  CHECK(given(facts + std::vector<Fact>{of(0, failed)}).campaign().evidence.failed() == 1);
}

TEST_CASE("during a canary the threshold is not applied, after it it is") {
  // One of two is 50 %, more than the 20 % of the threshold.
  given(canary("x.", forgiving())).own_events().then_nothing();
  auto good_enough = canary("x...", forgiving());
  Verdict verdict{VerdictRule::kEvidence, kPromote, 1, 4, 20, false, 1'000, 9'000, 0};
  const auto table = evidence_table(20, 1'000, 9'000, 1'000);
  verdict.log_likelihood = log_likelihood(table, 1, 4);
  verdict.abort_at = table.abort_at;
  verdict.promote_at = table.promote_at;
  given(good_enough).own_events().then({CanaryPromoted{verdict, false, {}}});
  good_enough.emplace_back(CanaryPromoted{verdict, false, {}});
  given(good_enough).own_events().then({aborted(threshold(kAbort, 1, 4))});
}

TEST_CASE("a canary with too many failures is paused, where nothing is rolled back by itself") {
  auto not_a_trigger = canary_policy();
  not_a_trigger.rollback_triggers = {RollbackTrigger::kManual};
  for (const auto& policy : {without_rollback(canary_policy()), not_a_trigger}) {
    const auto facts = canary("xx", policy);
    const auto verdict = evidence(kAbort, 2, 2);
    given(facts).own_events().then({paused(verdict)});
    const auto after = facts + std::vector<Fact>{paused(verdict)};
    given(after).own_events().then_nothing();
    const auto s = given(after).campaign();
    CHECK(s.status == CampaignStatus::kPaused);
    CHECK(s.pause_cause == PauseCause::kCanary);
    CHECK(s.verdict == verdict);
    CHECK(s.status_reason ==
          "2 of 2 canary devices failed: a failure rate of 4 % or less is ruled out at 95 %");
  }
}

TEST_CASE("a paused canary is aborted or promoted like a running one, and stays paused") {
  const std::vector<Fact> lunch{CampaignPaused{"lunch"}};
  given(canary("xx") + lunch).own_events().then({aborted(evidence(kAbort, 2, 2))});
  given(canary(times(17, '.')) + lunch).own_events().then({promoted(0, 17)});
  const auto s =
      given(canary(times(17, '.')) + lunch + std::vector<Fact>{promoted(0, 17)}).campaign();
  CHECK(s.status == CampaignStatus::kPaused);
  CHECK(s.promoted);
  given(canary("xx", without_rollback(canary_policy())) + lunch).own_events().then_nothing();
  given(undecided() + lunch).own_events().then_nothing();
  given(undecided() + lunch + std::vector<Fact>{CampaignResumed{}})
      .own_events()
      .then({paused(kUndecidedOf46)});
}

// ---- undecided ----------------------------------------------------------------------------------

TEST_CASE("design 4: a canary that its quota does not decide is paused, and says what would") {
  given(undecided()).own_events().then({paused(kUndecidedOf46)});
  CHECK(sentence(kUndecidedOf46) ==
        "4 of 46 canary devices failed: canary undecided, 10 more clean devices would promote");
  given(canary(times(4, 'x') + times(41, '.') + "?")).own_events().then_nothing();
  given(paused_undecided()).own_events().then_nothing();
}

TEST_CASE("design 4: resuming an undecided canary tops it up by what would promote") {
  const auto record = created_canary(1'000);
  Bitmap targets;
  targets.addRange(0, 1'000);
  const CanaryToppedUp more{10, canary_cutoff(kCampaign, targets, *record.canary, 10)};
  const auto facts = paused_undecided(1'000);
  given(facts).when(ResumeCampaign{}).then({CampaignResumed{}, more});
  const auto resumed = facts + std::vector<Fact>{CampaignResumed{}, more};
  const auto s = given(resumed).campaign();
  CHECK(s.status == CampaignStatus::kInProgress);
  CHECK(s.status_reason.empty());
  CHECK(s.evidence.topped_up() == 10);
  CHECK(s.cohort.cardinality() == 184 + 40);
  CHECK(given(facts).campaign().cohort.isSubset(s.cohort));
  given(resumed).own_events().then_nothing();
  CHECK(room(s, {}, kNow).for_first_attempts);
}

TEST_CASE("design 4: topped up and clean, the canary is promoted; else it stands again") {
  const std::vector<Fact> more{CampaignResumed{},
                               CanaryToppedUp{10, created_canary(100).canary_cutoff}};
  given(paused_undecided() + more + faring(times(10, '.'), 1, 46))
      .own_events()
      .then({promoted(4, 56)});
  const auto facts = paused_undecided() + more + faring("x" + times(9, '.'), 1, 46);
  const auto verdict = given(facts).own_events().the<CampaignPaused>().verdict;
  REQUIRE(verdict);
  CHECK(verdict->decision == kUndecided);
  CHECK(verdict->counted == 56);
  CHECK(verdict->more > 0);
}

TEST_CASE(
    "resuming a canary that an operator paused tops up nothing, nor does one that is promoted") {
  given(canary("..") + std::vector<Fact>{CampaignPaused{"lunch"}})
      .when(ResumeCampaign{})
      .then({CampaignResumed{}});
  given(paused_undecided() + std::vector<Fact>{CanaryPromoted{kUndecidedOf46, true, ""}})
      .when(ResumeCampaign{})
      .then({CampaignResumed{}});
}

TEST_CASE(
    "a canary with too many failures that is resumed stands again: only promoting overrides") {
  const auto verdict = evidence(kAbort, 2, 2);
  const auto facts =
      canary("xx", without_rollback(canary_policy())) + std::vector<Fact>{paused(verdict)};
  const auto more = given(facts).when(ResumeCampaign{}).the<CanaryToppedUp>();
  CHECK(more.devices == 1);
  given(facts + std::vector<Fact>{CampaignResumed{}, more}).own_events().then({paused(verdict)});
  const CanaryPromoted by_operator{verdict, true, "known fault"};
  given(facts).when(PromoteCampaign{"known fault"}).then({by_operator, CampaignResumed{}});
  given(facts + std::vector<Fact>{by_operator, CampaignResumed{}}).own_events().then_nothing();
}

TEST_CASE("a canary that nobody can join any more is undecided before it is full") {
  const auto record = created_canary(1'000);
  const auto cohort = given({record}).campaign().cohort;
  std::vector<Fact> facts{record, CampaignStarted{}};
  std::uint32_t seen = 0;
  std::uint32_t last = 0;
  for (const std::uint32_t o : cohort) {
    if (++seen <= 4) {
      facts = facts + std::vector<Fact>{of(o, first_grant(1)), of(o, succeeded())};
    } else if (seen < 184) {
      facts.push_back(of(o, UpdateSkipped{}));
    }
    last = o;
  }
  given(facts).own_events().then_nothing();
  // The last one waits for its retry: it may join again.
  auto broken = failed_until(kNow);
  broken.kind = FailureKind::kTransport;
  const auto waiting = facts + std::vector<Fact>{of(last, first_grant(1)), of(last, broken)};
  given(waiting).own_events().then_nothing();
  const auto exhausted = facts + std::vector<Fact>{of(last, UpdateSkipped{})};
  given(exhausted).own_events().then({paused(evidence(kUndecided, 0, 4, 13))});
}

// ---- promoted -----------------------------------------------------------------------------------

TEST_CASE("no batch opens during a canary; behind it the second one is open") {
  given(canary(times(10, '.'))).own_events().then_nothing();
  const auto facts = canary(times(17, '.') + "???") + std::vector<Fact>{promoted(0, 17)};
  auto s = given(facts).campaign();
  CHECK_FALSE(s.in_canary());
  CHECK(s.verdict == evidence(kPromote, 0, 17));
  CHECK(s.batch == 2);
  CHECK(s.batch_granted == 0);
  CHECK(is_granted(ask_for(given(facts), ask_of(90))).batch == 2);
  const auto full = facts + faring(".....", 2, 50);
  given(full).own_events().then({BatchOpened{3}});
  is_waiting(ask_for(given(full), ask_of(90)), Gate::kBatch);
  // Stragglers of the canary do not count in the second batch.
  auto late = succeeded();
  late.batch = 1;
  s = given(facts + std::vector<Fact>{of(17, late), of(18, GrantLapsed{1, 1, false})}).campaign();
  CHECK(s.batch_granted == 0);
  CHECK(s.batch_settled == 0);
}

TEST_CASE("what happens behind the promotion is no evidence any more") {
  const auto facts =
      canary(times(17, '.') + "?") + std::vector<Fact>{promoted(0, 17)} + faring("x.?", 2, 50);
  auto straggler = failed_for_good();
  straggler.batch = 1;
  const auto s = given(facts + std::vector<Fact>{of(17, straggler)}).campaign();
  CHECK(s.failed == set_of({17, 50}));
  CHECK(s.evidence.count() == 18);
  CHECK(s.evidence.known() == 17);
  CHECK(s.evidence.failed() == 0);
}

TEST_CASE("an operator promotes a canary that runs or is paused, once") {
  const auto so_far = evidence(kUndecided, 1, 3);
  given(canary("x.?"))
      .when(PromoteCampaign{"seen enough"})
      .then({CanaryPromoted{so_far, true, "seen enough"}});
  given(canary("x.?") + std::vector<Fact>{promoted(0, 17)})
      .when(PromoteCampaign{"seen enough"})
      .then_nothing();
  // What an operator paused stays paused.
  given(canary("x.?") + std::vector<Fact>{CampaignPaused{"lunch"}})
      .when(PromoteCampaign{"seen enough"})
      .then({CanaryPromoted{so_far, true, "seen enough"}});
  given(paused_undecided())
      .when(PromoteCampaign{"seen enough"})
      .then({CanaryPromoted{kUndecidedOf46, true, "seen enough"}, CampaignResumed{}});
}

TEST_CASE("a canary is promoted neither before its start nor after its end") {
  const std::vector<std::vector<Fact>> closed = {
      {created_canary(100)},
      {created_canary(100), CampaignScheduled{kNow}},
      canary("..") + std::vector<Fact>{CampaignCancelled{"no"}},
      canary("..") + std::vector<Fact>{CampaignAborted{}}};
  for (const auto& facts : closed) {
    const auto error =
        given(facts).when(PromoteCampaign{"now"}).then_error(ErrorCode::kStateTransition);
    CHECK(error.allowed == std::vector<std::string>{"in_progress", "paused"});
  }
  given({}).when(PromoteCampaign{"now"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("what has no canary cannot be promoted") {
  const auto error = given({created({1}), CampaignStarted{}})
                         .when(PromoteCampaign{"now"})
                         .then_error(ErrorCode::kStateTransition);
  CHECK(error.message == "only a canary can be promoted; this campaign is immediate");
}

TEST_CASE("a promotion in spite of failures lets the rollout go on, until more come") {
  auto p = forgiving();
  p.canary_p0_basis_points = 0;
  p.canary_p1_basis_points = 0;
  const auto facts = paused_undecided() +
                     std::vector<Fact>{CanaryPromoted{kUndecidedOf46, true, ""}, CampaignResumed{}};
  CHECK(given(facts).campaign().judged_failed == 4);
  given(facts).own_events().then_nothing();
  given(facts + faring("xxxxx", 2, 50)).own_events().then({BatchOpened{3}});  // 9 of 51
  given(facts + faring("xxxxxxx", 2, 50)).own_events().then({aborted(threshold(kAbort, 11, 53))});
}

// ---- small fleets, and the end ------------------------------------------------------------------

TEST_CASE("design 4: of a small fleet a slice goes first, and every device must succeed") {
  const auto scenario = given(canary("...", canary_policy(), 30));
  CHECK(scenario.campaign().canary->slice == 3);
  is_waiting(ask_for(scenario, ask_of(20)), Gate::kBatch);
  scenario.own_events().then(
      {CanaryPromoted{evidence(kPromote, 0, 3, 0, VerdictRule::kSlice), false, {}}});
  given(canary("..?", canary_policy(), 30)).own_events().then_nothing();
  given(canary("r??", canary_policy(), 30))
      .own_events()
      .then({aborted(evidence(kAbort, 1, 3, 0, VerdictRule::kSlice))});
}

TEST_CASE("a slice that nobody can join any more is undecided, and topping up widens it") {
  std::vector<Fact> facts{created_canary(30), CampaignStarted{}};
  const auto cohort = given(facts).campaign().cohort;
  CHECK(cohort.cardinality() == 12);
  for (const std::uint32_t o : cohort) {
    facts = facts + (o == cohort.minimum()
                         ? std::vector<Fact>{of(o, first_grant(1)), of(o, succeeded())}
                         : std::vector<Fact>{of(o, UpdateSkipped{})});
  }
  const auto verdict = evidence(kUndecided, 0, 1, 2, VerdictRule::kSlice);
  given(facts).own_events().then({paused(verdict)});
  const auto standing = facts + std::vector<Fact>{paused(verdict)};
  const auto more = given(standing).when(ResumeCampaign{}).the<CanaryToppedUp>();
  CHECK(more.devices == 2);
  const auto s = given(standing + std::vector<Fact>{CampaignResumed{}, more}).campaign();
  CHECK(s.cohort.cardinality() == 20);
  CHECK(canary_size(*s.canary, s.evidence.topped_up()) == 3);
  given(standing + std::vector<Fact>{CampaignResumed{}, more}).own_events().then_nothing();
}

TEST_CASE("a fleet that has ended while still in its canary closes by its threshold") {
  given(canary(".", canary_policy(), 1))
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 1)}});
  given(canary("x", canary_policy(), 1)).own_events().then({aborted(threshold(kAbort, 1, 1))});
  given(canary("x", without_rollback(canary_policy()), 1))
      .own_events()
      .then({CampaignClosed{CampaignStatus::kFailed, threshold(kAbort, 1, 1)}});
  std::vector<Fact> skipped{created_canary(100), CampaignStarted{}};
  for (std::uint32_t o = 0; o < 100; ++o) skipped.push_back(of(o, UpdateSkipped{}));
  given(skipped).own_events().then(
      {CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 0)}});
}

TEST_CASE("the verdict of the end takes the place of the canary's") {
  const auto facts = canary(times(17, '.'), without_rollback(canary_policy()), 92) +
                     std::vector<Fact>{promoted(0, 17)};
  const CampaignClosed closed{CampaignStatus::kFailed, threshold(kAbort, 75, 92)};
  const auto ended = facts + faring(times(75, 'x'), 2, 17);
  given(ended).own_events().then({closed});
  CHECK(given(ended + std::vector<Fact>{closed}).campaign().verdict == closed.verdict);
  // A cancelled one says how far it came, not how its canary was judged.
  given(facts + std::vector<Fact>{CampaignCancelled{"no"}})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCancelled, threshold(kPass, 0, 17)}});
}
