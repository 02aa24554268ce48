// What a campaign's sets and counters are after the events of its devices. The sets stay disjoint.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

UpdateId update_of(std::uint32_t ordinal) { return UpdateId::in_campaign(kCampaign, {ordinal}); }

// Three devices in batches of two, in progress, then these events.
Campaign after(std::vector<Fact> facts) {
  auto p = policy();
  p.strategy = Strategy::kStaged;
  p.batch_size = 2;
  facts.insert(facts.begin(), {Fact(created({7, 8, 9}, p)), Fact(CampaignStarted{})});
  const auto s = given(std::move(facts)).campaign();
  CHECK((s.granted & s.completed & s.failed & s.cancelled).isEmpty());
  const auto c = s.counts();
  CHECK(c.total ==
        s.pending() + c.in_progress + c.completed + c.failed + s.cancelled.cardinality());
  CHECK(s.remaining().cardinality() == s.pending());
  for (const std::uint32_t o : s.targets) CHECK(s.is_remaining(o) == s.remaining().contains(o));
  for (const auto& [o, at] : s.retries) CHECK(s.is_remaining(o));
  return s;
}

AttemptEnded ended(AttemptEnded e, std::uint32_t batch = 1, bool retry = false) {
  e.batch = batch;
  e.retry = retry;
  return e;
}

}  // namespace

TEST_CASE("BR-OTA-042: a granted device is in progress, and counts in its batch") {
  const auto s = after({first_grant(1)});
  CHECK(s.granted == set_of({7}));
  CHECK(s.pending() == 2);
  CHECK(s.batch_granted == 1);
  CHECK(s.batch_settled == 0);
}

TEST_CASE("BR-OTA-042: a device ends completed, failed or cancelled, and settles its batch") {
  const auto completed = after({first_grant(1), started(), ended(succeeded())});
  CHECK(completed.completed == set_of({7}));
  CHECK(completed.batch_settled == 1);
  const auto failed = after({first_grant(1), started(), ended(failed_for_good())});
  CHECK(failed.failed == set_of({7}));
  CHECK(failed.batch_settled == 1);
  const auto cancelled =
      after({first_grant(1), UpdateCancelled{CancelCause::kOperator, 1, 1, false}});
  CHECK(cancelled.cancelled == set_of({7}));
  CHECK(cancelled.batch_settled == 1);
  for (const auto& s : {completed, failed, cancelled}) {
    CHECK(s.granted.isEmpty());
    CHECK(s.batch_granted == 1);
  }
}

TEST_CASE(
    "design 4: a first attempt that failed settles the batch, and the device waits for its retry") {
  const auto s = after({first_grant(1), started(), ended(failed_until(kNow))});
  CHECK(s.pending() == 3);
  CHECK(s.retries == std::map<std::uint32_t, Time>{{7, kNow}});
  CHECK(s.batch_settled == 1);
  CHECK(s.is_remaining(7));
}

TEST_CASE("design 4: a retry counts in no batch, neither granted nor settled") {
  auto retry = retry_grant(2);
  retry.batch = 1;
  const std::vector<Fact> history = {first_grant(1), started(), ended(failed_until(kNow)), retry};
  auto s = after(history);
  CHECK(s.granted == set_of({7}));
  CHECK(s.retries.empty());
  CHECK(s.batch_granted == 1);
  CHECK(s.batch_settled == 1);
  auto again = history;
  again.push_back(ended(succeeded(2), 1, true));
  s = after(again);
  CHECK(s.completed == set_of({7}));
  CHECK(s.batch_settled == 1);
  again.back() = UpdateCancelled{CancelCause::kOperator, 2, 1, true};
  CHECK(after(again).batch_settled == 1);
}

TEST_CASE("decision 7: a lapsed grant leaves the batch and counts as nothing") {
  const auto s = after({first_grant(1), GrantLapsed{1, 1, false}});
  CHECK(s.pending() == 3);
  CHECK(s.granted.isEmpty());
  CHECK(s.batch_granted == 0);
  CHECK(s.retries.empty());
}

TEST_CASE("a lapsed retry is a retry still") {
  const auto s = after({first_grant(1), started(), ended(failed_until(kBefore)), retry_grant(2),
                        at(kNow, GrantLapsed{2, 1, true})});
  CHECK(s.retries == std::map<std::uint32_t, Time>{{7, kNow}});
  CHECK(s.batch_granted == 1);
}

TEST_CASE("a cancellation while a retry waits does not settle the batch once more") {
  const auto s = after({first_grant(1), started(), ended(failed_until(kNow)),
                        UpdateCancelled{CancelCause::kOperator, 0, 1, false}});
  CHECK(s.cancelled == set_of({7}));
  CHECK(s.batch_settled == 1);
}

TEST_CASE("a new batch begins empty") {
  const auto s = after({first_grant(1), started(), ended(succeeded()), BatchOpened{2}});
  CHECK(s.batch == 2);
  CHECK(s.batch_granted == 0);
  CHECK(s.batch_settled == 0);
}

TEST_CASE("stragglers of an older batch do not move the open one") {
  const std::vector<Fact> opened = {first_grant(1), BatchOpened{2}};
  CHECK(after(opened).batch == 2);
  CHECK(after(opened).batch_granted == 0);
  const Fact straggling[] = {ended(succeeded()), ended(failed_until(kNow)),
                             GrantLapsed{1, 1, false},
                             UpdateCancelled{CancelCause::kOperator, 1, 1, false}};
  for (const auto& fact : straggling) {
    auto facts = opened;
    facts.push_back(fact);
    CHECK(after(facts).batch_granted == 0);
    CHECK(after(facts).batch_settled == 0);
  }
}

