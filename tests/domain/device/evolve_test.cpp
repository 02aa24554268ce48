// What a device's state says of the updates that are unfinished on it: what its asks carry to
// campaigns.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const DeviceRegistered kRegistered{kOrdinal, RegisteredVia::kPoll, {}, {}};

// The state after the device's registration and these events of the campaign's update.
Device after(std::vector<Fact> facts) {
  facts.insert(facts.begin(), Fact(kRegistered));
  return given(std::move(facts)).device();
}

UnfinishedUpdate unfinished(std::vector<Fact> facts) {
  const auto s = after(std::move(facts));
  REQUIRE(s.updates.contains(kUpdate));
  return s.updates.at(kUpdate);
}

}  // namespace

TEST_CASE("a grant makes an update the active one, with what the next ask must know") {
  const auto u = unfinished({at(kBefore, first_grant(4))});
  CHECK(u.status == UpdateStatus::kInProgress);
  CHECK(u.plan == plan());
  CHECK(u.attempt == 1);
  CHECK(u.batch == 4);
  CHECK_FALSE(u.retry);
  CHECK(u.action == kAction);
  CHECK_FALSE(u.started);
  CHECK(u.requested_at == kBefore);
  const auto s = after({first_grant()});
  REQUIRE(s.active());
  CHECK(s.active()->first == kUpdate);
  CHECK(s.last_action == kAction);
  CHECK_FALSE(after({}).active());
}

TEST_CASE("an attempt starts, and only the present one") {
  CHECK(unfinished({first_grant(), started()}).started);
  CHECK_FALSE(unfinished({first_grant(), started(2)}).started);
}

TEST_CASE("a retry keeps plan and age, and begins unstarted") {
  const auto u = unfinished({at(kBefore, first_grant(4)), started(), CancelRequested{},
                             failed_until(kNow), retry_grant(2)});
  CHECK(u.attempt == 2);
  CHECK(u.retry);
  CHECK(u.plan == plan());
  CHECK(u.requested_at == kBefore);
  CHECK_FALSE(u.started);
  CHECK_FALSE(u.cancelling);
  CHECK_FALSE(u.next_retry_at);
  CHECK(u.retry_count == 1);
}

TEST_CASE("decision 8: a failure with retries left frees the device until then") {
  const auto s = after({first_grant(4), started(), failed_until(kNow)});
  CHECK_FALSE(s.active());
  const auto& u = s.updates.at(kUpdate);
  CHECK(u.status == UpdateStatus::kScheduled);
  CHECK(u.next_retry_at == kNow);
  CHECK(u.retry_count == 1);
  CHECK(u.batch == 4);
}

TEST_CASE("a lapsed first grant waits for an offer; a lapsed retry names its own time") {
  const auto first = unfinished({first_grant(), GrantLapsed{}});
  CHECK(first.status == UpdateStatus::kScheduled);
  CHECK_FALSE(first.next_retry_at);
  const auto retry = unfinished({first_grant(), started(), failed_until(kBefore), retry_grant(2),
                                 at(kNow, GrantLapsed{2, 0, true})});
  CHECK(retry.status == UpdateStatus::kScheduled);
  CHECK(retry.next_retry_at == kNow);
}

TEST_CASE("the end of an update removes it") {
  const Fact ends[] = {succeeded(), failed_for_good(), UpdateCancelled{}, UpdateSkipped{}};
  for (const auto& end : ends) CHECK(after({first_grant(), started(), end}).updates.empty());
}

TEST_CASE("decision 12: a success becomes the device's version and installed action") {
  const auto s = after({first_grant(), started(), at(kNow, succeeded())});
  CHECK(s.attribute("firmware_version") == "2.1.0");
  CHECK(s.installed_action == kAction);
  CHECK(s.wants_attributes_from == kNow + minutes(15));
  const auto failed = after({first_grant(), started(), failed_for_good()});
  CHECK(failed.attribute("firmware_version").empty());
  CHECK_FALSE(failed.installed_action);
}

TEST_CASE("decision 24: a cancellation is offered until it is refused") {
  CHECK(unfinished({first_grant(), started(), CancelRequested{}}).cancelling);
  CHECK_FALSE(
      unfinished({first_grant(), started(), CancelRequested{}, CancelRefused{}}).cancelling);
}

TEST_CASE("decision 23: a retry that is asked for brings back what the device had forgotten") {
  const auto u =
      unfinished({first_grant(), started(), failed_for_good(), at(kNow, RetryAsked{2, 1, plan()})});
  CHECK(u.status == UpdateStatus::kScheduled);
  CHECK(u.plan == plan());
  CHECK(u.attempt == 1);
  CHECK(u.retry_count == 2);
  CHECK(u.next_retry_at == kNow);
  CHECK(u.requested_at == kNow);
}

TEST_CASE("decision 23: while a retry waits, /retry moves its time and nothing else") {
  const auto u = unfinished({at(kBefore, first_grant(4)), started(), failed_until(kNow + hours(1)),
                             at(kNow, RetryAsked{1, 1, {}})});
  CHECK(u.next_retry_at == kNow);
  CHECK(u.plan == plan());
  CHECK(u.batch == 4);
  CHECK(u.requested_at == kBefore);
}

TEST_CASE("decision 21: actions survive deletion and return") {
  const auto s = after({first_grant(), started(), succeeded(), DeviceDeleted{},
                        DeviceReturned{{9}, RegisteredVia::kApi}});
  CHECK(s.last_action == kAction);
}

TEST_CASE("events of updates that the device does not know of change nothing") {
  const Fact strangers[] = {started(),          succeeded(),       GrantLapsed{},
                            UpdateCancelled{},  CancelRequested{}, CancelRefused{},
                            ProgressReported{}, UnknownEvent{99}};
  for (const auto& fact : strangers) {
    const auto s = after({fact});
    CHECK(s.updates.empty());
    CHECK(s.attributes.empty());
    CHECK(s.position == Position{2});
  }
}

TEST_CASE("events in another stream than an update's name no update") {
  const Fact misplaced[] = {UpdateRequested{}, AttemptGranted{}, RetryAsked{}, succeeded()};
  for (const auto& fact : misplaced) CHECK(after({in(kDevice, fact)}).updates.empty());
}

TEST_CASE("a registration forgets what was said of attributes that it does not bring") {
  DeviceAttributesChanged said;
  said.set = {{"site", "berlin"}};
  said.by_device = true;
  const auto s = after({in(kDevice, said), in(kDevice, kRegistered)});
  CHECK(s.attributes.empty());
  CHECK(s.said.empty());
}
