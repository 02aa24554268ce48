// The journal: dense positions, order of outcomes and tails, groups, time, closing.
#include "eventstore/journal.hpp"

#include <doctest/doctest.h>

#include <map>
#include <semaphore>
#include <thread>

#include "eventstore/limits.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

TEST_CASE("an append gets the next positions, as many as it has events") {
  Store store;
  const Committed first = commit(*store.journal, append("a"));
  CHECK(first.first == Position{1});
  CHECK(first.count == 1);
  Append three;
  for (int i = 0; i < 3; ++i) three.events.push_back(event("b"));
  const Committed second = commit(*store.journal, std::move(three));
  CHECK(second.first == Position{2});
  CHECK(second.last() == Position{4});
  CHECK(second.time == store.clock.now());
  CHECK(store.log->head() == Position{4});
}

TEST_CASE("a restart keeps everything and goes on behind it") {
  Store store;
  for (int i = 0; i < 700; ++i) {
    store.journal->append(append("s" + std::to_string(i % 7), {"t"}, std::to_string(i)), {});
    if (i % 100 == 0) wait_for_all(*store.journal);
  }
  wait_for_all(*store.journal);
  const auto before = collect([&](const Visitor& v) { store.log->scan({}, v); });
  REQUIRE(before.size() == 700);
  CHECK(before == store.tail.events());
  store.reopen();
  CHECK(store.log->head() == Position{700});
  CHECK(store.log->head_time() == before.back().time);
  CHECK(collect([&](const Visitor& v) { store.log->scan({}, v); }) == before);
  CHECK(commit(*store.journal, append("s")).first == Position{701});
}

