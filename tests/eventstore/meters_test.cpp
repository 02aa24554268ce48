// What the journal counts of itself: every append, every group, and what else became durable.
#include "eventstore/meters.hpp"

#include <doctest/doctest.h>

#include "eventstore/checkpoint.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

TEST_CASE("a histogram keeps a value in the first bucket that it does not exceed") {
  static constexpr std::array<std::uint64_t, 3> kBounds = {1, 10, 100};
  Histogram values{kBounds};
  for (const std::uint64_t value : {0, 1, 2, 10, 100, 101, 5'000}) values.record(value);
  const auto reading = values.read();
  CHECK(reading.counts == std::vector<std::uint64_t>{2, 2, 1, 2});
  CHECK(reading.count == 7);
  CHECK(reading.sum == 5'214);
  values.record(std::chrono::milliseconds(-3));  // a clock that went back counts as nothing
  CHECK(values.read().counts.front() == 3);
  values.record(std::chrono::nanoseconds(10'999));
  CHECK(values.read().sum == 5'224);
}

TEST_CASE("the journal counts its groups, what is in them, and how long they took") {
  Store store;
  const auto& meters = store.journal->meters();
  CHECK(meters.group_events.read().count == 0);
  Append three = append("s", {"t"}, "first");
  three.events.push_back(event("s"));
  three.events.push_back(event("s"));
  commit(*store.journal, std::move(three));
  CHECK(meters.group_events.read().sum == 3);
  CHECK(meters.commit_us.read().count == 1);
  CHECK(meters.write_us.read().count == 1);
  CHECK(meters.fsync_us.read().count == 1);
  CHECK(meters.fsync_us.read().sum > 0);
  CHECK(meters.fsync_us.read().sum <= meters.write_us.read().sum);
  CHECK(meters.write_us.read().sum <= meters.commit_us.read().sum);
  const auto bytes = meters.group_bytes.read().sum;
  CHECK(bytes > 3);
  // A group of five appends, one of which meets a newer event: four commits, one fsync.
  in_one_group(*store.journal, [&] {
    for (int i = 0; i < 4; ++i) store.journal->append(append("s"), {});
    store.journal->append(append_if({{"t", {0}}}, "s"), {});
  });
  CHECK(meters.group_events.read().count == 3);  // and the one that held the writer
  CHECK(meters.group_events.read().sum == 8);
  CHECK(meters.group_events.read().counts == std::vector<std::uint64_t>{1, 0, 2, 0, 0, 0, 0, 0, 0, 0});
  CHECK(meters.commit_us.read().count == 6);
  CHECK(meters.fsync_us.read().count == 3);
  CHECK(meters.group_bytes.read().sum > bytes);
}

TEST_CASE("the journal counts snapshots and the checkpoints that it signs") {
  Journal::Options options;
  options.signer = std::make_shared<const Signer>(Signer{"ota-log/test", SigningKey::make()});
  Store store(std::move(options));
  const auto& meters = store.journal->meters();
  commit(*store.journal, append("s"));
  store.journal->put_snapshot("s", {1}, "bytes");
  store.journal->put_snapshot("s", {1}, "more bytes");
  store.journal->checkpoint({});
  wait_for_all(*store.journal);
  CHECK(meters.snapshots == 2);
  CHECK(meters.snapshot_bytes == 15);
  CHECK(meters.checkpoints == 1);
  CHECK(meters.group_events.read().count == 1);  // a group without events is none
}
