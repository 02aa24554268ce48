// What a start makes of a damaged write-ahead log: the last write, torn, is cut off and kept beside the log; anything that was
// acknowledged is missed, and the log is not opened (what is missing and not damaged: acknowledged_test.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "eventstore/acknowledged.hpp"
#include "eventstore/crc32c.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/wal_file.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;
namespace fs = std::filesystem;

namespace {

// A log whose events are all in one WAL, and where in it each of them ends.
struct WrittenLog {
  explicit WrittenLog(std::size_t count, std::size_t payload = 100) {
    for (std::size_t i = 0; i < count; ++i) {
      commit(*store.journal, append("s", {"t"}, std::string(payload, static_cast<char>('a' + i))));
      ends.push_back(fs::file_size(wal()));
    }
    all = collect([&](const Visitor& v) { store.log->scan({}, v); });
    store.close();
  }
  fs::path wal() const {
    const auto files = wal_files(store.directory.path());
    REQUIRE(files.size() == 1);
    return files.front();
  }
  // A copy, whose WAL is changed, and in which so many events are noted as acknowledged.
  fs::path changed(std::size_t noted, const std::function<void(std::string& bytes)>& change) {
    const fs::path to = copies.path() / std::to_string(++copied);
    fs::copy(store.directory.path(), to);
    auto note = *read_acknowledged(to);
    note.count = noted;
    note.wal_bytes = ends[noted - 1];
    replace_acknowledged(to, note);
    std::string bytes = read_file(wal(), 0);
    change(bytes);
    write_file(to / wal().filename(), bytes);
    return to;
  }

  Store store;
  TempDir copies;
  int copied = 0;
  std::vector<std::uint64_t> ends;
  std::vector<Seen> all;
};

// The first events of a log, which must be all that it has.
void check_is_prefix(const Log& log, const std::vector<Seen>& all, std::size_t count) {
  const auto found = collect([&](const Visitor& v) { log.scan({}, v); });
  REQUIRE(found.size() == count);
  CHECK(std::equal(found.begin(), found.end(), all.begin()));
  CHECK(collect([&](const Visitor& v) { log.read_tag("t", {}, v); }) == found);
}

}  // namespace

TEST_CASE("the checksum of the write-ahead log is CRC-32C") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c("56789", crc32c("1234")) == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
}

TEST_CASE("a last record that is cut anywhere is cut off, kept, and said; the log goes on behind the one before") {
  WrittenLog written(3);
  const std::uint64_t end = written.ends[2];
  const std::uint64_t begin = written.ends[1];
  for (std::uint64_t bytes = begin; bytes < end; bytes += bytes < begin + 8 || bytes + 2 > end ? 1 : 41) {
    CAPTURE(bytes);
    const auto directory = written.changed(2, [&](std::string& wal) { wal.resize(bytes); });
    const auto log = Log::open(directory);
    check_is_prefix(*log, written.all, 2);
    if (bytes == begin) {
      CHECK(log->torn_tail().empty());  // a record that never came to the disk leaves nothing
      continue;
    }
    CHECK(log->torn_tail().find(fmt::format("{} bytes of {} behind byte {} were cut off", bytes - begin,
                                            written.wal().filename().string(), begin)) == 0);
    Journal journal(log, {}, {});
    CHECK(commit(journal, append("s")).first == Position{3});
  }
}

