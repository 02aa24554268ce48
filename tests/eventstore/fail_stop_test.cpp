// When the disk fails: nobody is answered whose event is not on disk, and the journal stops for
// good.
#include <doctest/doctest.h>

#include <future>
#include <random>
#include <semaphore>
#include <thread>

#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/verify.hpp"
#include "faulty_store.hpp"
#include "tests/processes/child_process.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

TEST_CASE("a write or fsync that fails stops the journal, and nobody is answered") {
  for (const auto kind : {FaultKind::kSyncFails, FaultKind::kNoSpace, FaultKind::kWriteFails, FaultKind::kShortWrite}) {
    const Fault fault{FileKind::kWal, kind};
    CAPTURE(text_of(fault));
    FaultyStore store;
    commit(*store.journal, append("s", {}, "on disk"));
    store.files->fail(fault);
    std::atomic<int> answered{0};
    const auto note = [&answered](const AppendOutcome&) { ++answered; };
    store.journal->append(append("s", {}, "not on disk"), note);
    const std::string why = store.stopped.get_future().get();
    CHECK(why.find(store.directory.path().string()) != std::string::npos);
    CHECK(why.find("cannot be written") != std::string::npos);
    CHECK(why.find(".log") != std::string::npos);  // the file
    store.files->be_sound();
    store.journal->append(append("s", {}, "too late"), note);  // a process would be gone by now
    CHECK(store.log->head() == Position{1});
    store.close();
    CHECK(answered == 0);
    CHECK(store.tail.events().size() == 1);

    const auto log = Log::open(store.directory.path());
    CHECK(log->head().value >= 1);
    CHECK(log->head().value <= 2);  // what was not answered may be there or not
    CHECK(log->torn_tail().empty() == (kind != FaultKind::kShortWrite));
  }
}

namespace {

// RocksDB waits for a second behind every background work that failed, and for five when there was no room: most of these
// faults are for the long run.
std::vector<Fault> background_faults(std::vector<Fault> always, const std::vector<Fault>& when_long) {
  if (ota::testing::variable("OTA_TEST_LONG") == "1") always.insert(always.end(), when_long.begin(), when_long.end());
  return always;
}

}  // namespace

TEST_CASE("what RocksDB cannot do in the background stops the journal too, and names the file") {
  using enum FileKind;
  using enum FaultKind;
  for (const Fault& fault : background_faults({{kTable, kSyncFails}, {kManifest, kShortWrite}},
                                              {{kTable, kWriteFails}, {kTable, kShortWrite}, {kTable, kNoSpace},
                                               {kManifest, kWriteFails}, {kManifest, kSyncFails}, {kManifest, kNoSpace}})) {
    CAPTURE(text_of(fault));
    FaultyStore store;
    commit(*store.journal, append("s", {}, "on disk"));
    store.files->fail(fault);
    // More than the memory for snapshots: the next write begins another, and this one goes to a table.
    store.journal->put_snapshot("s", {1}, std::string(std::size_t{9} << 20, 'x'));
    wait_for_all(*store.journal);
    std::atomic<int> answered{0};
    store.journal->append(append("s", {}, "perhaps on disk"), [&answered](const AppendOutcome&) { ++answered; });
    const std::string why = store.stopped.get_future().get();
    CHECK(why.find("the event log in " + store.directory.path().string() + " cannot be kept: ") == 0);
    CHECK(why.find(fault.files == kTable ? ".sst" : "MANIFEST-") != std::string::npos);
    std::atomic<int> late{0};
    store.journal->append(append("s", {}, "too late"), [&late](const AppendOutcome&) { ++late; });
    store.files->be_sound();
    store.close();
    CHECK(late == 0);

    const auto log = Log::open(store.directory.path());
    CHECK(log->head().value >= 1U + static_cast<unsigned>(answered.load()));
    CHECK(verify(*log, {}).is_sound());
  }
}

