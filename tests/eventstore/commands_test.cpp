// A command happens at most once: within a group, across groups and restarts, for 24 hours.
#include <doctest/doctest.h>
#include <rocksdb/convenience.h>

#include "eventstore/command_index.hpp"
#include "eventstore/database.hpp"
#include "eventstore/limits.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

constexpr std::int64_t kHour = 3'600'000'000;

Append commanded(std::uint8_t command, std::uint8_t request = 1, std::uint16_t status = 201) {
  Append append = testing::append("s");
  append.events[0].origin.command = command_id(command);
  append.command = Append::Command{command_id(command), {}, status};
  append.command->request.fill(request);
  return append;
}

const Repeated* repeated(const AppendOutcome& outcome) { return std::get_if<Repeated>(&outcome); }

}  // namespace

TEST_CASE("a command that comes again is answered with its earlier record and writes nothing") {
  Store store;
  commit(*store.journal, append("before"));
  Append two = commanded(1);
  two.events.push_back(event("t"));
  commit(*store.journal, two);
  const auto check = [&store] {
    const AppendOutcome outcome = ask(*store.journal, commanded(1));
    REQUIRE(repeated(outcome) != nullptr);
    const CommandRecord& earlier = repeated(outcome)->earlier;
    CHECK(earlier.position == Position{2});
    CHECK(earlier.status == 201);
    CHECK(earlier.request[0] == 1);
    CHECK(earlier.time.time_since_epoch().count() == 1'000'000);
    CHECK(store.log->head() == Position{3});
  };
  check();
  store.reopen();
  check();
  CHECK(commit(*store.journal, commanded(2)).first == Position{4});
}

TEST_CASE("a command with another body gets the record of the first, whose hash tells them apart") {
  Store store;
  commit(*store.journal, commanded(1, /*request=*/1));
  const AppendOutcome outcome = ask(*store.journal, commanded(1, /*request=*/2));
  REQUIRE(repeated(outcome) != nullptr);
  CHECK(repeated(outcome)->earlier.request[0] == 1);
}

TEST_CASE("two appends of one command in one group: the first is written") {
  Store store;
  std::vector<AppendOutcome> outcomes;
  const auto note = [&outcomes](const AppendOutcome& outcome) { outcomes.push_back(outcome); };
  in_one_group(*store.journal, [&] {
    store.journal->append(commanded(1), note);
    store.journal->append(commanded(2), note);
    store.journal->append(commanded(1), note);
  });
  REQUIRE(outcomes.size() == 3);
  CHECK(std::holds_alternative<Committed>(outcomes[1]));
  REQUIRE(repeated(outcomes[2]) != nullptr);
  CHECK(repeated(outcomes[2])->earlier.position == std::get<Committed>(outcomes[0]).first);
  CHECK(store.log->head() == Position{3});
}

TEST_CASE("a repeated command is answered even when its conditions no longer hold") {
  Store store;
  Append once = commanded(1);
  once.conditions.push_back({"s", {0}});
  commit(*store.journal, once);
  CHECK(repeated(ask(*store.journal, once)) != nullptr);
}

TEST_CASE("a command that conflicted is not remembered") {
  Store store;
  commit(*store.journal, append("s"));
  Append late = commanded(1);
  late.conditions.push_back({"s", {0}});
  CHECK(std::holds_alternative<Conflict>(ask(*store.journal, late)));
  CHECK_FALSE(store.log->command(command_id(1), store.clock.now()));
  late.conditions[0].newest = {1};
  commit(*store.journal, late);
}

TEST_CASE("a command without events is remembered, moves nothing, and is durable with the next event") {
  Store store;
  commit(*store.journal, append("before"));
  Append alone = commanded(1);
  alone.events.clear();
  const Committed noted = commit(*store.journal, alone);
  CHECK(noted.count == 0);
  CHECK(noted.first == Position{1});
  CHECK(noted.last() == Position{1});
  CHECK(store.log->head() == Position{1});
  CHECK(commit(*store.journal, append("behind")).first == Position{2});
  store.reopen();
  for (const bool with_events : {false, true}) {
    Append again = commanded(1, /*request=*/2);
    if (!with_events) again.events.clear();
    const AppendOutcome outcome = ask(*store.journal, again);
    REQUIRE(repeated(outcome) != nullptr);
    CHECK(repeated(outcome)->earlier.request[0] == 1);
    CHECK(repeated(outcome)->earlier.position == Position{1});
  }
  CHECK(store.log->head() == Position{2});
}

