// Views and the log: resuming, rebuilding, and telling when the rows belong to another log.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "projections/digest.hpp"
#include "projections/edition.hpp"
#include "projections/keys.hpp"
#include "projections/limits.hpp"
#include "projections/rebuild.hpp"
#include "projections/replay.hpp"
#include "tests/projections/log_of_story.hpp"
#include "tests/projections/random_world.hpp"

namespace ota::projections {
namespace {

using namespace testing;

// A little of everything; `devices` of them, each granted and ended.
void tell_a_campaign(Story& story, std::uint32_t devices) {
  story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  story.devices(0, devices);
  domain::Bitmap all;
  all.addRange(0, devices);
  story.campaign(campaign_id(1), all);
  story.start(campaign_id(1));
  for (std::uint32_t n = 0; n + 3 < devices; ++n) {
    story.grant(update(n), n, 100 + n);
    story.begin(update(n), n);
    story.progress(update(n), n, domain::UpdateStatus::kDownloading);
    if (n % 3 == 0) {
      story.succeed(update(n), n);
    } else if (n % 3 == 1) {
      story.fail(update(n), n, "flash", story.now() + minutes(1));
    }
  }
}

const auto kQuietly = [](std::uint64_t, std::uint64_t) {};

TEST_CASE("views catch up with a log, and know when they have") {
  Story story;
  tell_a_campaign(story, 30);
  LogOfStory log;
  log.write(story);
  const TempDir directory;
  const auto views = Views::open(directory.path(), {});
  std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
  views->catch_up(log.log(),
                  [&](std::uint64_t done, std::uint64_t of) { steps.emplace_back(done, of); });
  CHECK(views->position().value == story.events().size());
  REQUIRE_FALSE(steps.empty());
  CHECK((steps.back() ==
         std::pair<std::uint64_t, std::uint64_t>(story.events().size(), story.events().size())));
  CHECK(views->broken() == "");
  CHECK(views->polls().size() == 30);
  CHECK(views->campaign(campaign_id(1))->total == 30);
  CHECK(views->digest() == digest_of_rebuilt(story.events(), {}, 1));
}

TEST_CASE("a bulk rebuild, and one that begins in the middle, leave the rows that were written group by group") {
  Story story;
  tell_a_campaign(story, 15'000);
  REQUIRE(story.events().size() > limits::kBulkEvents + 10'000);
  LogOfStory log;
  log.write(story);
  const auto expected = digest_of_rebuilt(story.events(), {}, 1'000);
  const TempDir directory;
  {
    const auto views = Views::open(directory.path(), {});
    views->catch_up(log.log(), kQuietly);
    CHECK(views->broken() == "");
    CHECK(views->digest() == expected);
    CHECK(views->polls().size() == 15'000);
  }
  {
    const auto reopened = Views::open(directory.path(), {});
    CHECK(reopened->position().value == story.events().size());
    CHECK(reopened->digest() == expected);
  }
  std::uint64_t done = 0;
  const auto forward = [&](std::uint64_t now, std::uint64_t of) {
    CHECK(now >= done);
    CHECK(of == story.events().size());
    done = now;
    return true;
  };
  CHECK(verify_at_rest(directory.path(), log.log(), forward)->equal());
  CHECK(done == story.events().size());
  done = 0;
  CHECK(rebuild_at_rest(directory.path(), log.log(), forward));
  CHECK(Views::open(directory.path(), {})->digest() == expected);
  const auto stop_at = [](std::uint64_t position) {
    return [position](std::uint64_t now, std::uint64_t) { return now < position; };
  };
  CHECK_FALSE(rebuild_at_rest(directory.path(), log.log(), stop_at(20'000)));
  CHECK(Views::open(directory.path(), {})->digest() == expected);
  const TempDir other;
  const auto views = Views::open(other.path(), {});
  views->apply(group_of(story.events(), 0, 5'000));
  views->catch_up(log.log(), kQuietly);
  CHECK(views->digest() == expected);
}

TEST_CASE("however little a bulk rebuild keeps in memory, and however often it commits, it leaves the same rows") {
  RandomWorld world(5);
  ReadStory read(world.settings);
  for (int step = 0; step < 600; ++step) {
    world.step(read.views().due(world.story.now(), 100));
    read.story = world.story;
    read.read();
  }
  const auto& events = world.story.events();
  for (const BulkSize size : {BulkSize{1, 1, 1}, BulkSize{7, 4'000, 1}, BulkSize{100, 1 << 20, 2}, BulkSize{1'000'000, 1, 32}}) {
    CAPTURE(size.group_events);
    const TempDir directory;
    PollFront front;
    Edition edition(directory.path() / "rows", world.settings, front);
    edition.begin_bulk(size);
    for (std::size_t from = 0; from < events.size(); from += 13) {
      edition.fold({events.begin() + static_cast<std::ptrdiff_t>(from),
                    events.begin() + static_cast<std::ptrdiff_t>(std::min(from + 13, events.size()))});
    }
    edition.end_bulk();
    CHECK(edition.pipeline().broken() == "");
    CHECK(edition.position().value == events.size());
    CHECK(digest_of(Reader(edition.database(), Reader::Moment::kOne)) == read.views().digest());
  }
}

TEST_CASE("views that were stopped go on where they were") {
  Story story;
  tell_a_campaign(story, 30);
  LogOfStory log;
  const TempDir directory;
  const auto half = story.events().size() / 2;
  {
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(story.events(), 0, half));
    views->flush();
  }
  log.write(story);
  const auto views = Views::open(directory.path(), {});
  CHECK(views->position().value == half);
  std::uint64_t replayed = 0;
  views->catch_up(log.log(), [&](std::uint64_t, std::uint64_t of) { replayed = of; });
  CHECK(replayed == story.events().size() - half);
  CHECK(views->position().value == story.events().size());
  CHECK(views->digest() == digest_of_rebuilt(story.events(), {}, 7));
}

TEST_CASE("what a crash took from memory is folded again") {
  ReadStory t;
  tell_a_campaign(t.story, 20);
  t.read();
  // The process dies here: the disk has this, and nothing of what comes.
  const TempDir copy;
  t.restart_and_copy_to(copy.path());
  const auto flushed = t.views().position();
  t.story.succeed(update(2), 2);
  t.story.cancel(campaign_id(1));
  t.read_in_groups(1);

  LogOfStory log;
  log.write(t.story);
  const auto views = Views::open(copy.path(), {});
  CHECK(views->position() == flushed);
  views->catch_up(log.log(), kQuietly);
  CHECK(views->digest() == t.views().digest());
  CHECK(views->due(domain::Time::max(), 100).size() ==
        t.views().due(domain::Time::max(), 100).size());
}

TEST_CASE("a group that was folded already changes nothing") {
  ReadStory t;
  tell_a_campaign(t.story, 10);
  t.read();
  const auto digest = t.views().digest();
  t.views().apply(group_of(t.story.events(), 0, t.story.events().size()));
  t.views().apply(DecodedGroup{});
  CHECK(t.views().digest() == digest);
}

TEST_CASE("views that are ahead of the log begin anew") {
  Story story;
  tell_a_campaign(story, 10);
  LogOfStory log;
  log.write(story);  // a backup was put back: the log ends here
  const TempDir directory;
  {
    auto more = story;
    more.cancel(campaign_id(1));
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(more.events(), 0, more.events().size()));
  }
  const auto views = Views::open(directory.path(), {});
  views->catch_up(log.log(), kQuietly);
  CHECK(views->position().value == story.events().size());
  CHECK(views->campaign(campaign_id(1))->status == domain::CampaignStatus::kInProgress);
  CHECK(views->digest() == digest_of_rebuilt(story.events(), {}, 100));
}

TEST_CASE("views of another log begin anew, however long that log is") {
  Story story;
  story.wait(hours(1));
  tell_a_campaign(story, 10);
  LogOfStory log;
  log.write(story);
  const TempDir directory;
  {
    Story other;
    other.devices(0, 5);
    const auto views = Views::open(directory.path(), {});
    views->apply(group_of(other.events(), 0, other.events().size()));
  }
  const auto views = Views::open(directory.path(), {});
  views->catch_up(log.log(), kQuietly);
  CHECK(views->digest() == digest_of_rebuilt(story.events(), {}, 100));
}

TEST_CASE("views begin anew when a setting changes that their rows were folded with") {
  ReadStory t;
  tell_a_campaign(t.story, 5);
  t.read();
  t.restart();
  CHECK(t.views().position().value == t.story.events().size());
  const TempDir copy;
  t.restart_and_copy_to(copy.path());
  domain::Settings other;
  other.version_attribute = "sw_version";
  CHECK(Views::open(copy.path(), other)->position().value == 0);
}

TEST_CASE("rows that cannot be opened are deleted, and nothing beside them is") {
  ReadStory t;
  tell_a_campaign(t.story, 5);
  t.read();
  const TempDir copy;
  t.restart_and_copy_to(copy.path());
  std::ofstream(copy.path() / "precious") << "truth";
  for (const auto& file : std::filesystem::directory_iterator(copy.path() / "rows")) {
    if (file.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::resize_file(file.path(), file.file_size() / 2);
      std::ofstream(file.path(), std::ios::app) << "garbage";
    }
  }
  const auto views = Views::open(copy.path(), {});
  CHECK(views->position().value == 0);
  CHECK(std::filesystem::exists(copy.path() / "precious"));
}

TEST_CASE("views in use by somebody else are refused with a sentence") {
  const ReadStory t;
  CHECK_THROWS_WITH_AS(Views::open(t.directory(), {}), doctest::Contains("cannot be opened"),
                       std::runtime_error);
}

TEST_CASE("events that are missing are reported") {
  ReadStory t;
  t.story.devices(0, 5);
  t.views().apply(group_of(t.story.events(), 0, 2));
  t.views().apply(group_of(t.story.events(), 3, 5));
  CHECK(t.views().broken() == "since position 4: the events after 2 are missing");
  CHECK(t.views().position().value == 5);
}

TEST_CASE("a replay ends well when whoever folds throws") {
  Story story;
  story.devices(0, 10);
  LogOfStory log;
  log.write(story);
  struct Enough {};
  CHECK_THROWS_AS(replay(log.log(), {0}, [](const auto&) { throw Enough{}; }), Enough);
  std::size_t events = 0;
  replay(log.log(), {4},
         [&](const std::vector<domain::Recorded>& chunk) { events += chunk.size(); });
  CHECK(events == 6);
}

}  // namespace
}  // namespace ota::projections
