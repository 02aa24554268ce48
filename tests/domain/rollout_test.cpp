// BR-OTA-015: which devices a rollout percentage picks.
#include "domain/rollout.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/domain/samples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Bitmap first(std::uint32_t n) {
  Bitmap set;
  for (std::uint32_t o = 0; o < n; ++o) set.add(o * 3 + 1);
  return set;
}

Bitmap pick(const Bitmap& devices, std::uint32_t percentage) {
  return picked(kCampaign, devices, pick_percentage(kCampaign, devices, percentage).cutoff);
}

}  // namespace

TEST_CASE("BR-OTA-015: x % of n are exactly ceil(x n / 100) devices") {
  for (const std::uint32_t n : {0u, 1u, 2u, 3u, 7u, 99u, 100u, 101u, 1000u}) {
    const auto devices = first(n);
    for (std::uint32_t percentage = 1; percentage <= 100; ++percentage) {
      const std::uint32_t wanted = (n * percentage + 99) / 100;
      const auto choice = pick_percentage(kCampaign, devices, percentage);
      CHECK(choice.count == wanted);
      CHECK(picked(kCampaign, devices, choice.cutoff).cardinality() == wanted);
    }
  }
}

TEST_CASE("picks are nested: a higher percentage only adds devices") {
  const auto devices = first(500);
  Bitmap before;
  for (std::uint32_t percentage = 1; percentage <= 100; ++percentage) {
    const auto now = pick(devices, percentage);
    CHECK(before.isSubset(now));
    before = now;
  }
  CHECK(before == devices);
}

TEST_CASE("picks are sticky: the cut-off says for each device alone whether it is in") {
  const auto devices = first(200);
  const auto choice = pick_percentage(kCampaign, devices, 30);
  const auto all = picked(kCampaign, devices, choice.cutoff);
  for (const std::uint32_t o : devices) {
    CHECK(picked(kCampaign, set_of({o}), choice.cutoff).cardinality() == (all.contains(o) ? 1 : 0));
    CHECK((pick_rank(kCampaign, {o}) <= choice.cutoff) == all.contains(o));
  }
}

TEST_CASE("another campaign picks others") {
  const auto devices = first(1000);
  const CampaignId other{bytes_16(0x51)};
  const auto here = pick(devices, 10);
  const auto there = picked(other, devices, pick_percentage(other, devices, 10).cutoff);
  const auto both = (here & there).cardinality();
  CHECK(both < 40);  // about ten of a hundred by chance
}

TEST_CASE("ranks are unique, and spread evenly") {
  const auto devices = first(10'000);
  const auto half = pick(devices, 50);
  std::uint64_t low = 0;
  for (const std::uint32_t o : half) low += o < 15'000 ? 1 : 0;
  CHECK(low > 2'300);  // 2,500 expected
  CHECK(low < 2'700);
  CHECK((pick_rank(kCampaign, {1}) & 0xffffffff) == 1);
}

TEST_CASE("a rank is for ever: these would pick old campaigns anew if they changed") {
  CHECK(pick_rank({}, {0}) == 5'197'578'544'682'631'168);
  CHECK(pick_rank(kCampaign, {7}) == 5'949'521'099'376'033'799);
  CHECK(pick_rank(kCampaign, {0xffffffff}) == 9'158'019'810'183'872'511);
}

TEST_CASE("nothing is picked of nothing, and all are picked without ranks") {
  CHECK(pick_percentage(kCampaign, {}, 50).count == 0);
  CHECK(pick_percentage(kCampaign, {}, 50).cutoff == 0);
  CHECK(picked(kCampaign, first(3), 0).isEmpty());
  CHECK(pick_percentage(kCampaign, first(3), 100).cutoff ==
        std::numeric_limits<std::uint64_t>::max());
}
