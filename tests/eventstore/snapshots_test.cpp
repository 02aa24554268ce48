// Snapshots: found at a position, the newest few kept, never ahead of the log.
#include <doctest/doctest.h>

#include "eventstore/limits.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

void append_many(Store& store, int count) {
  for (int i = 0; i < count; ++i) store.journal->append(append("s"), {});
  wait_for_all(*store.journal);
}

std::vector<std::uint64_t> kept(const Log& log, std::string_view stream) {
  std::vector<std::uint64_t> found;
  for (auto snapshot = log.snapshot(stream); snapshot;
       snapshot = log.snapshot(stream, {snapshot->position.value - 1})) {
    found.push_back(snapshot->position.value);
  }
  return found;
}

}  // namespace

TEST_CASE("a snapshot is found by its stream, the newest at or before a position") {
  Store store;
  append_many(store, 10);
  store.journal->put_snapshot("s", {3}, "at 3");
  store.journal->put_snapshot("s", {7}, "at 7");
  store.journal->put_snapshot("s2", {9}, std::string(500'000, 'x'));
  wait_for_all(*store.journal);
  const auto check = [&store] {
    CHECK(store.log->snapshot("s")->bytes == "at 7");
    CHECK(store.log->snapshot("s")->position == Position{7});
    CHECK(store.log->snapshot("s", {7})->bytes == "at 7");
    CHECK(store.log->snapshot("s", {6})->bytes == "at 3");
    CHECK_FALSE(store.log->snapshot("s", {2}));
    CHECK(store.log->snapshot("s2")->bytes.size() == 500'000);
    CHECK_FALSE(store.log->snapshot("s3"));
  };
  check();
  store.reopen();
  check();
}

TEST_CASE("a snapshot at the same position replaces the other") {
  Store store;
  append_many(store, 1);
  store.journal->put_snapshot("s", {1}, "one");
  store.journal->put_snapshot("s", {1}, "two");
  wait_for_all(*store.journal);
  CHECK(store.log->snapshot("s")->bytes == "two");
}

TEST_CASE("of a stream's snapshots a bounded number stays, spread over its life") {
  Store store;
  constexpr std::uint64_t kTaken = 5 * limits::kSnapshotsKept;
  append_many(store, static_cast<int>(kTaken));
  store.journal->put_snapshot("other", {1}, "other");
  for (std::uint64_t position = 1; position <= kTaken; ++position) {
    store.journal->put_snapshot("s", {position}, "bytes");
    if (position == kTaken / 2) store.reopen();  // what is known of them is read again
  }
  wait_for_all(*store.journal);
  const auto left = kept(*store.log, "s");
  CHECK(left.size() == limits::kSnapshotsKept);
  CHECK(left.front() == kTaken);
  CHECK(left[1] == kTaken - 1);
  CHECK(left.back() == 1);
  // Evenly, they would be 5 apart.
  for (std::size_t i = 0; i + 1 < left.size(); ++i) CHECK(left[i] - left[i + 1] <= 12);
  CHECK(kept(*store.log, "other") == std::vector<std::uint64_t>{1});
}

TEST_CASE("a snapshot that is taken once more at its position, or late, costs none of the others") {
  Store store;
  append_many(store, 40);
  for (std::uint64_t position = 2; position <= 2 * limits::kSnapshotsKept && position <= 40; position += 2) {
    store.journal->put_snapshot("s", {position}, "bytes");
  }
  wait_for_all(*store.journal);
  const auto before = kept(*store.log, "s");
  store.journal->put_snapshot("s", {20}, "again");
  wait_for_all(*store.journal);
  CHECK(kept(*store.log, "s") == before);
  CHECK(store.log->snapshot("s", {21})->bytes == "again");
}

TEST_CASE("snapshots among appends do not disturb them") {
  Store store;
  append_many(store, 1);
  in_one_group(*store.journal, [&store] {
    store.journal->append(append("s"), {});
    store.journal->put_snapshot("s", {1}, "bytes");
    store.journal->append(append("s"), {});
  });
  CHECK(store.log->head() == Position{4});
  CHECK(store.log->snapshot("s")->bytes == "bytes");
  CHECK(store.tail.groups().back().size() == 2);
}

TEST_CASE("a snapshot beyond any reason is not kept") {
  Store store;
  append_many(store, 1);
  store.journal->put_snapshot("s", {1}, std::string(limits::kSnapshotBytes + 1, 'x'));
  wait_for_all(*store.journal);
  CHECK_FALSE(store.log->snapshot("s"));
}
