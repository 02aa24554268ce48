// What cannot be read is named to the event, and the rest is looked at all the same; what is no event is held against the events;
// and all of it ends when it is told to.
#include <algorithm>
#include <atomic>
#include <thread>

#include "eventstore/command_index.hpp"
#include "eventstore/acknowledged.hpp"
#include "eventstore/drop_snapshots.hpp"
#include "eventstore/wal_file.hpp"
#include "eventstore/durable_files.hpp"
#include "tampered.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

TEST_CASE("a flipped bit on the disk is found where it is, to the event, and the rest is looked at all the same") {
  Tampered log;
  const auto path = log.table(Family::kLog);
  Tampered::flip(path, std::filesystem::file_size(path) / 2);
  const auto found = log.verified();
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings.front().what.find("block checksum mismatch") != std::string::npos);
  const auto first = found.findings.front().first.value;
  const auto last = found.findings.front().last.value;
  CHECK(log.can_be_read(first - 1));
  CHECK_FALSE(log.can_be_read(first));
  CHECK_FALSE(log.can_be_read(last));
  CHECK(log.can_be_read(last + 1));
  CHECK(found.events == kEvents - (last - first + 1));
  CHECK(found.signed_events == kEvents);  // the leaves of what cannot be read are there
}

TEST_CASE("a bit that flipped in the last block: named to the end that the tree tells of") {
  Tampered log;
  const auto path = log.table(Family::kLog);
  // Behind the blocks of events are those that lead to them.
  std::uint64_t place = std::filesystem::file_size(path);
  do {
    REQUIRE(place > 1'000);
    place -= 500;
    Tampered::flip(path, place);
    if (!log.can_be_read(kEvents) && log.can_be_read(1)) break;
    Tampered::flip(path, place);
  } while (true);
  const auto found = log.verified();
  REQUIRE(found.findings.size() == 1);
  const auto first = found.findings.front().first.value;
  CHECK(first > 1);
  CHECK(log.can_be_read(first - 1));
  CHECK_FALSE(log.can_be_read(first));
  CHECK(found.findings.front().last.value == kEvents);
  CHECK(found.head.value == kEvents);
  CHECK(found.signed_events == kEvents);
}

TEST_CASE("what cannot be read hides no difference of what can") {
  Tampered log;
  const auto path = log.table(Family::kLog);
  Tampered::flip(path, std::filesystem::file_size(path) / 2);
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::remove(d, b, Family::kStreams, name_key(Tampered::decoded(Tampered::record(d, 9'990)).stream, {9'990}));
    Tampered::put(d, b, Family::kTags, name_key("t1", {kEvents + 1}), "");
  });
  auto found = log.findings();
  REQUIRE(found.size() == 3);
  CHECK(found[1] == "9990: it is missing in the index of its stream");
  CHECK(found[2] == "10001: the index of tags holds it, the log does not");
}

TEST_CASE("a damaged record is named by what is wrong with it, and its index still has what it was") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::put(d, b, Family::kLog, log_key({9}), "12345678");
    Tampered::remove(d, b, Family::kStreams, name_key(Tampered::decoded(Tampered::record(d, 70)).stream, {70}));
  });
  CHECK(log.findings() == Found{"9: its record has a damaged format at byte 8",
                                "9: the log and the index of its stream hold different events there",
                                "70: it is missing in the index of its stream"});
}

TEST_CASE("a damaged row of checkpoints is a finding, and the events are looked at all the same") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) { Tampered::put(d, b, Family::kMeta, "checkpoint-", "x"); });
  const auto found = log.verified();
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings.front().what == "the log has a checkpoint with a damaged key");
  CHECK(found.events == kEvents);
}

TEST_CASE("a key that names a position far away is named, and takes no time") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::put(d, b, Family::kLog, log_key({std::uint64_t{1} << 60}), Tampered::record(d, kEvents));
  });
  const auto found = log.findings();
  CHECK(std::find(found.begin(), found.end(), "10001-1152921504606846975: missing") != found.end());
}

TEST_CASE("commands are remembered with the events that they led to, and snapshots are of events that are there") {
  Tampered log(10);
  log.store.reopen();
  std::vector<Position> led_to;
  for (std::uint8_t number = 1; number <= 3; ++number) {
    log.store.clock.set(2'000'000 + number);
    Append next = append("s1");
    next.events.front().origin.command = command_id(number);
    next.command = Append::Command{command_id(number), {}, 200};
    led_to.push_back(commit(*log.store.journal, std::move(next)).first);
  }
  Append alone;
  alone.command = Append::Command{command_id(4), {}, 200};
  commit(*log.store.journal, std::move(alone));
  log.store.journal->keep_answer(command_id(1), "answer");
  log.store.journal->put_snapshot("s1", led_to.back(), "folded");
  log.store.close();
  CHECK(log.findings() == Found{});

  const auto remember = [&](std::uint8_t number, Position position, std::int64_t us) {
    log.change([&](Database& d, rocksdb::WriteBatch& b) {
      Tampered::put(d, b, Family::kCommands, std::string(command_key(command_id(number))),
                    encode_command({{}, 200, position, Timestamp(std::chrono::microseconds(us))}));
    });
  };
  remember(1, led_to[2], 2'000'001);
  remember(2, led_to[1], 2'000'001);
  remember(3, {99}, 2'000'003);
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    Tampered::put(d, b, Family::kCommands, std::string(command_key(command_id(4))), "x");
    Tampered::put(d, b, Family::kSnapshots, name_key("s1", {14}), "folded");
  });
  const auto at = [](Position position) { return std::to_string(position.value); };
  CHECK(log.findings() == Found{at(led_to[1]) + ": a command is remembered with it, at an earlier time than its own",
                                at(led_to[2]) + ": a command is remembered with it, at an earlier time than its own",
                                "14: a snapshot holds it, the log does not", "99: a command is remembered with it, the log does not hold it",
                                "a row of the family commands is damaged"});
}