TEST_CASE("a last record of several blocks is cut off wherever its bytes are not what was written") {
  WrittenLog written(2, 90'000);
  for (const std::uint64_t at : {written.ends[0] + 3, written.ends[0] + 40'000, written.ends[1] - 1}) {
    CAPTURE(at);
    const auto directory = written.changed(1, [&](std::string& wal) { wal[at] = static_cast<char>(wal[at] ^ 1); });
    const auto log = Log::open(directory);
    check_is_prefix(*log, written.all, 1);
    CHECK(log->torn_tail().find("the checksum of a record is wrong") != std::string::npos);
    std::vector<fs::path> kept;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (entry.path().filename().string().find(".log.from-") != std::string::npos) kept.push_back(entry.path());
    }
    REQUIRE(kept.size() == 1);
    CHECK(fs::file_size(kept.front()) == written.ends[1] - written.ends[0]);
    CHECK(log->torn_tail().find(kept.front().string()) != std::string::npos);
  }
}

TEST_CASE("garbage and zeros behind the last record are cut off, and no event with them") {
  WrittenLog written(3);
  std::mt19937 random(3);
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    const auto directory = written.changed(3, [&](std::string& wal) {
      for (std::size_t more = 1 + random() % 70'000; more > 0; --more) wal.push_back(round % 3 == 0 ? '\0' : static_cast<char>(random()));
    });
    const auto log = Log::open(directory);
    check_is_prefix(*log, written.all, 3);
    CHECK(log->torn_tail().find(fmt::format("behind byte {} were cut off", written.ends[2])) != std::string::npos);
    CHECK(log->torn_tail().find("All that was noted as acknowledged is there: 3 events, by 1970-01-01 00:00:01Z. Whether somebody was told "
                                "of these bytes, within the second behind that, is not known.") != std::string::npos);
  }
}

TEST_CASE("a record damaged before another is missed: the log is refused, with file, place and remedy, and not changed") {
  WrittenLog written(4, 20'000);  // of three blocks
  for (std::size_t damaged = 0; damaged < 3; ++damaged) {
    const std::uint64_t begin = damaged == 0 ? 0 : written.ends[damaged - 1];
    for (const std::uint64_t at : {begin + 5, begin + 500, written.ends[damaged] - 1}) {
      CAPTURE(damaged);
      CAPTURE(at);
      // The first records of a log are those of its format and its tree.
      if (damaged == 0 && at < 100) continue;
      const auto directory = written.changed(4, [&](std::string& wal) { wal[at] = static_cast<char>(wal[at] ^ 64); });
      const auto before = read_file(directory / written.wal().filename(), 0);
      for (const bool read_only : {false, true}) {
        std::string why = "opened";
        try {
          read_only ? Log::open_read_only(directory) : Log::open(directory);
        } catch (const std::runtime_error& error) {
          why = error.what();
        }
        CAPTURE(read_only);
        CAPTURE(why);
        CHECK(why.find(directory.string()) != std::string::npos);
        CHECK(why.find(written.wal().filename().string() + " at byte ") != std::string::npos);
        CHECK(why.find("otactl log repair") != std::string::npos);
        CHECK(why.find("behind it") != std::string::npos);
      }
      CHECK(read_file(directory / written.wal().filename(), 0) == before);
    }
  }
}

TEST_CASE("a last record that was acknowledged is no torn tail: it is missed, and stays where it is") {
  WrittenLog written(3);
  for (const std::uint64_t at : {written.ends[1] + 3, written.ends[2] - 1}) {
    CAPTURE(at);
    const auto directory = written.changed(3, [&](std::string& wal) { wal[at] = static_cast<char>(wal[at] ^ 1); });
    const auto before = read_file(directory / written.wal().filename(), 0);
    CHECK(why_not_open<Log>(directory) ==
          fmt::format("the event log in {} is not all there: it has 2 of the 3 events that were acknowledged by 1970-01-01 00:00:01Z, 1 are "
                      "missing, and of its write-ahead log {} is sound to byte {} alone, and was synced to byte {}. Put back what is missing, or restore a "
                      "backup; `otactl log repair {}` tells what is lost, and with --apply goes on without it",
                      directory.string(), written.wal().filename().string(), written.ends[1], written.ends[2], directory.string()));
    CHECK(read_file(directory / written.wal().filename(), 0) == before);
  }
}

TEST_CASE("rows that are missing between two sound records are missed") {
  WrittenLog written(4);
  const auto directory = written.changed(2, [&](std::string& wal) { wal.erase(written.ends[1], written.ends[2] - written.ends[1]); });
  const std::string why = why_not_open<Log>(directory);
  CHECK(why.find(fmt::format("at byte {}: ", written.ends[1])) != std::string::npos);
  CHECK(why.find("rows are missing") != std::string::npos);
}

TEST_CASE("a record that was made zeros to the end of its block, over which RocksDB itself passes without a word, is missed") {
  WrittenLog written(4, 40'000);
  const auto directory = written.changed(4, [&](std::string& wal) {
    for (std::size_t at = written.ends[1]; at % 32'768 != 0; ++at) wal[at] = 0;
  });
  CHECK(why_not_open<Log>(directory).find("zeros stand where a record should begin") != std::string::npos);
}

TEST_CASE("a whole file of the WAL that is gone is missed") {
  WrittenLog written(2);
  {
    // A family that is flushed alone leaves the old file, which the others need, and begins another.
    const auto database = Database::open(written.store.directory.path(), std::make_shared<Head>(), nullptr);
    for (int file = 0; file < 2; ++file) {
      for (const Family family : {Family::kSnapshots, Family::kMeta}) {
        REQUIRE(database->db().Put(durable_write(), database->family(family), "x", std::to_string(file)).ok());
      }
      REQUIRE(database->db().Flush({}, database->family(Family::kSnapshots)).ok());
    }
    REQUIRE(database->db().Put(durable_write(), database->family(Family::kMeta), "x", "2").ok());
  }
  const auto files = wal_files(written.store.directory.path());
  REQUIRE(files.size() >= 3);
  fs::remove(files[1]);
  CHECK(why_not_open<Log>(written.store.directory.path()).find("rows are missing") != std::string::npos);
}

TEST_CASE("a log that is being written can be read beside it, and its last record may not be there yet") {
  WrittenLog written(3);
  const auto directory = written.changed(2, [&](std::string& wal) { wal.resize(written.ends[2] - 9); });
  const auto log = Log::open_read_only(directory);
  check_is_prefix(*log, written.all, 2);
  CHECK(fs::file_size(directory / written.wal().filename()) == written.ends[2] - 9);
}