TEST_CASE("a command is forgotten after 24 hours") {
  Store store;
  store.clock.set(100 * kHour);
  commit(*store.journal, commanded(1));
  store.clock.set(124 * kHour);
  CHECK(store.log->command(command_id(1), store.clock.now()));
  CHECK(repeated(ask(*store.journal, commanded(1))) != nullptr);
  store.clock.set(124 * kHour + 1);
  CHECK_FALSE(store.log->command(command_id(1), store.clock.now()));
  const Committed again = commit(*store.journal, commanded(1, 2));
  CHECK(again.first == Position{2});
  CHECK(store.log->command(command_id(1), store.clock.now())->position == Position{2});
  CHECK(store.log->command(command_id(1), store.clock.now())->request[0] == 2);
}

TEST_CASE("forgotten commands leave the disk with a compaction, others stay") {
  Store store;
  store.clock.set(100 * kHour);
  commit(*store.journal, commanded(1));
  store.journal->keep_answer(command_id(1), "old");
  wait_for_all(*store.journal);
  store.clock.set(120 * kHour);
  commit(*store.journal, commanded(2));
  store.journal->keep_answer(command_id(2), "young");
  store.clock.set(124 * kHour + 1);
  commit(*store.journal, append("s"));
  store.close();

  const auto head = std::make_shared<Head>();
  const auto database = Database::open(store.directory.path(), head, nullptr);
  const auto compact = [&database] {
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    REQUIRE(database->db().Flush({}, database->family(Family::kCommands)).ok());
    REQUIRE(database->db()
                .CompactRange(all, database->family(Family::kCommands), nullptr, nullptr)
                .ok());
  };
  const auto on_disk = [&database](std::uint8_t command) {
    rocksdb::PinnableSlice row;
    const bool known = database->get(Family::kCommands, command_key(command_id(command)), row);
    CHECK(known == database->get(Family::kCommands, answer_key(command_id(command)), row));
    return known;
  };
  compact();  // no event was read yet: the time is not known and nothing is dropped
  CHECK(on_disk(1));
  head->move_to({3}, store.clock.now());
  compact();
  CHECK_FALSE(on_disk(1));
  CHECK(on_disk(2));
}

TEST_CASE("the row of a command has these bytes and no damaged row is taken for one") {
  CommandRecord record;
  record.request.fill(0xaa);
  record.status = 0x0102;
  record.position = {3};
  record.time = Timestamp{std::chrono::microseconds(4)};
  const std::string row = encode_command(record);
  std::string request;
  for (int i = 0; i < 32; ++i) request += "aa";
  CHECK(hex(row) == "01" + request + "0102" + "0000000000000003" + "0000000000000004");
  const auto decoded = decode_command(row);
  REQUIRE(decoded);
  CHECK(encode_command(*decoded) == row);
  CHECK_FALSE(decode_command(row.substr(1)));
  CHECK_FALSE(decode_command(row + "x"));
  CHECK_FALSE(decode_command("\x02" + row.substr(1)));
}

TEST_CASE("what was answered to a command is kept beside it, is found by whoever asks later, and outlives a restart") {
  Store store;
  commit(*store.journal, commanded(1));
  CHECK_FALSE(store.log->answer(command_id(1), {}).has_value());
  store.journal->keep_answer(command_id(1), "an answer");
  wait_for_all(*store.journal);
  CHECK(store.log->answer(command_id(1), {}) == "an answer");
  CHECK_FALSE(store.log->answer(command_id(2), {}).has_value());
  // It is beside the record, not in its place.
  CHECK(repeated(ask(*store.journal, commanded(1))) != nullptr);
  store.reopen();
  CHECK(store.log->answer(command_id(1), {}) == "an answer");
}

TEST_CASE("an answer that is too large is not kept") {
  Store store;
  store.journal->keep_answer(command_id(1), std::string(limits::kAnswerBytes + 1, 'x'));
  store.journal->keep_answer(command_id(2), std::string(limits::kAnswerBytes, 'x'));
  wait_for_all(*store.journal);
  CHECK_FALSE(store.log->answer(command_id(1), {}).has_value());
  CHECK(store.log->answer(command_id(2), {})->size() == limits::kAnswerBytes);
}
