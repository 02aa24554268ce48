// The readers of the log, and what it says when it cannot be opened.
#include "eventstore/log.hpp"

#include <doctest/doctest.h>
#include <rocksdb/db.h>

#include <fstream>
#include <random>
#include <thread>

#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/tiles.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

bool says(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE(text, " does not say ", part);
  return found;
}

// Two names that share their hash64: only the names tell them apart.
constexpr const char* kTwin = "8yn0iYCKYHlIj4-BwPqk";
constexpr const char* kOtherTwin = "GReLUrM4wMqfg9yzV3KQ";

Append several(std::vector<NewEvent> events) {
  Append append;
  append.events = std::move(events);
  return append;
}

}  // namespace

TEST_CASE("an empty log has no events") {
  Store store;
  CHECK(store.log->head() == Position{0});
  CHECK(collect([&](const Visitor& v) { store.log->scan({}, v); }).empty());
  CHECK(collect([&](const Visitor& v) { store.log->read_stream("s", {}, v); }).empty());
  CHECK(collect([&](const Visitor& v) { store.log->read_tag("s", {}, v); }).empty());
  CHECK_FALSE(store.log->read_one({1}, [](const RecordedEvent&) { return true; }));
  CHECK_FALSE(store.log->read_one({0}, [](const RecordedEvent&) { return true; }));
  CHECK(store.log->newest("s") == Position{0});
  CHECK_FALSE(store.log->snapshot("s"));
  CHECK_FALSE(store.log->leaf_hash({1}));
  CHECK(store.log->stats().events == 0);
}

TEST_CASE("the newest event at or before a moment is found, whatever the times are") {
  Store store;
  CHECK(store.log->at_or_before(Timestamp::max()) == Position{0});
  for (int group = 0; group < 5; ++group) commit(*store.journal, several({event("a"), event("b")}));
  std::vector<Timestamp> times;
  store.log->scan({}, [&](const RecordedEvent& e) {
    times.push_back(e.time);
    return true;
  });
  REQUIRE(times.size() == 10);
  for (std::size_t i = 0; i < times.size(); ++i) {
    // Events of one group have one time: the last of them.
    const auto newest = std::upper_bound(times.begin(), times.end(), times[i]) - times.begin();
    CHECK(store.log->at_or_before(times[i]) == Position{static_cast<std::uint64_t>(newest)});
    const auto before = std::lower_bound(times.begin(), times.end(), times[i]) - times.begin();
    CHECK(store.log->at_or_before(times[i] - std::chrono::microseconds(1)) == Position{static_cast<std::uint64_t>(before)});
  }
  CHECK(store.log->at_or_before({}) == Position{0});
  CHECK(store.log->at_or_before(Timestamp::max()) == Position{10});
}

TEST_CASE(
    "every reader visits the events that it is for, in position order, from where it is told") {
  Store store;
  commit(*store.journal, several({event("a"), event("b", {"x"}), event("a", {"x", "y"})}));
  commit(*store.journal, several({event("x"), event("b", {"a"}), event("a", {"x"})}));
  const auto check = [&store] {
    const Log& log = *store.log;
    const auto scan = [&](std::uint64_t after) {
      return positions(collect([&](const Visitor& v) { log.scan({after}, v); }));
    };
    const auto stream = [&](const char* name, std::uint64_t after) {
      return positions(collect([&](const Visitor& v) { log.read_stream(name, {after}, v); }));
    };
    const auto tag = [&](const char* name, std::uint64_t after) {
      return positions(collect([&](const Visitor& v) { log.read_tag(name, {after}, v); }));
    };
    using List = std::vector<std::uint64_t>;
    CHECK(scan(0) == List{1, 2, 3, 4, 5, 6});
    CHECK(scan(4) == List{5, 6});
    CHECK(scan(6).empty());
    CHECK(scan(UINT64_MAX).empty());
    CHECK(stream("a", 0) == List{1, 3, 6});
    CHECK(stream("a", 1) == List{3, 6});
    CHECK(stream("a", 6).empty());
    CHECK(stream("a", UINT64_MAX).empty());
    CHECK(stream("y", 0).empty());
    CHECK(tag("x", 0) == List{2, 3, 4, 6});  // 4 is its stream
    CHECK(tag("x", 3) == List{4, 6});
    CHECK(tag("a", 0) == List{1, 3, 5, 6});
    CHECK(tag("y", 0) == List{3});
    CHECK(tag("z", 0).empty());
    CHECK(log.newest("x") == Position{6});
    CHECK(log.newest("y") == Position{3});
    CHECK(log.newest("b") == Position{5});
    CHECK(log.newest("z") == Position{0});
    CHECK(log.head() == Position{6});
    CHECK(log.stats().events == 6);
    CHECK(log.stats().disk_bytes > 0);
  };
  check();
  store.reopen();
  check();
}

