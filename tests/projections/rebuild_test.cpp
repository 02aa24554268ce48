// Views that are built once more while they are used: beside the others, compared with them, and what a crash leaves of that.
#include "projections/rebuild.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "projections/batched_rows.hpp"
#include "projections/limits.hpp"
#include "projections/row_folders.hpp"
#include "tests/projections/scene.hpp"

namespace ota::projections {
namespace {

using namespace testing;
namespace fs = std::filesystem;

// For a test whose one thread applies and builds.
RebuildOptions on_this_thread(RebuildProgress go_on = kToTheEnd) {
  return {[](const std::function<void()>& work) { work(); }, std::move(go_on)};
}

// Lets the thread that applies do what another one asks, between two groups.
class BetweenGroups {
 public:
  void ask(const std::function<void()>& work) {
    std::promise<void> done;
    {
      const std::lock_guard lock(mutex_);
      work_ = [&] {
        work();
        done.set_value();
      };
    }
    done.get_future().get();
  }
  void serve() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(work_);
    }
    if (work) work();
  }

 private:
  std::mutex mutex_;
  std::function<void()> work_;
};

TEST_CASE("views are rebuilt while they apply, and no reader sees less than before") {
  RandomWorld world(7);
  while (world.story.events().size() < 800) world.step({});
  const auto& told = world.story.events();
  ReadStory t(world.settings);
  auto& views = t.views();
  LogOfStory log;
  std::size_t written = 0;
  const auto write_until = [&](std::size_t to) {
    log.write(world.story, to);
    written = to;
  };
  write_until(300);
  views.apply(group_of(told, 0, 300));

  BetweenGroups between;
  std::atomic<bool> done{false};
  std::atomic<int> faults{0};
  std::atomic<int> rebuilds{0};
  const auto expect = [&](bool holds) { faults += holds ? 0 : 1; };
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    const RebuildOptions how{[&](const auto& work) { between.ask(work); }, [&](std::uint64_t, std::uint64_t) { return !done.load(); }};
    while (!done) rebuilds += views.rebuild(log.log(), how) ? 1 : 0;
  });
  const auto some_device = world.devices.begin()->first;
  threads.emplace_back([&] {
    while (!done) {
      const auto before = views.position();
      const auto given = views.ordinals_given();
      std::uint32_t named = 0;
      while (views.device_of({named})) ++named;
      expect(named >= given);
      expect(views.ordinals_given() >= given);
      expect(views.position() >= before);
      expect(views.broken().empty() && !views.is_unfit());
    }
  });
  threads.emplace_back([&] {
    std::size_t known = views.polls().size();
    while (!done) {
      expect(views.polls().find(some_device.value).has_value());
      expect(views.polls().size() >= known);
      known = views.polls().size();
      std::uint64_t visited = 0;
      views.each_device([&](const domain::Device&) { return ++visited > 0; });
      expect(visited > 0);
      (void)views.due(domain::Time::max(), 10);
      (void)views.statistics();
    }
  });
  std::size_t applied = written;
  while (applied < told.size() || rebuilds < 3) {
    if (applied == written && written < told.size()) write_until(std::min(told.size(), written + 50));
    if (applied < written) {
      const auto to = std::min(written, applied + 1 + applied % 5);
      views.apply(group_of(told, applied, to));
      applied = to;
    }
    between.serve();
    REQUIRE(faults == 0);
  }
  done = true;
  std::atomic<bool> joined{false};
  std::thread rest([&] {
    for (auto& thread : threads) thread.join();
    joined = true;
  });
  while (!joined) between.serve();
  rest.join();
  CHECK(faults == 0);
  CHECK(views.position().value == told.size());
  const auto digest = digest_of_rebuilt(told, world.settings, 100);
  CHECK(views.digest() == digest);
  for (const auto& [id, device] : world.devices) {
    if (!device.registered) continue;
    const auto record = views.polls().find(id.value);
    REQUIRE(record);
    CHECK(record->active == poll_record(device).active);
    CHECK(record->ask_at == poll_record(device).ask_at);
  }
  t.restart();
  CHECK(t.views().digest() == digest);
}