TEST_CASE("a compaction that fails stops the log, but for one that finds no room: that is done later") {
  using enum FileKind;
  using enum FaultKind;
  for (const Fault& fault : background_faults({{kTable, kBitFlips}}, {{kTable, kReadFails}, {kTable, kWriteFails}, {kTable, kSyncFails},
                                                                      {kTable, kNoSpace}})) {
    CAPTURE(text_of(fault));
    TempDir directory;
    const auto files = std::make_shared<FaultyFiles>();
    const auto env = rocksdb::NewCompositeEnv(files);
    const auto database = Database::open(directory.path(), std::make_shared<Head>(), env.get());
    std::string told;
    database->watch([&told](const std::string& why) { told = why; });
    auto* family = database->family(Family::kSnapshots);
    for (int table = 0; table < 2; ++table) {
      for (std::uint64_t row = 1; row <= 50; ++row) {
        REQUIRE(database->db().Put({}, family, name_key("s", {row}), std::string(100, 'x')).ok());
      }
      REQUIRE(database->db().Flush({}, family).ok());
    }
    files->fail(fault);
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    CHECK_FALSE(database->db().CompactRange(all, family, nullptr, nullptr).ok());
    database->watch({});
    CHECK(files->met() > 0);
    files->be_sound();
    if (fault.kind == kNoSpace) {
      CHECK(told.empty());
      CHECK(database->db().Put(durable_write(), family, name_key("s", {1}), "x").ok());
    } else {
      CHECK(told.find("its tables cannot be merged") != std::string::npos);
      CHECK(told.find(".sst") != std::string::npos);
    }
  }
}

TEST_CASE("groups committed before the failure are told to everybody") {
  FaultyStore store;
  std::atomic<int> answered{0};
  {
    Barricade barricade("journal.before_tails");
    store.journal->append(append("s"), [&answered](const AppendOutcome&) { ++answered; });
    barricade.wait_until_reached();
    store.files->fail({FileKind::kWal, FaultKind::kSyncFails});
    store.journal->append(append("s"), [&answered](const AppendOutcome&) { ++answered; });
    store.stopped.get_future().wait();
    barricade.open();
    store.close();
  }
  CHECK(answered == 1);
  CHECK(store.tail.events().size() == 1);
}

TEST_CASE("after a power cut every answered event is there, and nothing has a hole") {
  std::mt19937 random(11);
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    FaultyStore store;
    std::atomic<std::uint64_t> answered{0};  // the last position
    const std::uint64_t cut_after = 1 + random() % 3'000;
    std::binary_semaphore reached(0);
    std::atomic<bool> stop{false};
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 4; ++sender) {
      senders.emplace_back([&, sender] {
        for (int i = 0; !stop; ++i) {
          if (store.journal->in_flight() > 300) {
            std::this_thread::yield();
            continue;
          }
          Append append =
              testing::append("s" + std::to_string(sender), {"t"}, std::string(200, 'p'));
          if (i % 2 == 0) append.events.push_back(event("r", {"t"}));
          store.journal->append(std::move(append), [&](const AppendOutcome& outcome) {
            const std::uint64_t last = std::get<Committed>(outcome).last().value;
            const std::uint64_t before = answered.exchange(last);
            if (before < cut_after && last >= cut_after) reached.release();
          });
        }
      });
    }
    reached.acquire();
    store.files->cut_power();
    store.stopped.get_future().wait();
    stop = true;
    for (std::thread& sender : senders) sender.join();
    store.close();
    store.files->drop_unsynced();

    const auto log = Log::open(store.directory.path());
    CHECK(log->head().value >= answered);
    const auto events = collect([&](const Visitor& v) { log->scan({}, v); });  // throws on a hole
    CHECK(events.size() == log->head().value);
    CHECK(collect([&](const Visitor& v) { log->read_tag("t", {}, v); }) == events);
  }
}

TEST_CASE("a log that cannot be read refuses what it cannot check, and goes on with the rest") {
  // A condition older than the memory needs the index; a damaged index must not end the service.
  Store store;
  commit(*store.journal, append("s", {"t"}));
  store.close();
  {
    const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
    REQUIRE(database->db()
                .Put(durable_write(), database->family(Family::kTags), name_key("t", {0}), "")
                .ok());
    REQUIRE(database->db()
                .Delete(durable_write(), database->family(Family::kTags), name_key("t", {1}))
                .ok());
  }
  store.reopen();
  const AppendOutcome outcome = ask(*store.journal, append_if({{"t", {0}}}, "s"));
  REQUIRE(std::holds_alternative<Refused>(outcome));
  CHECK(std::get<Refused>(outcome).why.find("cannot be checked") != std::string::npos);
  CHECK(commit(*store.journal, append("s")).first == Position{2});
}
