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
#include "faulty_files.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

struct StopRequested {};

// A log on faulty files whose journal reports instead of ending the process.
struct FaultyStore {
  FaultyStore() : env(rocksdb::NewCompositeEnv(files)) { open(); }
  void open() {
    Log::Options log_options;
    log_options.env = env.get();
    log = Log::open(directory.path(), log_options);
    Journal::Options options;
    options.fail_stop = [this](const std::string& why) {
      stopped.set_value(why);
      throw StopRequested();
    };
    journal = std::make_unique<Journal>(log, std::vector<Tail*>{&tail}, options);
  }
  void close() {
    journal.reset();
    log.reset();
  }

  TempDir directory;
  std::shared_ptr<FaultyFiles> files = std::make_shared<FaultyFiles>();
  std::unique_ptr<rocksdb::Env> env;
  RecordingTail tail;
  std::promise<std::string> stopped;
  std::shared_ptr<Log> log;
  std::unique_ptr<Journal> journal;
};

}  // namespace

TEST_CASE("a write or fsync that fails stops the journal, and nobody is answered") {
  for (const auto mode : {FaultyFiles::Mode::kLogSyncFails, FaultyFiles::Mode::kLogIsFull}) {
    FaultyStore store;
    commit(*store.journal, append("s", {}, "on disk"));
    store.files->set_mode(mode);
    std::atomic<int> answered{0};
    const auto note = [&answered](const AppendOutcome&) { ++answered; };
    store.journal->append(append("s", {}, "not on disk"), note);
    const std::string why = store.stopped.get_future().get();
    CHECK(why.find(store.directory.path().string()) != std::string::npos);
    CHECK(why.find("cannot be written") != std::string::npos);
    store.files->set_mode(FaultyFiles::Mode::kSound);
    store.journal->append(append("s", {}, "too late"), note);  // a process would be gone by now
    CHECK(store.log->head() == Position{1});
    store.close();
    CHECK(answered == 0);
    CHECK(store.tail.events().size() == 1);

    const auto log = Log::open(store.directory.path());
    CHECK(log->head().value >= 1);
    CHECK(log->head().value <= 2);  // what was not answered may be there or not
  }
}

TEST_CASE("groups committed before the failure are told to everybody") {
  FaultyStore store;
  std::atomic<int> answered{0};
  {
    Barricade barricade("journal.before_tails");
    store.journal->append(append("s"), [&answered](const AppendOutcome&) { ++answered; });
    barricade.wait_until_reached();
    store.files->set_mode(FaultyFiles::Mode::kLogSyncFails);
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
    store.files->set_mode(FaultyFiles::Mode::kPowerCut);
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
