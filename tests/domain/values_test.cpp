// Small values that every aggregate uses: errors, sets as bytes, the patience with a granted
// device.
#include <doctest/doctest.h>

#include "domain/bitmap.hpp"
#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "tests/domain/samples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

TEST_CASE("decision 7: a grant waits for min(timeout, max(5 minutes, 3 x the sleep given))") {
  CHECK(start_patience(minutes(60), minutes(1)) == minutes(5));
  CHECK(start_patience(minutes(60), seconds(100)) == minutes(5));
  CHECK(start_patience(minutes(60), minutes(5)) == minutes(15));
  CHECK(start_patience(minutes(60), minutes(30)) == minutes(60));
  CHECK(start_patience(minutes(5), minutes(5)) == minutes(5));
  CHECK(start_patience(minutes(60), Duration(0)) == minutes(5));
}

TEST_CASE("a set of devices survives as bytes, and runs make it short") {
  Bitmap fleet;
  fleet.addRange(0, 1'000'000);
  const auto bytes = to_bytes(fleet);
  CHECK(bytes.size() < 300);
  CHECK(bitmap_from_bytes(bytes) == fleet);
  for (const auto& set : {set_of({}), set_of({0}), set_of({1, 5, 70'000, 0xffffffff})}) {
    CHECK(bitmap_from_bytes(to_bytes(set)) == set);
  }
}

TEST_CASE("bytes that are no set are an empty one") {
  const auto bytes = to_bytes(set_of({1, 5, 70'000}));
  CHECK(bitmap_from_bytes("").isEmpty());
  CHECK(bitmap_from_bytes("no bitmap").isEmpty());
  CHECK(bitmap_from_bytes(bytes.substr(0, 4)).isEmpty());
  CHECK(bitmap_from_bytes(bytes.substr(0, bytes.size() - 1)).isEmpty());
}

TEST_CASE("errors name what, from where, and what would have been allowed") {
  const auto lost = not_found("Campaign", "camp_1");
  CHECK(lost.code == ErrorCode::kNotFound);
  CHECK(lost.message == "Campaign not found: camp_1");
  CHECK(wrong_state("update", "completed", "retry", {}).message == "cannot retry an update that is completed");
  const auto state = wrong_state("campaign", "paused", "start", {"created", "scheduled"});
  CHECK(state.code == ErrorCode::kStateTransition);
  CHECK(state.message ==
        "cannot start a campaign that is paused; allowed from: created, scheduled");
  CHECK(state.current_state == "paused");
  CHECK(state.requested == "start");
  CHECK(state.allowed == std::vector<std::string>{"created", "scheduled"});
  const auto bad = invalid("name", "name is empty");
  CHECK(bad.code == ErrorCode::kInvalid);
  CHECK(bad.field == "name");
}

TEST_CASE("a result is a value or an error") {
  Result<int> good = 7;
  Result<int> bad = invalid("n", "n is odd");
  CHECK(good.ok());
  CHECK(static_cast<bool>(good));
  good.value() = 8;
  CHECK(good.value() == 8);
  CHECK_FALSE(bad);
  CHECK(bad.error().field == "n");
}
