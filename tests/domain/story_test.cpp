// The story of an event: a sentence for every one of them, with who did it and why.
#include "domain/story.hpp"

#include <doctest/doctest.h>

#include "tests/domain/examples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

std::string told(Event event, const std::string& actor = "") {
  Recorded recorded;
  recorded.event = std::move(event);
  return tell(recorded, actor);
}

}  // namespace

TEST_CASE("a sentence says who did it and why, or that nobody did") {
  CHECK(told(CampaignPaused{"lunch"}, "ada") == "ada paused the campaign: lunch");
  CHECK(told(CampaignPaused{"lunch"}) == "An operator paused the campaign: lunch");
  CHECK(told(CampaignPaused{"it is recalled", PauseCause::kRecalled}) == "The campaign paused by itself: it is recalled");
  CHECK(told(CampaignStarted{}, "ada") == "ada started the campaign");
  CHECK(told(CampaignStarted{}) == "The campaign started");
  CHECK(told(FirmwareRecalled{"bricks"}, "bob") == "bob recalled the firmware: bricks; no device is given it any more");
  AttemptEnded failed;
  failed.attempt = 2;
  failed.error_code = "checksum_mismatch";
  failed.error_message = "the image is damaged";
  CHECK(told(failed) ==
        "Attempt 2 failed, the device failed: checksum_mismatch, the image is damaged; there is no further one");
  failed.kind = FailureKind::kTransport;
  failed.retry_at = Time(std::chrono::seconds(1'777'627'800));
  CHECK(told(failed) == "Attempt 2 failed, the network broke off: checksum_mismatch, the image is damaged; the next may begin at "
                        "2026-05-01T09:30:00.000000Z");
  CHECK(told(UpdateSkipped{SkipReason::kAlreadyThere, "it runs 2.0.0 already"}) == "The device is left out: it runs 2.0.0 already");
  Verdict verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, 12, 40, 20};
  CHECK(told(CampaignRollbackBegun{1, RollbackTrigger::kFailureRate, "", {}, verdict, "", 0}) ==
        "The campaign began to roll back by itself, since too many devices failed: 12 of 40 devices failed (30.00 %), more than "
        "the threshold of 20 %");
  const CampaignRollbackBegun by_hand{1, RollbackTrigger::kManual, "it bricks", {}, {}, "", 0};
  CHECK(told(by_hand) == "An operator began to roll the campaign back: it bricks");
  CHECK(told(by_hand, "ada") == "ada began to roll the campaign back: it bricks");
  CHECK(told(CampaignSwitched{false, "every device holds the update, or has ended"}) ==
        "The campaign switched: whoever holds the update installs it; every device holds the update, or has ended");
}

TEST_CASE("every event has a sentence, with and without an actor, and none has a hole in it") {
  for (const auto& example : examples()) {
    for (const auto* actor : {"", "ada"}) {
      const auto text = told(example.event, actor);
      CAPTURE(example.message);
      CAPTURE(text);
      CHECK(text.size() > 10);
      CHECK(text.find("  ") == std::string::npos);
      CHECK(text.find("does not know") == std::string::npos);
      CHECK(text.find("()") == std::string::npos);
      CHECK(text.back() != ' ');
      CHECK(text.back() != ':');
      CHECK((text.front() < 'a' || text.starts_with("ada ")));
    }
  }
  CHECK(told(UnknownEvent{4711}) == "Something that this version does not know (type 4711)");
}
