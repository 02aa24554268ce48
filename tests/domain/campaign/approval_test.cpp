// Approval: by another person than the creator; it does not start anything (decision 19).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr Caller kCreator{7};  // who is said to have written what is given
constexpr Caller kApprover{42};

CampaignCreated in_need(std::optional<Time> start = {}) {
  auto p = policy();
  p.requires_approval = true;
  p.scheduled_start = start;
  return created({1, 2, 3}, p);
}

Decision said_by(Caller caller, const std::vector<Fact>& facts, const ApproveCampaign& command) {
  auto context = given(facts).context();
  context.caller = caller;
  return decide(given(facts).campaign(), CampaignCommand(command), context);
}

const CampaignApproved kYes{true, "looks good", "not on Fridays"};
const CampaignApproved kNo{false, "too early", ""};

}  // namespace

TEST_CASE("decision 19: what requires approval does not start before it") {
  const auto error =
      given({in_need()}).when(StartCampaign{}).then_error(ErrorCode::kStateTransition);
  CHECK(error.message == "the campaign cannot start: it requires approval, and is not approved");
  CHECK(error.current_state == "created");
  given({in_need(), kYes}).when(StartCampaign{}).then({CampaignStarted{}});
  given({in_need(kNow + hours(1)), kYes})
      .when(StartCampaign{})
      .then({CampaignScheduled{kNow + hours(1)}});
}

TEST_CASE("decision 19: an approval is recorded with its words, and starts nothing") {
  given({in_need()}).when(ApproveCampaign{true, "looks good", "not on Fridays"}).then({kYes});
  const auto s = given({in_need(), kYes}).campaign();
  CHECK(s.status == CampaignStatus::kCreated);
  CHECK(s.approved);
  CHECK(s.approved_by == kCreator);
  CHECK(s.approval_comment == "looks good");
  CHECK(s.approval_conditions == "not on Fridays");
  CHECK(s.revision == 2);
  given({in_need(), kYes}).own_events().then_nothing();
}

TEST_CASE("decision 19: the creator does not approve, nor does somebody unknown") {
  for (const bool approved : {true, false}) {
    const auto own = said_by(kCreator, {in_need()}, {approved, "", ""});
    REQUIRE_FALSE(own);
    CHECK(own.error().code == ErrorCode::kStateTransition);
    CHECK(own.error().message ==
          "the approver must be another person than the one who created the campaign");
    const auto nobody = said_by({}, {in_need()}, {approved, "", ""});
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().message.find("X-User-Id") != std::string::npos);
  }
  CHECK(said_by(kApprover, {in_need()}, {true, "", ""}).ok());
}

TEST_CASE("decision 19: where no approval is required, anybody may give it, once") {
  const std::vector<Fact> facts{created({1, 2, 3})};
  for (const auto caller : {kCreator, kApprover, Caller{}}) {
    const auto decision = said_by(caller, facts, {true, "fine", ""});
    REQUIRE(decision.ok());
    REQUIRE(decision.value().size() == 1);
    auto s = given(facts).campaign();
    const auto& e = decision.value().front();
    evolve(s, {{9}, kNow, e.stream, e.event, e.device, caller});
    auto context = given(facts).context();
    context.caller = caller;
    const auto again = decide(s, CampaignCommand(ApproveCampaign{true, "fine", ""}), context);
    REQUIRE(again.ok());
    CHECK(again.value().empty());
  }
}

TEST_CASE("decision 19: a refusal leaves it created, start is refused, an approval may follow") {
  given({in_need()}).when(ApproveCampaign{false, "too early", ""}).then({kNo});
  CHECK(given({in_need(), kNo}).campaign().status == CampaignStatus::kCreated);
  given({in_need(), kNo}).when(StartCampaign{}).then_error(ErrorCode::kStateTransition);
  given({in_need(), kNo}).when(ApproveCampaign{true, "looks good", "not on Fridays"}).then({kYes});
  given({in_need(), kNo, kYes}).when(StartCampaign{}).then({CampaignStarted{}});
  given({in_need(), kYes, kNo}).when(StartCampaign{}).then_error(ErrorCode::kStateTransition);
}

TEST_CASE("an approval by another person, or in other words, is another one") {
  const std::vector<Fact> facts{in_need(), kYes};  // said by 7
  const auto other = said_by(kApprover, facts, {true, kYes.comment, kYes.conditions});
  REQUIRE(other.ok());
  CHECK(other.value().size() == 1);
  auto s = given(facts).campaign();
  s.approved_by = kApprover;
  for (const auto& [command, events] : std::vector<std::pair<ApproveCampaign, std::size_t>>{
           {{true, kYes.comment, kYes.conditions}, 0},
           {{false, kYes.comment, kYes.conditions}, 1},
           {{true, "fine", kYes.conditions}, 1},
           {{true, kYes.comment, ""}, 1}}) {
    const auto decision = decide(s, CampaignCommand(command), given(facts).context());
    REQUIRE(decision.ok());
    CHECK(decision.value().size() == events);
  }
}

TEST_CASE("a scheduled campaign that is refused after all waits for another approval") {
  const Time start = kNow - minutes(1);
  const std::vector<Fact> waiting{in_need(start), kYes, CampaignScheduled{start}};
  given(waiting).own_events().then({CampaignStarted{}});
  auto refused = waiting;
  refused.emplace_back(kNo);
  given(refused).own_events().then_nothing();
  CHECK(given(refused).campaign().status == CampaignStatus::kScheduled);
  CHECK(given(refused).when(StartCampaign{}).then_error(ErrorCode::kStateTransition).message ==
        "the campaign cannot start: it requires approval, and is not approved");
  refused.emplace_back(kYes);
  given(refused).own_events().then({CampaignStarted{}});
  // Where none is required, a refusal is an opinion.
  auto p = policy();
  p.scheduled_start = start;
  given({created({1}, p), CampaignScheduled{start}, kNo}).own_events().then({CampaignStarted{}});
}

TEST_CASE("approval is over once the campaign has begun") {
  const Fact begun[] = {CampaignStarted{}, CampaignCancelled{"no"}};
  for (const auto& fact : begun) {
    const auto error = given({in_need(), fact})
                           .when(ApproveCampaign{true, "", ""})
                           .then_error(ErrorCode::kStateTransition);
    CHECK(error.allowed == std::vector<std::string>{"created", "scheduled"});
    CHECK(error.requested == "approve");
  }
  CHECK(given({in_need(), CampaignStarted{}})
            .when(ApproveCampaign{false, "", ""})
            .then_error(ErrorCode::kStateTransition)
            .requested == "refuse");
  given({}).when(ApproveCampaign{true, "", ""}).then_error(ErrorCode::kNotFound);
}
