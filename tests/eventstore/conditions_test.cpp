// "Nothing newer than P is tagged T": decided by the memory, the group in the making, or the index,
// always the same.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "eventstore/newest_positions.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

// The position named by a conflict; 0 if the append committed.
std::uint64_t conflict_of(Journal& journal, std::vector<Condition> conditions,
                          std::string stream = "other") {
  const AppendOutcome outcome = ask(journal, append_if(std::move(conditions), std::move(stream)));
  if (const auto* conflict = std::get_if<Conflict>(&outcome)) return conflict->newest.value;
  REQUIRE(std::holds_alternative<Committed>(outcome));
  return 0;
}

Journal::Options remember(std::uint64_t events) {
  Journal::Options options;
  options.tag_memory_events = events;
  return options;
}

}  // namespace

TEST_CASE("a condition on the own stream lets the first of two deciders through") {
  Store store;
  commit(*store.journal, append("s"));
  CHECK(conflict_of(*store.journal, {{"s", {1}}}, "s") == 0);  // 2
  CHECK(conflict_of(*store.journal, {{"s", {1}}}, "s") == 2);
  CHECK(conflict_of(*store.journal, {{"s", {2}}}, "s") == 0);
}

TEST_CASE("a condition on a tag sees every event that carries it") {
  Store store;
  commit(*store.journal, append("s", {"t"}));
  commit(*store.journal, append("r", {"u", "t"}));
  CHECK(conflict_of(*store.journal, {{"t", {1}}}) == 2);
  CHECK(conflict_of(*store.journal, {{"t", {0}}}) == 2);
  CHECK(conflict_of(*store.journal, {{"u", {1}}}) == 2);
  CHECK(conflict_of(*store.journal, {{"s", {0}}}) == 1);
  CHECK(conflict_of(*store.journal, {{"t", {2}}, {"u", {2}}, {"s", {1}}}) == 0);
  CHECK(conflict_of(*store.journal, {{"nothing", {0}}}) == 0);
  CHECK(conflict_of(*store.journal, {{"t", {UINT64_MAX}}}) == 0);
}

TEST_CASE(
    "a conflict names the tag and the newest position, and nothing of the append is written") {
  Store store;
  commit(*store.journal, append("s", {"t"}));
  commit(*store.journal, append("s", {"t"}));
  Append two = append_if({{"unknown", {0}}, {"t", {1}}}, "a");
  two.events.push_back(event("b"));
  const AppendOutcome outcome = ask(*store.journal, std::move(two));
  REQUIRE(std::holds_alternative<Conflict>(outcome));
  CHECK(std::get<Conflict>(outcome).tag == "t");
  CHECK(std::get<Conflict>(outcome).newest == Position{2});
  CHECK(store.log->head() == Position{2});
  CHECK(store.log->newest("a") == Position{0});
}

TEST_CASE("a condition sees the appends of its own group that were asked before") {
  Store store;
  std::vector<std::uint64_t> conflicts;
  const auto note = [&conflicts](const AppendOutcome& outcome) {
    const auto* conflict = std::get_if<Conflict>(&outcome);
    conflicts.push_back(conflict == nullptr ? 0 : conflict->newest.value);
  };
  in_one_group(*store.journal, [&] {
    store.journal->append(append_if({{"gate", {0}}}, "a", {"gate"}), note);    // 2
    store.journal->append(append_if({{"gate", {0}}}, "b"), note);              // conflict
    store.journal->append(append_if({{"gate", {2}}}, "c", {"gate"}), note);    // 3
    store.journal->append(append_if({{"a", {1}}}, "d"), note);                 // conflict
    store.journal->append(append_if({{"c", {3}}, {"gate", {3}}}, "e"), note);  // 4
  });
  CHECK(conflicts == std::vector<std::uint64_t>{0, 2, 0, 2, 0});
  CHECK(store.tail.groups().size() == 2);
}

TEST_CASE("after a restart conditions are checked against the index") {
  Store store;
  commit(*store.journal, append("s", {"t"}));
  commit(*store.journal, append("r"));
  store.reopen();
  CHECK(conflict_of(*store.journal, {{"t", {0}}}) == 1);
  CHECK(conflict_of(*store.journal, {{"s", {0}}}) == 1);
  CHECK(conflict_of(*store.journal, {{"r", {1}}}) == 2);
  CHECK(conflict_of(*store.journal, {{"t", {1}}, {"s", {1}}, {"r", {2}}}) == 0);
}

