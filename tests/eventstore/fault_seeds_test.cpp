// Faults of all kinds, kills and power cuts, by the dice, one after the other in one log and the names beside it: whatever
// happens, what was answered is there and unchanged, there is no hole, and a start or a read that cannot tell says so.
//
// A kill is a journal that is left without being asked anything more, on files of which the unsynced part stays; a power
// cut takes it. 12 lives, 3,000 with OTA_TEST_LONG=1. A seed that failed: OTA_TEST_SEED=number.
#include <doctest/doctest.h>
#include <unistd.h>

#include <map>
#include <random>

#include "eventstore/repair.hpp"
#include "eventstore/subjects_repair.hpp"
#include "eventstore/verify.hpp"
#include "faulty_store.hpp"
#include "tests/processes/child_process.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

constexpr std::size_t kLivesInOneLog = 12;

class FaultyLives {
 public:
  explicit FaultyLives(unsigned seed) : dice_(seed) { store_.close(); }

  void live() {
    const Fault at_start{static_cast<FileKind>(roll(3)), roll(2) == 0 ? FaultKind::kReadFails : FaultKind::kBitFlips, roll(4)};
    if (roll(3) == 0) start_on(at_start);
    store_.files->be_sound();
    if (!store_.log) store_.open();
    store_.open_subjects();
    check();
    Fault fault{static_cast<FileKind>(roll(3)), static_cast<FaultKind>(roll(6)), roll(20)};
    // Else RocksDB waits for five seconds until it closes (fail_stop_test.cpp).
    if (fault.kind == FaultKind::kNoSpace) fault.files = FileKind::kWal;
    CAPTURE(text_of(fault));
    const bool cuts_power = roll(4) == 0;
    const unsigned faulty_from = roll(30);
    auto stopped = store_.stopped.get_future();
    for (unsigned i = 0; i < 60 && !is_ready(stopped); ++i) {
      if (i == faulty_from) cuts_power ? store_.files->cut_power() : store_.files->fail(fault);
      if (roll(6) == 0) name_somebody();
      append_something();
    }
    // The end of a life, whoever brought it about.
    if (!is_ready(stopped) && roll(2) == 0) wait_for_all_or_stop(stopped);
    const bool loses = cuts_power || roll(3) == 0;
    if (loses) store_.files->cut_power();  // else the end of the journal would sync what is left
    store_.close();
    store_.files->be_sound();
    if (loses) store_.files->drop_unsynced();
  }
  void check_end() {
    store_.open();
    store_.open_subjects();
    check();
    const auto found = verify(*store_.log, {});
    for (const auto& finding : found.findings) FAIL_CHECK(finding.first.value, " ", finding.what);
    CHECK(found.is_sound());
    CHECK_FALSE(examine_log(store_.directory.path()));
    CHECK_FALSE(examine_subjects(store_.names.path()));
  }

 private:
  unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }
  static bool is_ready(const std::future<std::string>& stopped) {
    return stopped.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  void start_on(const Fault& fault) {
    CAPTURE(text_of(fault));
    store_.files->fail(fault);
    try {
      store_.open();
      store_.open_subjects();
    } catch (const std::runtime_error& error) {
      const std::string why = error.what();
      CHECK((why.find(store_.directory.path().string()) != why.npos || why.find(store_.names.path().string()) != why.npos));
      store_.close();
      return;
    }
    store_.close();
  }
  void name_somebody() {
    const auto person = "person " + std::to_string(++persons_);
    try {
      named_[store_.subjects->token_for(person)] = person;
    } catch (const std::runtime_error&) {  // the process would have ended
    }
  }
  void append_something() {
    if (roll(12) == 0 && store_.log->head().value > 0) {
      // Now and then more than the memory for snapshots, so that tables are written.
      store_.journal->put_snapshot("s1", store_.log->head(), std::string(roll(20) == 0 ? std::size_t{9} << 20 : 100, 'x'));
    }
    const std::uint64_t number = ++appended_;
    Append next = append("s" + std::to_string(number % 5), {"t"}, std::to_string(number));
    if (roll(4) == 0) next.events.push_back(event("s9", {}, std::string(roll(3'000), 'y')));
    const std::uint64_t first = number;
    store_.journal->append(std::move(next), [this, first](const AppendOutcome& outcome) {
      if (const auto* committed = std::get_if<Committed>(&outcome)) {
        const std::lock_guard lock(mutex_);
        answered_[committed->first.value] = std::to_string(first);
      }
    });
    if (roll(3) == 0) std::this_thread::yield();
  }
  void wait_for_all_or_stop(std::future<std::string>& stopped) {
    const auto done = std::make_shared<std::promise<void>>();
    auto settled = done->get_future();
    store_.journal->barrier([done](const AppendOutcome&) { done->set_value(); });
    while (settled.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready && !is_ready(stopped)) {
    }
  }
  void check() {
    std::map<std::uint64_t, std::string> there;
    store_.log->scan({}, [&](const RecordedEvent& found) {  // throws on a hole
      there[found.position.value] = found.payload;
      return true;
    });
    CHECK(there.size() == store_.log->head().value);
    for (const auto& [position, payload] : answered_) {
      const auto found = there.find(position);
      REQUIRE(found != there.end());
      CHECK(found->second == payload);
    }
    for (const auto& [token, person] : named_) CHECK(store_.subjects->person(token) == person);
  }

  std::mt19937 dice_;
  FaultyStore store_;
  std::uint64_t appended_ = 0;
  std::uint64_t persons_ = 0;
  std::map<SubjectToken, std::string> named_;  // that somebody was given
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> answered_;
};

}  // namespace

TEST_CASE("whatever fails, and however a life ends, what was answered is there in the next one") {
  const bool is_long = ota::testing::variable("OTA_TEST_LONG") == "1";
  const std::string given = ota::testing::variable("OTA_TEST_SEED");
  const std::size_t lives = is_long ? 3'000 : kLivesInOneLog;
  const unsigned begin = given.empty() ? static_cast<unsigned>(::getpid()) : static_cast<unsigned>(std::stoul(given));
  for (std::size_t life = 0; life < lives; life += kLivesInOneLog) {
    const unsigned seed = begin + static_cast<unsigned>(life);
    CAPTURE(seed);
    FaultyLives lives_here(seed);
    for (std::size_t i = 0; i < kLivesInOneLog; ++i) {
      CAPTURE(i);
      lives_here.live();
    }
    lives_here.check_end();
  }
}