TEST_CASE("a rebuild tells how far it is, and leaves one folder of rows behind") {
  Scene scene;
  const auto digest = scene.views().digest();
  std::vector<std::uint64_t> steps;
  CHECK(scene.views().rebuild(scene.log.log(), on_this_thread([&](std::uint64_t done, std::uint64_t of) {
    CHECK(of == scene.read.story.events().size());
    steps.push_back(done);
    return true;
  })));
  CHECK(steps.front() == 0);
  CHECK(steps.back() == scene.read.story.events().size());
  CHECK(std::is_sorted(steps.begin(), steps.end()));
  CHECK(scene.views().digest() == digest);
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows-1"});
  // It goes on where the other one was, in memory and on disk.
  scene.read.story.succeed(update(2), 2);
  scene.catch_up();
  CHECK(scene.views().polls().find(device_id(2).value)->active.value == 0);
  CHECK(scene.views().due(domain::Time::max(), 10).empty());
  scene.read.restart();
  CHECK(scene.views().digest() == scene.digest_of_log());
  CHECK(scene.views().rebuild(scene.log.log(), on_this_thread()));
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows-2"});
}

TEST_CASE("a query that began before the swap reads the rows that it began with to their end") {
  Scene scene;
  std::promise<void> swapped;
  std::thread builder;
  std::uint32_t visited = 0;
  scene.views().each_device([&](const domain::Device&) {
    if (++visited > 1) return true;
    auto shown = swapped.get_future();
    builder = std::thread([&] {
      // Its last look waits for this reader, behind the swap.
      (void)scene.views().rebuild(scene.log.log(), {[&](const std::function<void()>& work) {
                                                      work();
                                                      swapped.set_value();
                                                    },
                                                    kToTheEnd});
    });
    shown.get();
    CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows", "rows-1"});
    return true;
  });
  builder.join();
  CHECK(visited == 8);
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows-1"});
}

TEST_CASE("views that broke are healed by a rebuild") {
  Scene scene;
  scene.read.story.grant(update(3), 3, 102);
  scene.read.story.tell({update(3), domain::GrantLapsed{1, 0, false}, device_id(3)});
  scene.catch_up();
  // A row is damaged on the disk, and read with the next event of its update.
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  change_row(RowFolders(copy.path()).current(), update_key(Table::kUpdate, update(3)), "garbage");
  const auto views = Views::open(copy.path(), {});
  scene.read.story.grant(update(3), 3, 103, 2);
  scene.log.write(scene.read.story);
  const auto from = views->position().value;
  views->apply(group_of(scene.read.story.events(), from, scene.read.story.events().size()));
  REQUIRE(views->broken().find("updates: a row of table 'u' is damaged") != std::string::npos);
  REQUIRE(views->is_unfit());
  CHECK(views->rebuild(scene.log.log(), on_this_thread()));
  CHECK(views->broken() == "");
  CHECK_FALSE(views->is_unfit());
  CHECK(views->digest() == scene.digest_of_log());
  CHECK(views->update(update(3))->attempt == 2);
}

TEST_CASE("a rebuild that is broken off, or comes to broken views, changes nothing") {
  Scene scene;
  const auto digest = scene.views().digest();
  CHECK_FALSE(scene.views().rebuild(scene.log.log(), on_this_thread([](std::uint64_t done, std::uint64_t) { return done == 0; })));
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows"});
  CHECK_THROWS_WITH_AS(scene.views().rebuild(scene.log.log(), on_this_thread([](std::uint64_t done, std::uint64_t) {
    if (done > 0) throw std::runtime_error("the disk is full");
    return true;
  })),
                       "the disk is full", std::runtime_error);
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows"});
  CHECK(scene.views().digest() == digest);
  CHECK(scene.views().rebuild(scene.log.log(), on_this_thread()));
}