TEST_CASE("what the memory has forgotten is found in the index") {
  Store store(remember(4));
  commit(*store.journal, append("old", {"t"}));
  for (int i = 0; i < 30; ++i) commit(*store.journal, append("s"));
  CHECK(conflict_of(*store.journal, {{"t", {0}}}) == 1);
  CHECK(conflict_of(*store.journal, {{"old", {0}}}) == 1);
  CHECK(conflict_of(*store.journal, {{"t", {0}}}) == 1);  // from the look-up before
  CHECK(conflict_of(*store.journal, {{"t", {1}}}) == 0);
  commit(*store.journal, append("old", {"t"}));  // 33: no look-up hides it
  CHECK(conflict_of(*store.journal, {{"t", {1}}}) == 33);
  for (int i = 0; i < 30; ++i) commit(*store.journal, append("s"));
  CHECK(conflict_of(*store.journal, {{"t", {1}}}) == 33);
  CHECK(conflict_of(*store.journal, {{"t", {33}}}) == 0);
}

TEST_CASE("names that share a hash do not conflict with one another") {
  const std::string twin = "8yn0iYCKYHlIj4-BwPqk";
  const std::string other = "GReLUrM4wMqfg9yzV3KQ";
  REQUIRE(hash64(twin) == hash64(other));
  Store store;
  commit(*store.journal, append(twin));
  commit(*store.journal, append(other));
  CHECK(conflict_of(*store.journal, {{twin, {1}}}) == 0);
  CHECK(conflict_of(*store.journal, {{other, {1}}}) == 2);
  std::vector<std::uint64_t> conflicts;
  const auto note = [&conflicts](const AppendOutcome& outcome) {
    const auto* conflict = std::get_if<Conflict>(&outcome);
    conflicts.push_back(conflict == nullptr ? 0 : conflict->newest.value);
  };
  in_one_group(*store.journal, [&] {
    store.journal->append(append(other), note);                   // 5
    store.journal->append(append_if({{twin, {1}}}, "a"), note);   // 6
    store.journal->append(append_if({{other, {2}}}, "b"), note);  // conflict
  });
  CHECK(conflicts == std::vector<std::uint64_t>{0, 0, 5});
}

TEST_CASE("any conditions are decided as a plain map would, whatever the memory holds") {
  for (const std::uint64_t memory : {1, 3, 50, 1'000'000}) {
    CAPTURE(memory);
    Journal::Options options = remember(memory);
    options.group_events_max = 16;
    Store store(options);
    std::mt19937 random(static_cast<unsigned>(memory));
    std::map<std::string, std::uint64_t> newest;  // the model
    std::uint64_t head = 0;
    const auto name = [&random] { return fmt::format("n{}", random() % 40); };
    struct Wrong {
      std::atomic<int> count{0};
    } wrong;
    for (int round = 0; round < 3'000; ++round) {
      if (round == 1'500) {
        wait_for_all(*store.journal);
        store.reopen();
      }
      const std::string stream = name();
      const std::string tag = name();
      Append append = testing::append(
          stream, tag == stream ? std::vector<std::string>{} : std::vector<std::string>{tag});
      std::uint64_t expected = 0;
      for (unsigned i = 0; i < random() % 3; ++i) {
        const std::string on = name();
        // Mostly what the decider has seen, sometimes older, sometimes in between.
        const std::uint64_t seen_at = newest[on];
        const std::uint64_t at = random() % 4 == 0 ? random() % (head + 1) : seen_at;
        append.conditions.push_back({on, {at}});
        if (expected == 0 && seen_at > at) expected = seen_at;
      }
      if (expected == 0) newest[stream] = newest[tag] = ++head;
      store.journal->append(std::move(append), [&wrong, expected](const AppendOutcome& outcome) {
        const auto* conflict = std::get_if<Conflict>(&outcome);
        if ((conflict == nullptr ? 0 : conflict->newest.value) != expected) ++wrong.count;
      });
      if (random() % 50 == 0) wait_for_all(*store.journal);
    }
    wait_for_all(*store.journal);
    CHECK(wrong.count == 0);
    CHECK(store.log->head().value == head);
  }
}

TEST_CASE("the memory of positions grows, answers and is cleared") {
  PositionTable table;
  for (std::uint64_t i = 1; i <= 100'000; ++i) table.put(i * 0x9e3779b97f4a7c15, {i});
  table.put(0x9e3779b97f4a7c15, {200'000});
  table.put(0, {7});  // a hash may be 0
  CHECK(table.size() == 100'001);
  CHECK(table.get(0x9e3779b97f4a7c15) == Position{200'000});
  CHECK(table.get(0) == Position{7});
  CHECK(table.get(12345) == Position{0});
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 2; i <= 100'000; ++i) {
    if (table.get(i * 0x9e3779b97f4a7c15) != Position{i}) ++wrong;
  }
  CHECK(wrong == 0);
  table.clear();
  CHECK(table.size() == 0);
  CHECK(table.get(0) == Position{0});
}