TEST_CASE("a reader gives back all that was appended") {
  Store store;
  NewEvent original = event("update:1", {"device:1", "campaign:1"}, std::string("\0\xff", 2));
  original.type = 4711;
  original.origin = {{{1, 2, 3, 4, 5, 6, 7, 8}}, command_id(3), "request", {0}};
  store.clock.set(1'234'567'890);
  commit(*store.journal, append("before"));
  original.origin.causation = {1};
  commit(*store.journal, several({original}));
  std::vector<Seen> found;
  CHECK(store.log->read_one({2}, [&found](const RecordedEvent& event) {
    found.push_back(seen(event));
    return true;
  }));
  REQUIRE(found.size() == 1);
  CHECK(found[0].position == 2);
  CHECK(found[0].time == store.clock.now());
  CHECK(found[0].stream == original.stream);
  CHECK(found[0].type == 4711);
  CHECK(found[0].tags == original.tags);
  CHECK(found[0].payload == original.payload);
  CHECK(found[0].caller == original.origin.caller);
  CHECK(found[0].command == command_id(3));
  CHECK(found[0].correlation == "request");
  CHECK(found[0].causation == 1);
  CHECK(store.log->head_time() == store.clock.now());
  // The tail and every reader say the same.
  const auto all = collect([&](const Visitor& v) { store.log->scan({}, v); });
  CHECK(all == store.tail.events());
  CHECK(collect([&](const Visitor& v) { store.log->read_tag("device:1", {}, v); })[0] == all[1]);
  CHECK(collect([&](const Visitor& v) { store.log->read_stream("update:1", {}, v); })[0] == all[1]);
}

TEST_CASE("a reader stops when its visitor has enough, and passes on what it throws") {
  Store store;
  for (int i = 0; i < 5; ++i) commit(*store.journal, append("s", {"t"}));
  const auto count_until_second = [](const auto& read) {
    int count = 0;
    read([&count](const RecordedEvent&) { return ++count < 2; });
    return count;
  };
  CHECK(count_until_second([&](const Visitor& v) { store.log->scan({}, v); }) == 2);
  CHECK(count_until_second([&](const Visitor& v) { store.log->read_stream("s", {}, v); }) == 2);
  CHECK(count_until_second([&](const Visitor& v) { store.log->read_tag("t", {}, v); }) == 2);
  CHECK_THROWS_AS(store.log->scan({}, [](const RecordedEvent&) -> bool { throw 1; }), int);
}

TEST_CASE("a tag with more events than are fetched at once is read in order") {
  Store store;
  std::vector<std::uint64_t> tagged;
  std::mt19937 random(7);
  for (std::uint64_t position = 1; position <= 600; ++position) {
    const bool own = random() % 3 == 0;
    const bool other = !own && random() % 2 == 0;
    if (own || other) tagged.push_back(position);
    store.journal->append(
        append(own ? "t" : "s", other ? std::vector<std::string>{"t"} : std::vector<std::string>{}),
        {});
  }
  wait_for_all(*store.journal);
  CHECK(positions(collect([&](const Visitor& v) { store.log->read_tag("t", {}, v); })) == tagged);
}

TEST_CASE("names that share a hash are not confused") {
  static_assert(hash64(kTwin) == hash64(kOtherTwin));
  const std::string longer = std::string(kTwin) + "12345678";
  Store store;
  commit(*store.journal, append(kTwin));
  commit(*store.journal, append(kOtherTwin));
  commit(*store.journal, append("s", {kTwin}));
  commit(*store.journal, append("s", {kOtherTwin, longer}));
  store.journal->put_snapshot(kTwin, {1}, "one");
  wait_for_all(*store.journal);
  const auto tag = [&](const std::string& name) {
    return positions(collect([&](const Visitor& v) { store.log->read_tag(name, {}, v); }));
  };
  using List = std::vector<std::uint64_t>;
  CHECK(tag(kTwin) == List{1, 3});
  CHECK(tag(kOtherTwin) == List{2, 4});
  CHECK(tag(longer) == List{4});
  CHECK(store.log->newest(kTwin) == Position{3});
  CHECK(store.log->newest(kOtherTwin) == Position{4});
  CHECK(store.log->snapshot(kTwin)->bytes == "one");
  CHECK_FALSE(store.log->snapshot(kOtherTwin));
}

TEST_CASE("two can read at once while a third appends") {
  Store store;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  std::atomic<std::uint64_t> wrong{0};
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      while (!stop) {
        const std::uint64_t committed = store.log->head().value;
        std::uint64_t last = 0;
        // Every event carries the tag: a reader that misses one sees a hole.
        store.log->read_tag("t", {}, [&](const RecordedEvent& event) {
          if (event.position.value != ++last) ++wrong;
          return true;
        });
        if (last < committed) ++wrong;
      }
    });
  }
  for (int i = 0; i < 2'000; ++i) {
    store.journal->append(i % 3 == 0 ? append("t") : append("s" + std::to_string(i % 5), {"t"}),
                          {});
    if (i % 50 == 0) wait_for_all(*store.journal);
  }
  wait_for_all(*store.journal);
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("a log that another process has open says so and names the directory") {
  Store store;
  CHECK(says(why_not_open<Log>(store.directory.path()), "is in use by another process"));
  CHECK(says(why_not_open<Log>(store.directory.path()), store.directory.path().string()));
}

