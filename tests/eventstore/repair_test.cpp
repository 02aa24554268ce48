// A repair keeps every event that is in a table or in a sound record, and nothing behind the first that is in neither; what
// it leaves is a sound log, on which the journal goes on.
#include <doctest/doctest.h>

#include <algorithm>

#include "eventstore/checkpoint.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/repair.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/verify.hpp"
#include "eventstore/wal_file.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kRepaired = 600;  // events: more than two tiles of the tree

// A signed log whose WAL holds everything since its first event.
struct BrokenLog {
  BrokenLog() {
    Journal::Options options;
    options.signer = std::make_shared<const Signer>(Signer{"ota-log/repair", SigningKey::read(key_file)});
    store.options.signer = options.signer;
    store.reopen();
    for (std::uint64_t i = 1; i <= kRepaired; ++i) {
      Append append = ota::eventstore::testing::append("s" + std::to_string(i % 7), {"t" + std::to_string(i % 3)}, std::string(200, 'p'));
      append.events.front().origin.command = CommandId();
      append.events.front().origin.command->bytes[0] = static_cast<std::uint8_t>(i);
      append.events.front().origin.command->bytes[1] = static_cast<std::uint8_t>(i / 256 + 1);
      append.command = Append::Command{*append.events.front().origin.command, {}, 200};
      store.journal->append(std::move(append), {});
      if (i % 100 == 0) {
        wait_for_all(*store.journal);
        store.journal->put_snapshot("s1", {i}, "at " + std::to_string(i));
        wait_for_all(*store.journal);
        ends.push_back(fs::file_size(wal_files(store.directory.path()).back()));
      }
    }
    all = collect([&](const Visitor& v) { store.log->scan({}, v); });
    store.close();
  }
  // One bit of the record behind the first `hundreds` of events.
  void flip_behind(std::size_t hundreds) {
    const auto file = wal_files(store.directory.path()).front();
    std::string bytes = read_file(file, 0);
    bytes[ends[hundreds - 1] + 100] = static_cast<char>(bytes[ends[hundreds - 1] + 100] ^ 16);
    write_file(file, bytes);
  }
  // Brings one family into a table, and leaves the WAL as it is: as in a service that goes on.
  void flush_alone(Family family) {
    rocksdb::DBOptions options = database_options(nullptr);
    options.avoid_flush_during_recovery = true;
    const auto of_families = family_options(std::make_shared<Head>());
    std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, {}}};
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i) families.emplace_back(kFamilyNames[i], of_families[i]);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(options, store.directory.path().string(), families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    CHECK(db->Flush({}, handles[1 + static_cast<std::size_t>(family)]).ok());
    for (auto* handle : handles) CHECK(db->DestroyColumnFamilyHandle(handle).ok());
  }
  Verification verified() const {
    return verify(*Log::open_read_only(store.directory.path()), {{{verifier, {1}, {}}}, {}, 0, {}});
  }

  static fs::path made_key(const TempDir& in) {
    const auto file = in.path() / "key.pem";
    SigningKey::make().write(file);
    return file;
  }
  TempDir keys;
  const fs::path key_file = made_key(keys);
  const VerifierKey verifier{"ota-log/repair", SigningKey::read(key_file).public_key()};
  Store store;
  std::vector<std::uint64_t> ends;
  std::vector<Seen> all;
};

void check_goes_on(BrokenLog& broken, std::uint64_t head) {
  const auto found = broken.verified();
  for (const auto& finding : found.findings) FAIL_CHECK(finding.first.value, " ", finding.what);
  CHECK(found.is_sound());
  CHECK(found.events == head);
  broken.store.reopen();
  auto& log = *broken.store.log;
  const auto events = collect([&](const Visitor& v) { log.scan({}, v); });
  REQUIRE(events.size() == head);
  CHECK(std::equal(events.begin(), events.end(), broken.all.begin()));
  std::size_t tagged = 0;
  for (const char* tag : {"t0", "t1", "t2"}) tagged += collect([&](const Visitor& v) { log.read_tag(tag, {}, v); }).size();
  CHECK(tagged == head);
  if (const auto snapshot = log.snapshot("s1")) CHECK(snapshot->position.value <= head);
  CHECK(commit(*broken.store.journal, append("s1", {"t1"})).first == Position{head + 1});
  broken.store.close();
  CHECK(broken.verified().is_sound());
}

}  // namespace

