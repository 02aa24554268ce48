// The lists of rollbacks: what waits, and what began, by device, by campaign, and by both.
#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

// Two campaigns brought something to two devices, and take it back.
struct InRollback : ReadStory {
  InRollback() {
    story.devices(0, 2);
    for (const std::uint8_t n : {std::uint8_t{1}, std::uint8_t{2}}) {
      story.campaign(campaign_id(n), set_of({0, 1}));
      story.start(campaign_id(n));
      for (const std::uint32_t d : {0U, 1U}) {
        const auto update = domain::UpdateId::in_campaign(campaign_id(n), {d});
        story.grant(update, d, 100U * n + d);
        story.begin(update, d);
        story.succeed(update, d);
      }
    }
    for (const std::uint8_t n : {std::uint8_t{1}, std::uint8_t{2}}) {
      domain::CampaignRollbackBegun begun;
      begun.number = 1;
      begun.reason = "wrong image";
      story.tell({campaign_id(n), begun, {}});
    }
    read();
  }

  std::vector<std::string> found(const RollbackFilter& filter) {
    const auto ask = [&](const PageRequest& page) { return views().rollback_list(filter, page); };
    std::vector<std::string> ids;
    for (const auto& row : by_cursor(ask, 1)) ids.push_back(domain::to_rollback_text(row.id));
    CHECK(ask({200, 0, ""}).rows.size() == ids.size());
    return ids;
  }
  static std::string id(std::uint8_t campaign, std::uint32_t device) {
    return domain::to_rollback_text(domain::UpdateId::in_campaign(campaign_id(campaign), {device}, 1));
  }
};

using Ids = std::vector<std::string>;

TEST_CASE("a rollback that waits is found by its device, by its campaign, and by both") {
  InRollback r;
  CHECK(r.found({device_id(0), {}}) == Ids{r.id(1, 0), r.id(2, 0)});
  CHECK(r.found({{}, campaign_id(2)}) == Ids{r.id(2, 0), r.id(2, 1)});
  CHECK(r.found({device_id(0), campaign_id(2)}) == Ids{r.id(2, 0)});
  CHECK(r.found({device_id(1), campaign_id(1)}) == Ids{r.id(1, 1)});
  CHECK(r.found({device_id(7), campaign_id(1)}).empty());
  CHECK(r.found({device_id(0), campaign_id(7)}).empty());
}

TEST_CASE("a rollback that began is found as before, and once") {
  InRollback r;
  r.story.grant(domain::UpdateId::in_campaign(campaign_id(2), {0}, 1), 0, 500);
  r.read();
  CHECK(r.found({device_id(0), {}}) == Ids{r.id(1, 0), r.id(2, 0)});
  CHECK(r.found({device_id(0), campaign_id(1)}) == Ids{r.id(1, 0)});
  CHECK(r.found({device_id(0), campaign_id(2)}) == Ids{r.id(2, 0)});
  CHECK(r.found({{}, campaign_id(2)}) == Ids{r.id(2, 1), r.id(2, 0)});
}

TEST_CASE("who was not seen in time is found in every way, for ever, also when the next rollback has begun") {
  InRollback r;
  const auto lost = domain::UpdateId::in_campaign(campaign_id(1), {0}, 1);
  domain::AttemptEnded not_seen;
  not_seen.attempt = 0;
  not_seen.error_code = "device_not_seen";
  domain::UpdatePlan plan;
  plan.rollback = domain::RollbackOf{domain::RollbackTrigger::kManual, "wrong image",
                                     domain::UpdateId::in_campaign(campaign_id(1), {0}), "2.0.0"};
  r.story.tell({lost, domain::UpdateRequested{plan}, device_id(0)});
  r.story.tell({lost, not_seen, device_id(0)});
  r.story.close(campaign_id(1), domain::CampaignStatus::kCancelled);
  domain::CampaignRollbackBegun again;
  again.number = 2;
  again.reason = "still wrong";
  r.story.tell({campaign_id(1), again, {}});
  r.read();
  REQUIRE(r.views().rollback(lost));
  CHECK(r.views().rollback(lost)->error_code == "device_not_seen");
  const auto second = domain::to_rollback_text(domain::UpdateId::in_campaign(campaign_id(1), {0}, 2));
  CHECK(r.found({device_id(0), campaign_id(1)}) == Ids{second, r.id(1, 0)});
  CHECK(r.found({device_id(0), {}}) == Ids{second, r.id(2, 0), r.id(1, 0)});
}

TEST_CASE("nobody waits for a device that was deleted") {
  InRollback r;
  r.story.tell({device_id(0), domain::DeviceDeleted{"scrapped", {0}}, {}});
  r.read();
  const auto page = r.views().rollback_list({{}, campaign_id(1)}, {});
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].status == domain::UpdateStatus::kFailed);
  CHECK(page.rows[0].error_code == "device_deleted");
  CHECK(page.rows[1].status != domain::UpdateStatus::kFailed);
}

}  // namespace
}  // namespace ota::projections
