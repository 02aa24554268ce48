// Who can change everything on the disk, and has not got the key, is found by what was signed: in the log, or kept elsewhere.
#include <algorithm>

#include "tampered.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

// What was signed of the events around this one is another.
std::string other_than_signed(const std::string& range) {
  auto events = range.substr(0, range.find(':'));
  events.replace(events.find('-'), 1, " to ");
  return range + "events " + events + ": what was signed of them is another: one was changed, removed, inserted or moved";
}

// A record at the time of another.
std::string at_time_of(const std::string& record, const std::string& other) {
  return other.substr(0, kRecordTimeBytes) + record.substr(kRecordTimeBytes);
}

}  // namespace

TEST_CASE("an event changed wherever it stands, with the whole tree: the checkpoints tell, and say where it begins") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  const auto kept = log.kept_checkpoint();
  log.forge_everywhere(5'000);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  const auto found = log.findings();
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with(range));
  // Without checkpoints and keys it is a log as any other, unless one was kept elsewhere.
  auto with = log.options();
  with.keys.clear();
  log.remove_checkpoints();
  CHECK(log.findings(with) == Found{});
  with.given = kept;
  CHECK(log.findings(with) == Found{"the checkpoint that was given is of 10000 other events than the first 10000 of this log"});
}

TEST_CASE("an event inserted, all behind it moved on, with indexes and tree: named by the checkpoints around it") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  auto records = log.records();
  records.insert(records.begin() + 4'999, Tampered::forged(records[4'999]));
  log.rewrite(records);
  CHECK(log.findings() == Found{other_than_signed(range)});
  CHECK(log.verified().events == kEvents + 1);
}

TEST_CASE("an event removed, all behind it moved up, with indexes and tree: named by the checkpoints around it, and the end") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  auto records = log.records();
  records.erase(records.begin() + 4'999);
  log.rewrite(records);
  CHECK(log.findings() == Found{other_than_signed(range), "10000: a checkpoint of 10000 events is signed, but the log ends at 9999"});
}

TEST_CASE("two events that changed places, with their times, indexes and the tree: named by the checkpoints around them") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  auto records = log.records();
  const auto earlier = records[4'999];
  records[4'999] = at_time_of(records[5'000], earlier);
  records[5'000] = at_time_of(earlier, records[5'000]);
  log.rewrite(records);
  CHECK(log.findings() == Found{other_than_signed(range)});
}

TEST_CASE("checkpoints taken away, and an event behind those that are left changed: more is unsigned than a service leaves") {
  Tampered log;
  const auto first = log.kept_checkpoint(5'000).checkpoint.tree.size;
  log.remove_checkpoints(first + 1);
  log.forge_everywhere(9'000);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  REQUIRE(kEvents - first < 2 * limits::kCheckpointEvents);
  CHECK(log.findings() == Found{std::to_string(first + 1) + "-10000: no checkpoint is kept of them, though one is signed every 4,096 events"});
}

TEST_CASE("what no checkpoint holds yet nobody vouches for, but whoever kept one: it is said how much that is") {
  Tampered log;
  auto with = log.options();
  with.given = log.kept_checkpoint();
  log.remove_checkpoints(kEvents);
  log.forge_everywhere(9'999);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  const auto found = log.verified();
  CHECK(found.is_sound());
  CHECK(found.signed_events == log.kept_checkpoint().checkpoint.tree.size);
  CHECK(found.head.value - found.signed_events > 0);
  CHECK(log.findings(with) == Found{"the checkpoint that was given is of 10000 other events than the first 10000 of this log"});
}

TEST_CASE("a log that tells of a key has a checkpoint by it, however short it is") {
  Tampered log(100);
  auto with = log.options();
  with.keys.front().is_in_log = true;
  CHECK(log.findings(with) == Found{});
  log.remove_checkpoints();
  CHECK(log.findings(with) == Found{"1-100: no checkpoint is kept of them, though the first is signed with the key that it tells of"});
}

TEST_CASE("a log that was cut off with all that belongs to it is sound in itself: a checkpoint that was kept shows it") {
  Tampered log;
  auto with = log.options();
  with.given = log.kept_checkpoint();
  const auto first = log.kept_checkpoint(5'000).checkpoint.tree.size;
  auto records = log.records();
  records.resize(first);
  log.rewrite(records);
  log.remove_checkpoints(first + 1);
  CHECK(log.findings() == Found{});
  CHECK(log.findings(with) == Found{std::to_string(first + 1) + "-10000: the checkpoint that was given is of 10000 events, but the log ends at " +
                                    std::to_string(first)});
}

TEST_CASE("who holds the key can make a sound log of other events: a checkpoint that was kept elsewhere shows it") {
  Tampered log;
  auto with = log.options();
  with.given = log.kept_checkpoint(5'000);
  CHECK(log.findings(with) == Found{});
  log.forge_everywhere(10);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    read_checkpoints(d, 0, [&](const CheckpointRow& row) {
      merkle::Builder tree;
      Sha256 sha;
      for (std::uint64_t position = 1; position <= row.size; ++position) tree.add(leaf_of_record(sha, Tampered::record(d, position)));
      const auto time = Tampered::decoded(Tampered::record(d, row.size)).time;
      Tampered::put(d, b, Family::kMeta, checkpoint_key(row.size),
                    sign_checkpoint({log.signer->origin, {row.size, tree.root()}, time}, log.signer->key));
      return true;
    });
  });
  CHECK(log.findings() == Found{});
  const auto size = std::to_string(with.given->checkpoint.tree.size);
  CHECK(log.findings(with) == Found{"the checkpoint that was given is of " + size + " other events than the first " + size + " of this log"});
  with.keys.front().key.key = SigningKey::make().public_key();
  CHECK(log.findings(with).back() == "the checkpoint that was given is not signed by a key of this log");
}
