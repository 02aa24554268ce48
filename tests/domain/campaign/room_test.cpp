// room() tells the poll path whether asking is worth it: never no where grant() would say yes.
#include <doctest/doctest.h>

#include "domain/campaign/grant.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Room room_after(std::vector<Fact> facts, const Reservations& reserved = {},
                Strategy strategy = Strategy::kStaged) {
  CampaignPolicy p;
  p.strategy = strategy;
  p.batch_size = 2;
  p.max_concurrent_updates = 3;
  facts.insert(facts.begin(), {Fact(created({6, 7, 8, 9}, p)), Fact(CampaignStarted{})});
  return room(given(std::move(facts)).campaign(), reserved, kNow);
}

void check(const Room& room, bool first_attempts, bool retries) {
  CHECK(room.for_first_attempts == first_attempts);
  CHECK(room.for_retries == retries);
}

}  // namespace

TEST_CASE("an open campaign has room for everybody") { check(room_after({}), true, true); }

TEST_CASE("a campaign that is not in progress has none") {
  check(room({}, {}, kNow), false, false);
  check(room(given({created({7})}).campaign(), {}, kNow), false, false);
  const Fact closing[] = {CampaignPaused{}, CampaignCancelled{}, CampaignAborted{},
                          CampaignClosed{}};
  for (const auto& fact : closing) check(room_after({fact}), false, false);
  check(room_after({CampaignPaused{}, CampaignResumed{}}), true, true);
}

TEST_CASE("a full batch has room for retries only, and reservations fill it") {
  const std::vector<Fact> full = {of(6, first_grant(1)), of(7, first_grant(1))};
  check(room_after(full), false, true);
  check(room_after({of(6, first_grant(1))}, {set_of({7}), 1}), false, true);
  check(room_after({of(6, first_grant(1))}), true, true);
  check(room_after(full, {}, Strategy::kImmediate), true, true);
}

TEST_CASE("without a place there is room for nobody") {
  check(room_after({of(6, first_grant()), of(7, first_grant()), of(8, first_grant())}, {},
                   Strategy::kImmediate),
        false, false);
  check(room_after({}, {set_of({6, 7, 8}), 0}, Strategy::kImmediate), false, false);
}