TEST_CASE("time never goes back, whatever the clock does") {
  Store store;
  store.clock.set(5'000);
  CHECK(commit(*store.journal, append("a")).time.time_since_epoch().count() == 5'000);
  store.clock.set(3'000);
  CHECK(commit(*store.journal, append("a")).time.time_since_epoch().count() == 5'000);
  store.reopen();
  CHECK(commit(*store.journal, append("a")).time.time_since_epoch().count() == 5'000);
  store.clock.set(5'001);
  CHECK(commit(*store.journal, append("a")).time.time_since_epoch().count() == 5'001);
  Timestamp last{};
  for (const Seen& event : collect([&](const Visitor& v) { store.log->scan({}, v); })) {
    CHECK(event.time >= last);
    last = event.time;
  }
}

TEST_CASE("what is queued while a group is written forms the next group") {
  Store store;
  in_one_group(*store.journal, [&store] {
    for (int i = 0; i < 10; ++i) store.journal->append(append("s"), {});
  });
  const auto groups = store.tail.groups();
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].size() == 1);
  CHECK(groups[1].size() == 10);
  CHECK(store.journal->metrics().groups == 2);
  CHECK(store.journal->metrics().events == 11);
}

TEST_CASE("a group has no more events than allowed, and an append is never divided") {
  Journal::Options options;
  options.group_events_max = 4;
  Store store(options);
  in_one_group(*store.journal, [&store] {
    for (const int size : {3, 1, 1, 3, 2, 6, 1}) {
      Append append;
      for (int i = 0; i < size; ++i) append.events.push_back(event("s"));
      store.journal->append(std::move(append), {});
    }
  });
  std::vector<std::size_t> sizes;
  for (const auto& group : store.tail.groups()) sizes.push_back(group.size());
  CHECK(sizes == std::vector<std::size_t>{1, 4, 4, 2, 6, 1});
}

TEST_CASE("a group has no more bytes than allowed, but for one large event") {
  Store store;
  const std::string half(limits::kGroupBytes / 2, 'h');
  const std::string large(limits::kEventBytes, 'l');
  in_one_group(*store.journal, [&] {
    store.journal->append(append("s"), {});
    store.journal->append(append("s", {}, half), {});
    store.journal->append(append("s", {}, half), {});
    store.journal->append(append("s", {}, large), {});
    store.journal->append(append("s"), {});
  });
  std::vector<std::size_t> sizes;
  for (const auto& group : store.tail.groups()) sizes.push_back(group.size());
  CHECK(sizes == std::vector<std::size_t>{1, 2, 1, 1, 1});
  CHECK(collect([&](const Visitor& v) { store.log->scan({}, v); })[4].payload == large);
}

namespace {

// Writes down who is told what, in which order.
class Witness {
 public:
  void saw(std::string what) { lines_.push_back(std::move(what)); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;  // by the dispatcher's thread, read after a barrier
};

class NamedTail : public Tail {
 public:
  NamedTail(std::string name, Witness& witness) : name_(std::move(name)), witness_(witness) {}
  void on_group(const GroupPtr& group) override {
    witness_.saw(fmt::format("{} {}-{}", name_, group->events().front().position.value,
                             group->events().back().position.value));
  }

 private:
  std::string name_;
  Witness& witness_;
};

Journal::Completion told(Witness& witness, std::string name) {
  return [&witness, name = std::move(name)](const AppendOutcome& outcome) {
    if (const auto* committed = std::get_if<Committed>(&outcome)) {
      witness.saw(fmt::format("{} {}+{}", name, committed->first.value, committed->count));
    } else if (const auto* conflict = std::get_if<Conflict>(&outcome)) {
      witness.saw(fmt::format("{} conflict {}", name, conflict->newest.value));
    } else if (const auto* repeated = std::get_if<Repeated>(&outcome)) {
      witness.saw(fmt::format("{} repeated {}", name, repeated->earlier.position.value));
    } else {
      witness.saw(name + " refused");
    }
  };
}

}  // namespace

TEST_CASE(
    "tails hear of a group first, each in its turn, then the senders in the order of deciding") {
  TempDir directory;
  Witness witness;
  NamedTail first("first", witness);
  NamedTail second("second", witness);
  Journal journal(Log::open(directory.path()), {&first, &second}, {});
  Append with_command = append("d");
  with_command.command = Append::Command{command_id(1), {}, 200};
  in_one_group(journal, [&] {
    journal.append(append("a"), told(witness, "a"));
    journal.append(append_if({{"a", {0}}}, "b"), told(witness, "b"));
    journal.barrier(told(witness, "barrier"));
    journal.append(append("c"), told(witness, "c"));
    journal.append(with_command, told(witness, "d"));
    journal.append(with_command, told(witness, "e"));
    journal.barrier(told(witness, "end"));
  });
  CHECK(witness.lines() == std::vector<std::string>{"first 1-1", "second 1-1", "first 2-4",
                                                    "second 2-4", "a 2+1", "b conflict 2",
                                                    "barrier 2+0", "c 3+1", "d 4+1", "e repeated 4",
                                                    "end 4+0"});
}

TEST_CASE("an outcome comes after the tails of its group, also when nothing of it was written") {
  Store store;
  commit(*store.journal, append("a"));
  std::size_t groups_at_outcome = 0;
  store.journal->append(append("a"), {});
  std::promise<void> done;
  store.journal->append(append_if({{"a", {1}}}, "a"), [&](const AppendOutcome& outcome) {
    CHECK(std::holds_alternative<Conflict>(outcome));
    groups_at_outcome = store.tail.events().size();
    done.set_value();
  });
  done.get_future().wait();
  CHECK(groups_at_outcome == 2);
  CHECK(store.journal->metrics().conflicts == 1);
}

TEST_CASE("a group stays readable as long as somebody holds it") {
  class Keeper : public Tail {
   public:
    void on_group(const GroupPtr& group) override { groups.push_back(group); }
    std::vector<GroupPtr> groups;
  };
  TempDir directory;
  Keeper keeper;
  {
    Journal journal(Log::open(directory.path()), {&keeper}, {});
    commit(journal, append("s", {"t"}, ""));  // the shortest record
    commit(journal, append("stream", {"tag"}, std::string(1000, 'x')));
  }
  REQUIRE(keeper.groups.size() == 2);
  CHECK(keeper.groups[0]->events()[0].stream == "s");
  CHECK(keeper.groups[0]->events()[0].tags == std::vector<std::string_view>{"t"});
  CHECK(keeper.groups[1]->events()[0].payload == std::string(1000, 'x'));
}

TEST_CASE("a barrier waits for what was asked before it and tells the head") {
  Store store;
  CHECK(wait_for_all(*store.journal).first == Position{0});
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    store.journal->append(append("s"), [&done](const AppendOutcome&) { ++done; });
  }
  const Committed head = wait_for_all(*store.journal);
  CHECK(done == 100);
  CHECK(head.first == Position{100});
  CHECK(head.count == 0);
  CHECK(head.last() == Position{100});
  CHECK(head.time == store.log->head_time());
  CHECK(store.journal->in_flight() == 0);
}

TEST_CASE("appends in flight are counted until they are dispatched") {
  Store store;
  {
    Barricade barricade("journal.before_write");
    store.journal->append(append("s"), {});
    barricade.wait_until_reached();
    store.journal->append(append("s"), {});
    store.journal->barrier({});
    CHECK(store.journal->in_flight() == 2);
    const auto stalled = store.journal->stalled_for();
    CHECK(stalled > stalled.zero());
    CHECK(store.journal->stalled_for() > stalled);
    barricade.open();
    wait_for_all(*store.journal);
  }
  CHECK(store.journal->in_flight() == 0);
  CHECK(store.journal->stalled_for().count() == 0);
}

TEST_CASE("a slow tail holds up the writer, and nothing is lost") {
  Journal::Options options;
  options.group_events_max = 1;
  Store store(options);
  Barricade barricade("journal.before_tails");
  for (int i = 0; i < 50; ++i) store.journal->append(append("s"), {});
  barricade.wait_until_reached();
  CHECK(store.journal->metrics().groups <= limits::kGroupsWaiting + 1);
  barricade.open();
  wait_for_all(*store.journal);
  CHECK(store.tail.events().size() == 50);
}

TEST_CASE("closing commits what is queued, tells everybody, and refuses what is asked then") {
  Store store;
  Journal* const journal = store.journal.get();
  std::atomic<int> committed{0};
  std::atomic<int> refused{0};
  // Asks again from every completion until it is refused.
  std::function<void()> ask_again = [&] {
    journal->append(append("late"), [&](const AppendOutcome& outcome) {
      if (std::holds_alternative<Refused>(outcome)) {
        ++refused;
      } else {
        ++committed;
        ask_again();
      }
    });
  };
  {
    Barricade barricade("journal.before_completions");
    for (int i = 0; i < 10; ++i) {
      journal->append(append("s"), [&committed](const AppendOutcome& outcome) {
        committed += std::holds_alternative<Committed>(outcome) ? 1 : 0;
      });
    }
    ask_again();
    barricade.wait_until_reached();
    std::thread closer([&store] { store.journal.reset(); });
    barricade.open();
    closer.join();
  }
  CHECK(refused == 1);
  CHECK(committed >= 10);
  CHECK(store.log->head().value == static_cast<std::uint64_t>(committed));
}

TEST_CASE("many senders: positions are dense, every sender's order is kept, all is found again") {
  Store store;
  constexpr int kSenders = 8;
  constexpr int kAppends = 400;
  struct Answer {
    std::uint64_t first;
    std::uint32_t count;
  };
  std::vector<std::vector<Answer>> answers(kSenders);
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&store, &mine = answers[static_cast<std::size_t>(sender)], sender] {
      std::counting_semaphore<64> window(32);
      for (int i = 0; i < kAppends; ++i) {
        window.acquire();
        Append append;
        for (int n = 0; n <= i % 3; ++n) {
          append.events.push_back(event(fmt::format("s{}", sender), {"all"}, fmt::format("{}", i)));
        }
        store.journal->append(std::move(append), [&mine, &window](const AppendOutcome& outcome) {
          const auto& committed = std::get<Committed>(outcome);
          mine.push_back({committed.first.value, committed.count});
          window.release();
        });
      }
      for (int i = 0; i < 32; ++i) window.acquire();
    });
  }
  for (std::thread& sender : senders) sender.join();

  std::map<std::uint64_t, std::uint32_t> all;
  for (int sender = 0; sender < kSenders; ++sender) {
    const auto& mine = answers[static_cast<std::size_t>(sender)];
    REQUIRE(mine.size() == kAppends);
    std::uint64_t last = 0;
    for (int i = 0; i < kAppends; ++i) {
      const Answer& answer = mine[static_cast<std::size_t>(i)];
      CHECK(answer.first > last);
      last = answer.first;
      all[answer.first] = answer.count;
      store.log->read_one({answer.first}, [&](const RecordedEvent& event) {
        CHECK(event.payload == fmt::format("{}", i));
        CHECK(event.stream == fmt::format("s{}", sender));
        return true;
      });
    }
  }
  std::uint64_t next = 1;
  for (const auto& [first, count] : all) {
    CHECK(first == next);
    next += count;
  }
  CHECK(store.log->head().value == next - 1);
  const auto events = collect([&](const Visitor& v) { store.log->scan({}, v); });
  CHECK(events.size() == next - 1);
  CHECK(events == store.tail.events());
  CHECK(collect([&](const Visitor& v) { store.log->read_tag("all", {}, v); }) == events);
}
