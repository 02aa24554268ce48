#include "gateways/mqtt/board.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "gateways/mqtt/limits.hpp"

using namespace ota;
using namespace ota::gateways::mqtt;
using projections::PollRecord;

namespace {

constexpr std::size_t kAll = 1'000;
const Board::Moment kNow{};
const auto kEverybody = [](const PollRecord&) { return true; };

PollRecord pushed(std::uint32_t ordinal = 0) {
  PollRecord record;
  record.ordinal = {ordinal};
  record.push = true;
  return record;
}
std::vector<std::string> round(Board& board, Board::Moment now = kNow, const Board::Hope& hope = kEverybody) {
  board.begin_round();
  auto found = board.due(kAll, kAll, now, hope);
  std::sort(found.begin(), found.end());
  return found;
}
using Ids = std::vector<std::string>;
using Tell = Board::Tell;

}  // namespace

TEST_CASE("a command is news when it is another one than the device was told") {
  Board board;
  board.touched("a", pushed(), Cause::kEvent);
  CHECK(board.told("a", 7, Cause::kEvent) == Tell::kNews);
  CHECK(board.told("a", 7, Cause::kEvent) == Tell::kNothing);
  CHECK(board.told("a", 8, Cause::kEvent) == Tell::kNews);
  CHECK(board.told("a", 0, Cause::kEvent) == Tell::kNews);
  CHECK(board.told("a", 0, Cause::kEvent) == Tell::kNothing);
}

TEST_CASE("a device that speaks anew has its command again; nothing after nothing is said once") {
  Board board;
  board.touched("a", pushed(), Cause::kTellAnew);
  CHECK(board.told("a", 7, Cause::kTellAnew) == Tell::kNews);
  CHECK(board.told("a", 7, Cause::kTellAnew) == Tell::kAgain);
  CHECK(board.told("a", 8, Cause::kTellAnew) == Tell::kNews);
  board.touched("b", pushed(), Cause::kTellAnew);
  CHECK(board.told("b", 0, Cause::kTellAnew) == Tell::kNews);        // whatever stands there from before
  CHECK(board.told("b", 0, Cause::kTellAnew) == Tell::kNothing);
}

TEST_CASE("a broker that is back may have lost what stood there: whoever speaks anew has its command as news, once") {
  Board board;
  board.touched("a", pushed(), Cause::kEvent);
  board.touched("idle", pushed(), Cause::kEvent);
  CHECK(board.told("a", 7, Cause::kEvent) == Tell::kNews);
  CHECK(board.told("idle", 0, Cause::kTellAnew) == Tell::kNews);
  board.broker_is_back();
  CHECK(board.told("a", 7, Cause::kEvent) == Tell::kNothing);
  CHECK(board.told("a", 7, Cause::kTellAnew) == Tell::kNews);
  CHECK(board.told("a", 7, Cause::kTellAnew) == Tell::kAgain);
  CHECK(board.told("idle", 0, Cause::kTellAnew) == Tell::kNothing);
  board.broker_is_back();
  CHECK(board.told("a", 8, Cause::kEvent) == Tell::kNews);        // on the broker that is back
  CHECK(board.told("a", 8, Cause::kTellAnew) == Tell::kAgain);
}

TEST_CASE("after a start what is to be done is told, and an empty topic is not made empty") {
  Board board;
  board.touched("busy", pushed(), Cause::kStart);
  board.touched("idle", pushed(), Cause::kStart);
  CHECK(board.told("busy", 7, Cause::kStart) == Tell::kNews);
  CHECK(board.told("idle", 0, Cause::kStart) == Tell::kNothing);
  CHECK(board.told("idle", 0, Cause::kEvent) == Tell::kNews);        // its update ended: something may stand there
}

TEST_CASE("a device that takes its commands elsewhere from now on loses the last one, and is forgotten") {
  Board board;
  board.touched("a", pushed(), Cause::kEvent);
  board.touched("b", pushed(), Cause::kEvent);
  CHECK(board.told("a", 7, Cause::kEvent) == Tell::kNews);
  auto gone = pushed();
  gone.push = false;
  board.touched("a", gone, Cause::kEvent);
  CHECK(board.told("a", 0, Cause::kEvent) == Tell::kNews);
  CHECK(board.size() == 1);
  board.touched("a", gone, Cause::kEvent);
  CHECK(board.told("a", 0, Cause::kEvent) == Tell::kNothing);
  CHECK(round(board) == Ids{"b"});
}

