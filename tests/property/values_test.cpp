// Orders, picks and names hold for any input, not only for the examples.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "domain/ids.hpp"
#include "domain/rollout.hpp"
#include "domain/streams.hpp"
#include "domain/verdict.hpp"
#include "domain/version.hpp"
#include "tests/domain/samples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

rc::Gen<std::string> any_version() {
  return rc::gen::container<std::string>(rc::gen::elementOf(std::string("0129.-+ab")));
}
rc::Gen<std::string> any_semantic() {
  return rc::gen::exec([] {
    std::string v;
    for (int i = 0; i < 3; ++i) {
      v += (i > 0 ? "." : "") + std::to_string(*rc::gen::inRange(0, 12));
    }
    const auto pre = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("rc", "1", "2", "11", "beta"));
    for (std::size_t i = 0; i < pre.size() && i < 3; ++i) v += (i > 0 ? "." : "-") + pre[i];
    return v;
  });
}

// -1, 0, 1
int compared(const std::string& a, const std::string& b) {
  const auto order = compare_versions(a, b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

}  // namespace

TEST_CASE(
    "decision 3: a version equals itself, and which of two is newer does not depend on who asks") {
  CHECK(rc::check([] {
    const auto a = *any_version();
    const auto b = *any_version();
    RC_ASSERT(compared(a, a) == 0);
    RC_ASSERT(compared(a, b) == -compared(b, a));
  }));
}

TEST_CASE("decision 3: semantic versions have one order") {
  CHECK(rc::check([] {
    const auto a = *any_semantic();
    const auto b = *any_semantic();
    const auto c = *any_semantic();
    if (compared(a, b) <= 0 && compared(b, c) <= 0) RC_ASSERT(compared(a, c) <= 0);
  }));
}

TEST_CASE("BR-OTA-015: picks are exact and nested for any fleet") {
  CHECK(rc::check([](const std::vector<std::uint32_t>& ordinals) {
    Bitmap fleet;
    for (const auto o : ordinals) fleet.add(o);
    const auto low = *rc::gen::inRange<std::uint32_t>(1, 101);
    const auto high = *rc::gen::inRange<std::uint32_t>(low, 101);
    const auto few = pick_percentage(kCampaign, fleet, low);
    const auto many = pick_percentage(kCampaign, fleet, high);
    const auto n = fleet.cardinality();
    RC_ASSERT(few.count == (n * low + 99) / 100);
    RC_ASSERT(picked(kCampaign, fleet, few.cutoff).cardinality() == few.count);
    RC_ASSERT(picked(kCampaign, fleet, few.cutoff).isSubset(picked(kCampaign, fleet, many.cutoff)));
  }));
}

TEST_CASE("S5/BR-OTA-041: one more failure never un-aborts, one more success never aborts") {
  CHECK(rc::check([] {
    Counts c;
    c.completed = *rc::gen::inRange<std::uint32_t>(0, 60);
    c.failed = *rc::gen::inRange<std::uint32_t>(0, 60);
    c.in_progress = *rc::gen::inRange<std::uint32_t>(1, 60);
    c.total = c.completed + c.failed + c.in_progress + *rc::gen::inRange<std::uint32_t>(0, 60);
    const auto threshold = *rc::gen::inRange<std::uint32_t>(1, 101);
    const auto min_finished = *rc::gen::inRange<std::uint32_t>(1, 40);
    const auto aborts = [&](const Counts& counts) {
      return abort_by_threshold(counts, threshold, min_finished).has_value();
    };
    auto worse = c;
    --worse.in_progress;
    ++worse.failed;
    if (aborts(c)) RC_ASSERT(aborts(worse));
    auto better = c;
    --better.in_progress;
    ++better.completed;
    const bool had_enough = c.completed + c.failed >= std::min(min_finished, c.total);
    if (had_enough && !aborts(c)) RC_ASSERT(!aborts(better));
    if (const auto verdict = abort_by_threshold(c, threshold, min_finished)) {
      RC_ASSERT(verdict->failed * 100 > verdict->counted * threshold);
    }
  }));
}

TEST_CASE("names of streams and ids are read back, and nothing else harms the reader") {
  CHECK(rc::check([](const std::string& text) {
    if (const auto stream = parse_stream(text)) RC_ASSERT(stream_name(*stream) == text);
    readable_name(text);
    is_valid_device_id(text);
    if (const auto id = parse_update_id("upd_" + to_hex(text)))
      RC_ASSERT(parse_update_id(to_text(*id)) == id);
    RC_ASSERT(from_hex(to_hex(text)) == text);
  }));
}
