// A view that cannot go on is set aside with those that build on it; the rest goes on, and the next
// start heals it.
#include <doctest/doctest.h>

#include <fstream>

#include "projections/batched_rows.hpp"
#include "projections/keys.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

void overwrite(const std::filesystem::path& directory, const std::string& key,
               const std::string& value) {
  const auto database = Database::open(directory / "rows");
  BatchedRows rows(*database);
  rows.put(key, value);
  rows.commit();
}

TEST_CASE("a damaged row breaks its view and those behind it, and nothing else") {
  Story story;
  story.devices(0, 4);
  story.campaign(campaign_id(1), set_of({0, 1, 2, 3}));
  story.start(campaign_id(1));
  story.grant(update(1), 1, 100);
  story.tell({update(1), domain::GrantLapsed{1, 0, false}, device_id(1)});
  const TempDir directory;
  {
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(story.events(), 0, story.events().size()));
  }
  overwrite(directory.path(), update_key(Table::kUpdate, update(1)), "garbage");
  {
    const auto views = Views::open(directory.path(), {});
    const auto from = views->position().value;
    CHECK(from == story.events().size());
    story.grant(update(1), 1, 101, 2);
    story.device(9);
    story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
    views->apply(group_of(story.events(), from, story.events().size()));
    CHECK(views->position().value == story.events().size());
    const auto broken = views->broken();
    CHECK(broken.starts_with("since position 9: updates: a row of table 'u' is damaged"));
    CHECK(broken.find("campaign counts: builds on updates") != std::string::npos);
    CHECK(broken.find("deadlines: builds on updates") != std::string::npos);
    CHECK(broken.find("devices") == std::string::npos);
    CHECK(views->device(device_id(9)));
    CHECK(views->firmware(firmware_id(1)));
    CHECK(views->device(device_id(1))->updates.at(update(1)).attempt == 2);
    CHECK_THROWS_AS((void)views->update(update(1)), std::runtime_error);
  }
  const auto views = Views::open(directory.path(), {});
  CHECK(views->position().value == 0);
  CHECK(views->broken() == "");
  views->apply(group_of(story.events(), 0, story.events().size()));
  CHECK(views->update(update(1))->attempt == 2);
  CHECK(views->broken() == "");
}

TEST_CASE("a damaged row that is read at the start has the views begin anew") {
  Story story;
  story.devices(0, 2);
  story.campaign(campaign_id(1), set_of({0, 1}));
  story.start(campaign_id(1));
  story.grant(update(1), 1, 100);  // its deadline is kept in memory
  const TempDir directory;
  {
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(story.events(), 0, story.events().size()));
  }
  overwrite(directory.path(), update_key(Table::kUpdate, update(1)), "garbage");
  const auto views = Views::open(directory.path(), {});
  CHECK(views->position().value == 0);
  views->apply(group_of(story.events(), 0, story.events().size()));
  CHECK(views->update(update(1))->attempt == 1);
  CHECK(views->broken() == "");
}

TEST_CASE("whatever order events come in, the views neither break nor lose count") {
  ReadStory t;
  // Of things that nobody knows.
  t.story.begin(update(1), 1);
  t.story.grant(direct_id(1), 1, 5);
  t.story.tell({campaign_id(2), domain::CampaignStarted{}, {}});
  t.story.tell({campaign_id(2), domain::CampaignCancelled{""}, {}});
  t.story.tell({firmware_id(7), domain::FirmwareDeprecated{""}, {}});
  t.story.tell({device_id(3), domain::DeviceDeleted{"", {3}}, device_id(3)});
  t.story.tell(
      {device_id(3), domain::DeviceReturned{{3}, domain::RegisteredVia::kApi}, device_id(3)});
  t.story.tell({domain::DirectoryStream{}, domain::UnknownEvent{999}, {}});
  // Known by now, and told again.
  t.story.device(3);
  t.story.device(3);
  t.story.campaign(campaign_id(1), set_of({1, 3}));
  t.story.campaign(campaign_id(1), set_of({1, 2, 3}));
  t.story.tell({campaign_id(1), domain::CampaignTargetPart{0, domain::to_bytes(set_of({8}))}, {}});
  t.story.succeed(update(3), 3);
  t.story.succeed(update(3), 3);
  t.story.close(campaign_id(1), domain::CampaignStatus::kCompleted);
  t.story.start(campaign_id(1));
  auto& views = t.read_in_groups(1);
  CHECK_FALSE(views.campaign(campaign_id(2)));
  CHECK_FALSE(views.firmware(firmware_id(7)));
  const auto row = views.campaign(campaign_id(1));
  CHECK(row->total == 2);
  CHECK(row->pending() <= row->total);
  CHECK(views.statistics().total_updates >= row->total);
  CHECK(views.digest() == digest_of_rebuilt(t.story.events(), {}, 100));
}

// Flips a bit in every table, `place` bytes from its beginning.
void flip_in_tables(const std::filesystem::path& directory, std::streamoff place) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream bytes(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(place);
    const auto byte = static_cast<char>(bytes.get());
    bytes.seekp(place);
    bytes.put(static_cast<char>(byte ^ 4));
  }
}

TEST_CASE("a flipped bit on the disk is no answer: it is shown, and the next start makes the views anew") {
  Story story;
  story.devices(0, 40);
  story.campaign(campaign_id(1), set_of({0, 1, 2, 3}));
  story.start(campaign_id(1));
  const TempDir directory;
  std::string right;
  {
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(story.events(), 0, story.events().size()));
    views->flush();
    right = views->digest();
  }
  for (const std::streamoff place : {10, 200}) {
    CAPTURE(place);
    flip_in_tables(directory.path(), place);
    {
      std::string read;
      std::unique_ptr<Views> views = Views::open(directory.path(), {});
      try {
        read = views->digest();
      } catch (const std::runtime_error& error) {
        CHECK(std::string(error.what()).find("checksum mismatch") != std::string::npos);
        CHECK(views->broken().find("the next start makes them anew") != std::string::npos);
      }
      CHECK(read != right);
      CHECK((read.empty() || views->position().value == 0));  // met when they were opened, and begun anew at once
    }
    const auto views = Views::open(directory.path(), {});
    CHECK(views->position().value == 0);
    CHECK(views->broken().empty());
    views->apply(group_of(story.events(), 0, story.events().size()));
    views->flush();
    CHECK(views->digest() == right);
  }
}

}  // namespace
}  // namespace ota::projections