TEST_CASE("a log is made in a directory that does not exist yet") {
  TempDir directory;
  const auto deep = directory.path() / "some" / "where" / "log";
  CHECK(why_not_open<Log>(deep) == "opened");
  CHECK(why_not_open<Log>(deep) == "opened");
}

TEST_CASE("a directory with other content is refused and left as it was") {
  TempDir directory;
  std::ofstream(directory.path() / "letter.txt") << "dear";
  CHECK(says(why_not_open<Log>(directory.path()), "letter.txt"));
  CHECK(says(why_not_open<Log>(directory.path()), directory.path().string()));
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("a path that is no directory is refused") {
  TempDir directory;
  const auto file = directory.path() / "file";
  std::ofstream(file) << "x";
  CHECK(says(why_not_open<Log>(file), file.string()));
  CHECK(says(why_not_open<Log>(file / "below"), "file"));
}

TEST_CASE("a log that lost its CURRENT file is refused instead of being begun anew") {
  Store store;
  commit(*store.journal, append("s"));
  store.close();
  std::filesystem::remove(store.directory.path() / "CURRENT");
  CHECK(says(why_not_open<Log>(store.directory.path()), "no file CURRENT"));
}

TEST_CASE("a log whose creation was interrupted is completed") {
  TempDir directory;
  SUBCASE("before there was a CURRENT file") {
    for (const char* name : {"LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"}) {
      std::ofstream(directory.path() / name) << "";
    }
  }
  SUBCASE("before there were column families") {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(options, directory.path().string(), &raw).ok());
    delete raw;
  }
  SUBCASE("before it had a format") {
    CHECK(why_not_open<Log>(directory.path()) == "opened");
    const auto database = Database::open(directory.path(), std::make_shared<Head>(), nullptr);
    REQUIRE(database->db().Delete(durable_write(), database->family(Family::kMeta), "format").ok());
  }
  CHECK(why_not_open<Log>(directory.path()) == "opened");
}

TEST_CASE("another RocksDB is not a log") {
  TempDir directory;
  const auto path = directory.path() / "other";
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(options, path.string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    REQUIRE(db->Put({}, "key", "value").ok());
  }
  CHECK(says(why_not_open<Log>(path), "is not an event log"));
  std::vector<std::string> families;
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, path.string(), &families).ok());
  CHECK(families.size() == 1);  // untouched
}

namespace {

// Changes a closed log behind its back.
void tamper(const std::filesystem::path& directory,
            const std::function<void(Database&, rocksdb::WriteBatch&)>& change) {
  const auto database = Database::open(directory, std::make_shared<Head>(), nullptr);
  rocksdb::WriteBatch batch;
  change(*database, batch);
  REQUIRE(database->db().Write(durable_write(), &batch).ok());
}

// A closed log with 300 events: one full tile and a part of the next.
struct ClosedLog {
  ClosedLog() {
    for (int i = 0; i < 300; ++i) store.journal->append(append("s"), {});
    wait_for_all(*store.journal);
    store.close();
  }
  const std::filesystem::path& path() const { return store.directory.path(); }
  Store store;
};

void check(bool ok) { REQUIRE(ok); }

}  // namespace