TEST_CASE("whoever may hope is asked for, once at a time") {
  Board board;
  for (const auto* id : {"a", "b", "c"}) board.touched(id, pushed(id[0] == 'b' ? 1 : 0), Cause::kStart);
  CHECK(round(board, kNow, [](const PollRecord& r) { return r.ordinal.value == 0; }) == Ids{"a", "c"});
  CHECK(round(board) == Ids{"b"});
  board.asked("a", false, kNow);
  CHECK(round(board) == Ids{"a"});
}

TEST_CASE("asks in vain wait longer each time, until something happens") {
  Board board;
  board.touched("a", pushed(), Cause::kStart);
  auto now = kNow;
  std::chrono::milliseconds pause = ota::gateways::mqtt::limits::kVainMin;
  for (int i = 0; i < 8; ++i) {
    CHECK(round(board, now) == Ids{"a"});
    board.asked("a", true, now);
    CHECK(round(board, now + pause - std::chrono::milliseconds(1)).empty());
    now += pause;
    pause = std::min(pause * 2, ota::gateways::mqtt::limits::kVainMax);
  }
  CHECK(round(board, now) == Ids{"a"});
  board.asked("a", true, now);
  board.hope_anew();
  CHECK(round(board, now) == Ids{"a"});
  board.asked("a", true, now);
  board.touched("a", pushed(), Cause::kEvent);
  CHECK(round(board, now) == Ids{"a"});
}

TEST_CASE("whoever let a grant lapse, or said goodbye, is not asked for until it speaks") {
  for (const auto cause : {Cause::kLapse, Cause::kGone}) {
    Board board;
    board.touched("a", pushed(), Cause::kStart);
    board.touched("a", pushed(), cause);
    CHECK(round(board).empty());
    board.touched("a", pushed(), Cause::kEvent);      // whatever is recorded of it
    board.hope_anew();
    CHECK(round(board).empty());
    CHECK(board.spoke("a"));
    CHECK_FALSE(board.spoke("a"));
    CHECK(round(board) == Ids{"a"});
    board.asked("a", false, kNow);
    board.touched("a", pushed(), cause);
    board.touched("a", pushed(), Cause::kTellAnew);
    CHECK(round(board) == Ids{"a"});
  }
}

TEST_CASE("a round looks at everybody once, slice by slice") {
  Board board;
  for (int i = 0; i < 10; ++i) board.touched("d" + std::to_string(i), pushed(), Cause::kStart);
  board.begin_round();
  Ids found;
  int slices = 0;
  while (!board.round_is_over()) {
    const auto some = board.due(kAll, 3, kNow, kEverybody);
    found.insert(found.end(), some.begin(), some.end());
    ++slices;
  }
  CHECK(slices == 4);
  CHECK(found.size() == 10);
  CHECK(board.due(kAll, kAll, kNow, kEverybody).empty());
}

TEST_CASE("no more are given than there is room for, and the round goes on behind them") {
  Board board;
  for (int i = 0; i < 10; ++i) board.touched("d" + std::to_string(i), pushed(), Cause::kStart);
  board.begin_round();
  CHECK(board.due(4, kAll, kNow, kEverybody).size() == 4);
  CHECK_FALSE(board.round_is_over());
  CHECK(board.due(kAll, kAll, kNow, kEverybody).size() == 6);
}

TEST_CASE("when the next of them may be asked for without an offer") {
  Board board;
  CHECK(board.next_ask_at() == domain::Time::max());
  auto retry = pushed();
  retry.ask_at = domain::Time(std::chrono::seconds(7));
  board.touched("a", retry, Cause::kStart);
  CHECK(board.next_ask_at() == retry.ask_at);
  board.touched("a", retry, Cause::kGone);
  CHECK(board.next_ask_at() == domain::Time::max());
}

TEST_CASE("those at work within a window are looked at as time goes by") {
  Board board;
  auto record = pushed();
  record.has_window = true;
  board.touched("idle", record, Cause::kStart);
  record.active = {1};
  board.touched("busy", record, Cause::kStart);
  CHECK(board.in_windows() == Ids{"busy"});
}