TEST_CASE("a crash at any moment of a rebuild leaves views that go on") {
  Scene scene;
  scene.views().flush();
  const auto digest = scene.views().digest();
  const TempDir copies;
  int crashes = 0;
  const auto crash = [&] {
    fs::copy(scene.read.directory(), copies.path() / std::to_string(crashes), fs::copy_options::recursive);
    ++crashes;
  };
  CHECK(scene.views().rebuild(scene.log.log(), {[&](const std::function<void()>& work) {
                                                  crash();
                                                  work();
                                                  crash();  // shown, and the disk does not know it
                                                },
                                                [&](std::uint64_t, std::uint64_t) {
                                                  crash();
                                                  return true;
                                                }}));
  crash();
  REQUIRE(crashes >= 5);
  for (int n = 0; n < crashes; ++n) {
    CAPTURE(n);
    const auto left = copies.path() / std::to_string(n);
    const auto views = Views::open(left, {});
    CHECK(folders_in(left) == std::vector<std::string>{n + 1 < crashes ? "rows" : "rows-1"});
    CHECK(views->position().value == scene.read.story.events().size());  // nothing had to be folded again
    views->catch_up(scene.log.log(), [](std::uint64_t, std::uint64_t) {});
    CHECK(views->digest() == digest);
  }
}

TEST_CASE("views that are as the log says are found equal, and nothing is left of the others") {
  Scene scene;
  const auto found = scene.views().verify(scene.log.log(), on_this_thread());
  REQUIRE(found);
  CHECK(found->equal());
  CHECK(found->position == scene.views().position());
  CHECK(found->digest == scene.views().digest());
  CHECK(found->rows > 50);
  CHECK(folders_in(scene.read.directory()) == std::vector<std::string>{"rows"});
  CHECK_FALSE(scene.views().verify(scene.log.log(), on_this_thread([](std::uint64_t, std::uint64_t) { return false; })));
}

TEST_CASE("rows that are not as the log says are named") {
  Scene scene;
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  const auto folder = copy.path() / "rows";
  change_row(folder, ordinal_key(Table::kDeviceName, {3}), "pump-xxx");
  change_row(folder, device_list_prefix(DeviceDimension::kGroup, "made up") + "pump-004", "");
  {
    const auto database = Database::open(folder);
    BatchedRows rows(*database);
    rows.erase(id_key(Table::kFirmware, firmware_id(1).bytes));
    rows.commit();
  }
  const auto check = [&](const std::optional<Comparison>& found) {
    REQUIRE(found);
    CHECK_FALSE(found->equal());
    CHECK(found->digest != found->digest_expected);
    CHECK(found->digest_expected == scene.views().digest());
    REQUIRE(found->differing.size() == 3);
    const auto expect = [&](std::size_t i, const std::string& name, const std::string& key, RowDifference::Kind kind) {
      const auto& table = found->differing[i];
      CHECK(table.name == name);
      CHECK(table.differences == 1);
      REQUIRE(table.first.size() == 1);
      CHECK(table.first[0].key.find(key) != std::string::npos);
      CHECK(table.first[0].kind == kind);
    };
    expect(0, "firmware", "\\x11\\x12", RowDifference::Kind::kMissing);
    expect(1, "device lists", "made uppump-004", RowDifference::Kind::kSurplus);
    expect(2, "device names", "\\x00\\x00\\x00\\x03", RowDifference::Kind::kOther);
  };
  check(verify_at_rest(copy.path(), scene.log.log(), kToTheEnd));
  const auto views = Views::open(copy.path(), {});
  check(views->verify(scene.log.log(), on_this_thread()));
}

TEST_CASE("of many rows that differ the first are named, and all are counted") {
  Scene scene;
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  {
    const auto database = Database::open(copy.path() / "rows");
    BatchedRows rows(*database);
    for (std::uint32_t n = 0; n < 7; ++n) rows.put(ordinal_key(Table::kDeviceName, {n}), "nobody");
    rows.commit();
  }
  const auto found = verify_at_rest(copy.path(), scene.log.log(), kToTheEnd);
  REQUIRE((found && found->differing.size() == 1));
  CHECK(found->differing[0].differences == 7);
  CHECK(found->differing[0].first.size() == limits::kDifferencesShown);
  CHECK(found->differing[0].rows == 8);
}

}  // namespace
}  // namespace ota::projections