TEST_CASE("a log that is sound, or has a torn tail, needs no repair") {
  BrokenLog broken;
  CHECK_FALSE(examine_log(broken.store.directory.path()));
  CHECK_FALSE(repair_log(broken.store.directory.path()));
  const auto file = wal_files(broken.store.directory.path()).back();
  write_file(file, read_file(file, 0) + "a write that did not come to its end");
  CHECK_FALSE(repair_log(broken.store.directory.path()));
}

TEST_CASE("what is in the WAL alone is lost from the damage on, said before, and done when it is asked for") {
  BrokenLog broken;
  broken.flip_behind(4);
  const auto& directory = broken.store.directory.path();
  const auto file = wal_files(directory).back();
  const auto damaged = read_file(file, 0);
  const auto told = examine_log(directory);
  REQUIRE(told);
  CHECK(told->damage.find(fmt::format("{} at byte {}: ", file.filename().string(), broken.ends[3])) == 0);
  CHECK(told->head == Position{400});
  CHECK(told->newest == Position{kRepaired});
  CHECK(told->events_lost() == 200);
  CHECK(told->kept_in.empty());
  CHECK(read_file(file, 0) == damaged);
  CHECK(why_not_open<Log>(directory) != "opened");

  const auto done = repair_log(directory);
  REQUIRE(done);
  CHECK(done->head == told->head);
  CHECK(done->events_lost() == 200);
  CHECK(read_file(done->kept_in / file.filename(), 0) == damaged);
  CHECK_FALSE(examine_log(directory));
  check_goes_on(broken, 400);
}

TEST_CASE("the very first record may be the damaged one") {
  BrokenLog broken;
  const auto file = wal_files(broken.store.directory.path()).back();
  std::string bytes = read_file(file, 0);
  bytes[8'000] = static_cast<char>(bytes[8'000] ^ 1);  // an event of the first hundred
  write_file(file, bytes);
  const auto done = repair_log(broken.store.directory.path());
  REQUIRE(done);
  CHECK(done->head.value < 100);
  check_goes_on(broken, done->head.value);
}

TEST_CASE("events that are in a table already are not lost with the record that they were in: their indexes are made again") {
  BrokenLog broken;
  broken.flush_alone(Family::kLog);
  broken.flip_behind(1);
  const auto done = repair_log(broken.store.directory.path());
  REQUIRE(done);
  CHECK(done->events_lost() == 0);
  CHECK(done->indexed_from == Position{101});
  check_goes_on(broken, kRepaired);
}

TEST_CASE("indexes that are in tables already do not outlive the events that they name") {
  for (const Family ahead : {Family::kTags, Family::kTiles}) {
    CAPTURE(static_cast<std::size_t>(ahead));
    BrokenLog broken;
    broken.flush_alone(ahead);
    broken.flip_behind(3);
    const auto done = repair_log(broken.store.directory.path());
    REQUIRE(done);
    CHECK(done->head == Position{300});
    check_goes_on(broken, 300);
  }
}

TEST_CASE("a repair that was broken off is not opened over, and the next one ends it") {
  BrokenLog broken;
  broken.flip_behind(2);
  const auto& directory = broken.store.directory.path();
  // As it is left behind the first step: the WAL has sound records alone, and nothing else is done.
  write_file(directory / kRepairMark, "201");
  TempDir sound;
  const auto files = wal_files(directory);
  copy_sound_records(files, sound.path());
  for (const auto& file : files) replace_file(file, read_file(sound.path() / file.filename(), 0));
  CHECK(why_not_open<Log>(directory).find("the repair of the event log in " + directory.string() + " was not finished") == 0);
  CHECK_THROWS_WITH_AS(Log::open_read_only(directory), doctest::Contains("was not finished"), std::runtime_error);
  const auto done = repair_log(directory);
  REQUIRE(done);
  CHECK(done->head == Position{200});
  check_goes_on(broken, 200);
}

TEST_CASE("a log that a service has open is not repaired") {
  BrokenLog broken;
  broken.flip_behind(2);
  const DatabaseLock held(broken.store.directory.path());
  CHECK_THROWS_WITH_AS(repair_log(broken.store.directory.path()), doctest::Contains("is in use by another process"), std::runtime_error);
  CHECK_FALSE(fs::exists(broken.store.directory.path() / kRepairMark));
}
