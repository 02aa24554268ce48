// When broken links or our own service are the reason, nothing speaks against the update: the
// campaign is paused before anything is rolled back (design, section 4).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using enum VerdictDecision;

namespace {

AttemptEnded failed_by(FailureKind kind) {
  auto end = failed_for_good();
  end.kind = kind;
  return end;
}

// A campaign of 100 devices, of which these fail for good, of what is said: 't'ransport, 's'ervice,
// 'd'evice, time'o'ut; '.' succeeds, '?' runs.
std::vector<Fact> failing(std::string_view fates, std::uint32_t devices = 100,
                          const CampaignPolicy& policy = testing::policy()) {
  Bitmap targets;
  targets.addRange(0, devices);
  std::vector<Fact> facts{created(targets, policy), CampaignStarted{}};
  for (std::uint32_t o = 0; o < fates.size(); ++o) {
    facts.push_back(of(o, first_grant()));
    switch (fates[o]) {
      case 't':
        facts.push_back(of(o, failed_by(FailureKind::kTransport)));
        break;
      case 's':
        facts.push_back(of(o, failed_by(FailureKind::kService)));
        break;
      case 'd':
        facts.push_back(of(o, failed_by(FailureKind::kDevice)));
        break;
      case 'o':
        facts.push_back(of(o, failed_by(FailureKind::kTimeout)));
        break;
      case '.':
        facts.push_back(of(o, succeeded()));
        break;
      default:
        break;
    }
  }
  return facts;
}

CampaignPaused paused(std::uint32_t own, std::uint32_t failed, std::uint32_t counted) {
  const auto verdict = threshold(kAbort, failed, counted);
  return {std::to_string(own) + " of " + std::to_string(failed) +
              " failures are transport or service failures, not the update's: " + sentence(verdict),
          PauseCause::kOwnFaults, verdict};
}
CampaignRollbackBegun aborted(std::uint32_t failed, std::uint32_t counted) {
  return rolled_back(threshold(kAbort, failed, counted));
}

const std::string kFifteen = times(15, '.');

}  // namespace

TEST_CASE("design 4: more than half of the failures by links or our service pause, not abort") {
  given(failing(kFifteen + "ttsdd")).own_events().then({paused(3, 5, 20)});
  given(failing(kFifteen + "sssss")).own_events().then({paused(5, 5, 20)});
  given(failing(kFifteen + "ttdddd")).own_events().then({aborted(6, 21)});
  given(failing(kFifteen + "ddddd")).own_events().then({aborted(5, 20)});
}

TEST_CASE("design 4: just half of them is not more than half") {
  given(failing(kFifteen + "tttddd")).own_events().then({aborted(6, 21)});
}

TEST_CASE("design 4: a timeout is the device's, not our own") {
  given(failing(kFifteen + "ooooo")).own_events().then({aborted(5, 20)});
  CHECK(given(failing("tsdo")).campaign().own_faults == set_of({0, 1}));
}

TEST_CASE("within the threshold nothing is paused, whose faults they may be") {
  given(failing(kFifteen + ".tttt")).own_events().then_nothing();
  given(failing("tttt")).own_events().then_nothing();
}

TEST_CASE("where nothing is rolled back by itself, nothing is paused for our own faults") {
  given(failing(kFifteen + "ttttt", 100, without_rollback(policy()))).own_events().then_nothing();
}

TEST_CASE("the pause for our own faults comes once, with its reason and its numbers") {
  const auto facts = failing(kFifteen + "ttttt") + std::vector<Fact>{paused(5, 5, 20)};
  given(facts).own_events().then_nothing();
  const auto s = given(facts).campaign();
  CHECK(s.status == CampaignStatus::kPaused);
  CHECK(s.pause_cause == PauseCause::kOwnFaults);
  CHECK(s.verdict == threshold(kAbort, 5, 20));
  CHECK(s.status_reason ==
        "5 of 5 failures are transport or service failures, not the update's: 5 of 20 devices "
        "failed (25.00 %), more than the threshold of 20 %");
}

TEST_CASE("a campaign that an operator paused is not paused once more, and is when it resumes") {
  const auto facts = failing(kFifteen + "ttttt") + std::vector<Fact>{CampaignPaused{"lunch"}};
  given(facts).own_events().then_nothing();
  given(facts + std::vector<Fact>{CampaignResumed{}}).own_events().then({paused(5, 5, 20)});
}

TEST_CASE("S5/BR-OTA-041: a pause of the operator's own excuses no failure") {
  // Five failures before lunch, too few results for a verdict; after it they come.
  auto facts = failing("ddddd?") + std::vector<Fact>{CampaignPaused{"lunch"}, CampaignResumed{}};
  CHECK(given(facts).campaign().judged_failed == 0);
  facts.push_back(of(5, succeeded()));
  for (std::uint32_t o = 6; o < 20; ++o) {
    facts.push_back(of(o, first_grant()));
    facts.push_back(of(o, succeeded()));
  }
  given(facts).own_events().then({aborted(5, 20)});
}

TEST_CASE("device failures that come in while it is paused for our own faults abort it") {
  const auto facts = failing(kFifteen + "ttt??????") + std::vector<Fact>{paused(3, 3, 24)};
  given(facts + std::vector<Fact>{of(18, failed_by(FailureKind::kDevice)),
                                  of(19, failed_by(FailureKind::kDevice))})
      .own_events()
      .then_nothing();
  given(facts + std::vector<Fact>{of(18, failed_by(FailureKind::kDevice)),
                                  of(19, failed_by(FailureKind::kDevice)),
                                  of(20, failed_by(FailureKind::kDevice))})
      .own_events()
      .then({aborted(6, 24)});
}

TEST_CASE("resumed in spite of them, failures that were seen are not held against it again") {
  const auto facts = failing(kFifteen + "ttttt") + std::vector<Fact>{paused(5, 5, 20)};
  given(facts).when(ResumeCampaign{}).then({CampaignResumed{}});
  const auto resumed = facts + std::vector<Fact>{CampaignResumed{}};
  CHECK(given(resumed).campaign().judged_failed == 5);
  given(resumed).own_events().then_nothing();
  const auto one_more =
      resumed + std::vector<Fact>{of(50, first_grant()), of(50, failed_by(FailureKind::kService))};
  given(one_more).own_events().then({paused(6, 6, 21)});
}

TEST_CASE("at the end there is nothing to hold: the campaign fails, without a pause or an abort") {
  given(failing("ttt", 3))
      .own_events()
      .then({CampaignClosed{CampaignStatus::kFailed, threshold(kAbort, 3, 3)}});
  const auto finished =
      failing("t?", 3) + std::vector<Fact>{CampaignFinished{"enough", false}, of(1, succeeded())};
  given(finished).own_events().then(
      {CampaignClosed{CampaignStatus::kFailed, threshold(kAbort, 1, 2)}});
  // What was not the link's is aborted as ever.
  given(failing("d", 1)).own_events().then({aborted(1, 1)});
}

TEST_CASE("a retry that an operator asks for takes its own fault back") {
  const auto facts = failing("t") + std::vector<Fact>{of(0, RetryAsked{1, 1, {}})};
  CHECK(given(facts).campaign().own_faults.isEmpty());
  CHECK(given(facts).campaign().failed.isEmpty());
}

TEST_CASE("design 4: during a canary broken links are no evidence at all") {
  const auto s = given(canary("tttttt")).campaign();
  CHECK(s.evidence.count() == 0);
  given(canary("tttttt")).own_events().then_nothing();
}