TEST_CASE("decision 11: a skipped device is cancelled without having been in a batch") {
  const auto s = after({UpdateSkipped{}});
  CHECK(s.cancelled == set_of({7}));
  CHECK(s.batch_settled == 0);
  const auto never = after({UpdateCancelled{CancelCause::kOperator, 0, 0, false}});
  CHECK(never.cancelled == set_of({7}));
  CHECK(never.batch_settled == 0);
}

TEST_CASE("decision 23: a retry that an operator asks for re-opens the device") {
  const std::vector<std::vector<Fact>> histories = {
      {first_grant(1), started(), ended(failed_for_good())},
      {UpdateCancelled{}},
      {first_grant(1), started(), ended(failed_until(kNow + hours(1)))}};
  for (auto history : histories) {
    history.push_back(at(kNow, RetryAsked{1, 1, {}, 1}));
    const auto s = after(history);
    CHECK(s.pending() == 3);
    CHECK(s.retries == std::map<std::uint32_t, Time>{{7, kNow}});
  }
}

TEST_CASE("decision 22: a deleted device that was not granted is cancelled, the total unchanged") {
  const auto s = after({in(kDevice, DeviceDeleted{"", {8}})});
  CHECK(s.cancelled == set_of({8}));
  CHECK(s.total() == 3);
  CHECK(after({in(kDevice, DeviceDeleted{"", {77}})}).cancelled.isEmpty());
}

TEST_CASE(
    "decision 22: a deleted device that was granted, or waits, is ended by its update's own "
    "event") {
  const DeviceDeleted deleted{"", {7}};
  CHECK(after({first_grant(1), in(kDevice, deleted)}).granted == set_of({7}));
  CHECK(after({first_grant(1), started(), ended(succeeded()), in(kDevice, deleted)}).completed ==
        set_of({7}));
  const auto waiting =
      after({first_grant(1), started(), ended(failed_until(kNow)), in(kDevice, deleted)});
  CHECK(waiting.retries.size() == 1);
  const auto told =
      after({first_grant(1), started(), ended(failed_until(kNow)), in(kDevice, deleted),
             UpdateCancelled{CancelCause::kDeviceDeleted, 0, 1, false}});
  CHECK(told.cancelled == set_of({7}));
  CHECK(told.retries.empty());
}

TEST_CASE("devices deleted between the choice of targets and the creation are named by it") {
  auto record = created({});
  record.withdrawn = to_bytes(set_of({7, 77}));
  const std::vector<Fact> facts{CampaignTargetPart{0, to_bytes(set_of({7, 8}))},
                                in(kDevice, DeviceDeleted{"", {7}}), record};
  const auto s = given(facts).campaign();
  CHECK(s.total() == 2);
  CHECK(s.cancelled == set_of({7}));
  CHECK(s.pending() == 1);
  record.pick_cutoff = 0;  // none is picked, so none was withdrawn
  CHECK(given({facts[0], facts[1], record}).campaign().cancelled.isEmpty());
}

TEST_CASE("a first grant that lapsed is told of the campaign's end, as a waiting retry is") {
  const std::vector<Fact> lapsed{first_grant(1), GrantLapsed{1, 1, false}};
  CHECK(after(lapsed).lapsed == set_of({7}));
  auto cancelled = lapsed;
  cancelled.emplace_back(CampaignCancelled{"no"});
  const auto s = after(cancelled);
  CHECK(s.untold == set_of({7}));
  CHECK(s.lapsed.isEmpty());
  auto again = lapsed;
  again.push_back(first_grant(1));
  CHECK(after(again).lapsed.isEmpty());
}

TEST_CASE("an update's id can be made up: who is no target moves nothing") {
  const auto stranger = update_of(77);
  const Fact facts[] = {first_grant(1),    ended(succeeded()), ended(failed_for_good()),
                        UpdateCancelled{}, UpdateSkipped{},    GrantLapsed{},
                        RetryAsked{}};
  for (const auto& fact : facts) {
    const auto s = after({in(stranger, fact)});
    CHECK(s.pending() == 3);
    CHECK(s.batch_granted == 0);
    CHECK(s.batch_settled == 0);
    CHECK(s.retries.empty());
  }
}

TEST_CASE("decision 10: rollbacks enter no counter of the campaign") {
  const auto rollback = UpdateId::in_campaign(kCampaign, {7}, 1);
  const std::vector<Fact> completed = {first_grant(1), started(), ended(succeeded())};
  const Fact facts[] = {first_grant(1), ended(succeeded()), ended(failed_for_good()),
                        UpdateCancelled{}};
  for (const auto& fact : facts) {
    auto history = completed;
    history.push_back(in(rollback, fact));
    CHECK(after(history).completed == set_of({7}));
    CHECK(after(history).batch_granted == 1);
  }
}

TEST_CASE("another campaign's and direct updates are nobody's business here") {
  const auto elsewhere = UpdateId::in_campaign({bytes_16(0xc0)}, {7});
  for (const auto& id : {elsewhere, kDirect}) {
    const auto s = after({in(id, first_grant(1)), in(id, succeeded()), in(id, RetryAsked{})});
    CHECK(s.pending() == 3);
    CHECK(s.retries.empty());
  }
}

TEST_CASE("the revision counts operators and verdicts, not grants and reports") {
  const auto before = after({}).revision;
  CHECK(after({first_grant(1), started(), ended(succeeded()), BatchOpened{2}}).revision == before);
  CHECK(after({CampaignPaused{}}).revision == before + 1);
  CHECK(after({CampaignAborted{}}).revision == before + 1);
  CHECK(after({CampaignAborted{}, CampaignClosed{CampaignStatus::kFailed, {}}}).revision ==
        before + 2);
}
