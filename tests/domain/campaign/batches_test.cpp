// Staged rollout: the next batch opens when enough of the open one has settled (design, section 4).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

CampaignPolicy staged(std::uint32_t batch_size, std::uint32_t settle_percent = 95,
                      Strategy strategy = Strategy::kStaged) {
  CampaignPolicy p;
  p.strategy = strategy;
  p.batch_size = batch_size;
  p.batch_settle_percent = settle_percent;
  p.max_concurrent_updates = 1000;
  p.auto_rollback = false;
  return p;
}

// A campaign of `total` devices, `granted` of them granted in the first batch, and `settled` of
// those ended.
std::vector<Fact> history(std::uint32_t total, std::uint32_t granted, std::uint32_t settled,
                          const CampaignPolicy& policy) {
  Bitmap targets;
  targets.addRange(0, total);
  std::vector<Fact> facts = {created(targets, policy), CampaignStarted{}};
  for (std::uint32_t o = 0; o < granted; ++o) facts.push_back(of(o, first_grant(1)));
  auto end = succeeded();
  end.batch = 1;
  for (std::uint32_t o = 0; o < settled; ++o) facts.push_back(of(o, end));
  return facts;
}

}  // namespace

TEST_CASE("BR-OTA-017: a full batch of which enough has settled opens the next") {
  given(history(10, 4, 4, staged(4))).own_events().then({BatchOpened{2}});
  given(history(10, 4, 3, staged(4))).own_events().then_nothing();
  given(history(10, 3, 3, staged(4))).own_events().then_nothing();
}

TEST_CASE("the settle percentage is exact: 95 % of 20 are 19, 95 % of 19 are all") {
  given(history(100, 20, 19, staged(20))).own_events().then({BatchOpened{2}});
  given(history(100, 20, 18, staged(20))).own_events().then_nothing();
  given(history(100, 19, 18, staged(19))).own_events().then_nothing();
  given(history(100, 19, 19, staged(19))).own_events().then({BatchOpened{2}});
  given(history(100, 4, 2, staged(4, 50))).own_events().then({BatchOpened{2}});
}

TEST_CASE("every strategy but immediate and blue_green has batches") {
  using enum Strategy;
  for (const auto strategy : {kScheduled, kStaged, kCanary}) {
    given(history(10, 4, 4, staged(4, 95, strategy))).own_events().then({BatchOpened{2}});
  }
  given(history(10, 4, 4, staged(4, 95, kImmediate))).own_events().then_nothing();
  given(history(10, 4, 4, staged(4, 95, kBlueGreen))).own_events().then_nothing();
}

TEST_CASE("no batch is opened for nobody: all granted, or only retries waiting") {
  given(history(4, 4, 3, staged(4, 50))).own_events().then_nothing();
  auto retrying = history(4, 4, 3, staged(4, 50));
  auto failed = failed_until(kNow);
  failed.batch = 1;
  retrying.push_back(of(3, failed));
  given(retrying).own_events().then_nothing();
}

TEST_CASE("a failed first attempt settles its place in the batch like a success") {
  auto facts = history(10, 2, 1, staged(2));
  auto failed = failed_until(kNow + hours(1));
  failed.batch = 1;
  facts.push_back(of(1, failed));
  given(facts).own_events().then({BatchOpened{2}});
}

TEST_CASE("a lapsed grant leaves room in the batch") {
  auto facts = history(10, 2, 1, staged(2, 50));
  facts.push_back(of(1, GrantLapsed{1, 1, false}));
  given(facts).own_events().then_nothing();
  CHECK(given(facts).campaign().batch_granted == 1);
}

TEST_CASE("a paused campaign opens no batch, a resumed one does") {
  auto facts = history(10, 4, 4, staged(4));
  facts.push_back(CampaignPaused{"lunch"});
  given(facts).own_events().then_nothing();
  facts.push_back(CampaignResumed{});
  given(facts).own_events().then({BatchOpened{2}});
}

TEST_CASE("batches count on") {
  auto facts = history(10, 2, 2, staged(2));
  facts.push_back(BatchOpened{2});
  given(facts).own_events().then_nothing();
  auto end = succeeded();
  end.batch = 2;
  for (const std::uint32_t o : {2u, 3u}) {
    facts.push_back(of(o, first_grant(2)));
    facts.push_back(of(o, end));
  }
  given(facts).own_events().then({BatchOpened{3}});
}