TEST_CASE("a command that found nothing to do behind its own event is remembered with it, later, and that is sound") {
  Tampered log(10);
  log.store.reopen();
  log.store.clock.set(2'000'000);
  Append part = append("s1");
  part.events.front().origin.command = command_id(5);
  commit(*log.store.journal, std::move(part));
  log.store.clock.set(2'000'007);
  Append alone;
  alone.command = Append::Command{command_id(5), {}, 200};
  commit(*log.store.journal, std::move(alone));
  commit(*log.store.journal, append("s1"));  // with which it is durable
  log.store.close();
  CHECK(log.findings() == Found{});
}

TEST_CASE("snapshots are dropped when somebody asks") {
  Tampered log(10);
  log.store.reopen();
  log.store.journal->put_snapshot("s1", {3}, "folded");
  log.store.journal->put_snapshot("s2", {4}, "folded");
  log.store.close();
  CHECK(drop_snapshots(log.store.directory.path()).count == 2);
  CHECK(drop_snapshots(log.store.directory.path()).count == 0);
  CHECK_FALSE(Log::open_read_only(log.store.directory.path())->snapshot("s1"));
  CHECK(log.findings() == Found{});
  CHECK_THROWS_WITH_AS(drop_snapshots(log.store.directory.path() / "x"), doctest::Contains("holds no event log"), std::runtime_error);
}

TEST_CASE("dropping snapshots tells what was cut off of the log, and is refused where the log is not all there") {
  Tampered log(10);
  const auto directory = log.store.directory.path();
  const auto newest = wal_files(directory).back();
  const auto whole = read_file(newest, 0);
  write_file(newest, whole + "a record that did not come to its end");
  CHECK(drop_snapshots(directory).torn_tail.find("were cut off") != std::string::npos);
  CHECK(drop_snapshots(directory).torn_tail.empty());
  // Of a note that knows no files, and is ahead of the log.
  Acknowledged note;
  note.count = 11;
  replace_acknowledged(directory, note);
  CHECK_THROWS_WITH_AS(drop_snapshots(directory), doctest::Contains("is not all there: it has 10 of the 11 events"), std::runtime_error);
}

TEST_CASE("what a start that was killed has left is removed by the next") {
  Tampered log(10);
  const auto left = log.store.directory.path() / "scratch-abcdef";
  std::filesystem::create_directories(left / "more");
  write_file(left / "000012.log", "x");
  log.store.reopen();
  CHECK_FALSE(std::filesystem::exists(left));
}

TEST_CASE("verifying stops when it is told to, whatever it is at, and says that it did not see all") {
  Tampered log;
  // Something to name row by row behind the passes.
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::remove(d, b, Family::kStreams, name_key(Tampered::decoded(Tampered::record(d, 9'990)).stream, {9'990}));
    Tampered::put(d, b, Family::kTags, name_key("t1", {kEvents + 1}), "");
  });
  std::atomic<int> asked{0};
  auto options = log.options();
  options.progress = [](std::uint64_t, std::uint64_t of) { CHECK(of == kEvents); };
  options.stopped = [&] {
    ++asked;
    return false;
  };
  CHECK_FALSE(log.verified(options).stopped);
  const int all = asked;
  REQUIRE(all >= 10);  // of the events, of both indexes, and of each of these once more against the other
  for (int stop_at = 1; stop_at <= all; ++stop_at) {
    CAPTURE(stop_at);
    asked = 0;
    options.stopped = [&] { return ++asked >= stop_at; };
    const auto found = log.verified(options);
    CHECK(found.stopped);
    CHECK_FALSE(found.is_sound());
    CHECK(asked <= stop_at + 1);  // the other thread may be asking at the same time
  }
}

TEST_CASE("a gentle verification is broken off while it rests, in the indexes as in the events") {
  Tampered log;
  auto options = log.options();
  options.rows_per_second = 1;  // hours
  const auto caller = std::this_thread::get_id();
  for (const bool beside : {false, true}) {
    CAPTURE(beside);
    std::atomic<int> asked{0};
    options.stopped = [&] { return (std::this_thread::get_id() != caller) == beside && ++asked == 3; };
    const auto found = log.verified(options);
    CHECK(found.stopped);
    CHECK(found.index_rows < kEvents);
    CHECK(found.findings.empty());
  }
}