TEST_CASE("a log of a newer format is refused with both numbers") {
  ClosedLog log;
  tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    check(batch.Put(database.family(Family::kMeta), "format", "2").ok());
  });
  const std::string why = why_not_open<Log>(log.path());
  CHECK(says(why, "written by a newer version: it has format 2, this version knows format 1"));
  CHECK(says(why, log.path().string()));
}

TEST_CASE("a log without its newest events is refused") {
  ClosedLog log;
  tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    check(batch.Delete(database.family(Family::kLog), log_key({300})).ok());
  });
  CHECK(says(why_not_open<Log>(log.path()), "newest event is 299, but its proof tree has 300 leaves"));
}

TEST_CASE("a log with more events than leaves is refused") {
  ClosedLog log;
  tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    check(batch.Put(database.family(Family::kLog), log_key({301}), "x").ok());
  });
  CHECK(says(why_not_open<Log>(log.path()), "newest event is 301, but its proof tree has 300 leaves"));
}

TEST_CASE("a log with a hole near its end is refused") {
  ClosedLog log;
  tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    check(batch.Delete(database.family(Family::kLog), log_key({290})).ok());
  });
  CHECK(says(why_not_open<Log>(log.path()), "event 290 is missing"));
  CHECK(says(why_not_open<Log>(log.path()), log.path().string()));
}

TEST_CASE("a log with another event in its last tile is refused") {
  ClosedLog log;
  tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    rocksdb::PinnableSlice record;
    check(database.get(Family::kLog, log_key({290}), record));
    std::string other = record.ToString();
    other.back() = 'q';
    check(batch.Put(database.family(Family::kLog), log_key({290}), other).ok());
  });
  CHECK(says(why_not_open<Log>(log.path()), "event 290 is not the one that the proof tree holds"));
}

TEST_CASE("a log that lost its first event, a row of its tree or of its streams is refused") {
  ClosedLog log;
  SUBCASE("first event") {
    tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
      check(batch.Delete(database.family(Family::kLog), log_key({1})).ok());
    });
    CHECK(says(why_not_open<Log>(log.path()), "event 1 is missing"));
  }
  SUBCASE("first row of the last tile") {
    tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
      const TileRows tile = read_tile(database, 1);
      check(batch.Delete(database.family(Family::kTiles), TileKey{0, 1, 0}.bytes()).ok());
      // However the groups fell: a later row remains.
      check(batch
                .Put(database.family(Family::kTiles), TileKey{0, 1, 43}.bytes(),
                     tile.hashes.substr(43 * sizeof(Hash)))
                .ok());
    });
    CHECK(says(why_not_open<Log>(log.path()), "the proof tree lacks hashes of level 0, tile 1"));
  }
  SUBCASE("a root above a full tile") {
    tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
      check(batch.Put(database.family(Family::kTiles), TileKey{1, 0, 1}.bytes(), std::string(sizeof(Hash), 'x')).ok());
    });
    CHECK(says(why_not_open<Log>(log.path()), "its proof tree has 1 full tiles of level 0, but 2 hashes above them"));
  }
  SUBCASE("stream") {
    tamper(log.path(), [](Database& database, rocksdb::WriteBatch& batch) {
      check(batch.Delete(database.family(Family::kStreams), name_key("s", {300})).ok());
    });
    CHECK(says(why_not_open<Log>(log.path()), "event 300 is not in the index of its stream"));
  }
}

TEST_CASE("a reader that meets a damaged or missing event names it") {
  ClosedLog closed;
  tamper(closed.path(), [](Database& database, rocksdb::WriteBatch& batch) {
    check(batch.Put(database.family(Family::kLog), log_key({5}), "short").ok());
    check(batch.Delete(database.family(Family::kLog), log_key({9})).ok());
    check(batch.Put(database.family(Family::kTags), name_key("t", {9}), "").ok());
  });
  const auto log = Log::open(closed.path());
  const Visitor all = [](const RecordedEvent&) { return true; };
  const auto position_of_error = [](const std::function<void()>& read) {
    try {
      read();
    } catch (const LogError& error) {
      return error.position.value;
    }
    return std::uint64_t{0};
  };
  CHECK(position_of_error([&] { log->scan({}, all); }) == 5);
  CHECK(position_of_error([&] { log->scan({5}, all); }) == 9);
  CHECK(position_of_error([&] { log->read_one({5}, all); }) == 5);
  CHECK(position_of_error([&] { log->read_tag("t", {}, all); }) == 9);
}
