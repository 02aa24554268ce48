// Whatever is changed on disk by itself is found and named; a sound log is found sound.
#include "eventstore/verify.hpp"

#include <algorithm>

#include "tampered.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

TEST_CASE("a sound log is found sound, with its root, its rows and its checkpoints") {
  Tampered log;
  const auto found = log.verified();
  CHECK(found.is_sound());
  CHECK(found.events == kEvents);
  CHECK(found.head.value == kEvents);
  CHECK(found.head_time == Timestamp(std::chrono::microseconds(1'000'000 + kEvents - 1)));
  CHECK(found.signed_events == kEvents);
  CHECK(found.checkpoints == 3);
  CHECK(found.index_rows > kEvents);
  CHECK(log.findings() == Found{});
  // While it is open for writing as well, and as of then.
  log.store.reopen();
  commit(*log.store.journal, append("s1"));
  CHECK(log.verified().events == kEvents + 1);
  const auto open = verify(*log.store.log, log.options());
  CHECK(open.is_sound());
  CHECK(open.root == Proofs(log.store.log).tree(kEvents + 1).root);
  CHECK(open.signed_events == kEvents);
}

TEST_CASE("an empty log is sound") {
  Tampered log(0);
  CHECK(log.verified().is_sound());
  CHECK(log.verified().events == 0);
}

TEST_CASE("one record changed: named, though log and stream are all that differ") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) { Tampered::put(d, b, Family::kLog, log_key({4'711}), Tampered::forged(Tampered::record(d, 4'711))); });
  CHECK(log.findings() == Found{"4711: it is not the event that the proof tree holds",
                                "4711: the log and the index of its stream hold different events there"});
}

TEST_CASE("one record of a stream's index changed: named") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    const auto record = Tampered::record(d, 4'711);
    Tampered::put(d, b, Family::kStreams, name_key(Tampered::decoded(record).stream, {4'711}), Tampered::forged(record));
  });
  CHECK(log.findings() == Found{"4711: the log and the index of its stream hold different events there"});
}

TEST_CASE("an event changed wherever it stands, with its leaf: named by the tile above and the next checkpoint") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  log.forge_everywhere(5'000);
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    auto hashes = read_tile(d, 4'999 / 256).hashes;
    Sha256 sha;
    hashes.replace(4'999 % 256 * kHashBytes, kHashBytes, view_of(leaf_of_record(sha, Tampered::record(d, 5'000))));
    Tampered::put(d, b, Family::kTiles, TileKey{0, 4'999 / 256, 0}.bytes(), hashes);
  });
  const auto found = log.findings();
  REQUIRE(found.size() == 2);
  CHECK(found[0].starts_with(range));
  CHECK(found[0].find("what was signed of them is another") != std::string::npos);
  CHECK(found[1] == "4865-5120: their hash on level 1 of the proof tree is another");
}

TEST_CASE("an event removed, in the middle, with all that leads to it: named") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) { Tampered::remove(d, b, Family::kLog, log_key({300})); });
  CHECK(log.findings() == Found{"300: missing", "300: the index of its stream holds it, the log does not"});
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    const auto rows = d.iterate(Family::kStreams);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      if (load_be64(rows->key().data() + rows->key().size() - 8) == 300) Tampered::remove(d, b, Family::kStreams, rows->key().ToString());
    }
  });
  CHECK(log.findings().front() == "300: missing");
}

TEST_CASE("the end cut off: the checkpoints of more events are left, or the one that is given tells") {
  Tampered log;
  auto with = log.options();
  with.given = log.kept_checkpoint();
  CHECK(log.verified(with).is_sound());
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    for (std::uint64_t position = 9'991; position <= kEvents; ++position) Tampered::remove(d, b, Family::kLog, log_key({position}));
  });
  auto found = log.findings(with);
  CHECK(found.front() == "9991-10000: the proof tree holds them, the log does not");
  CHECK(found[1] == "9991-10000: a checkpoint of 10000 events is signed, but the log ends at 9990");
  CHECK(found[2] == "9991-10000: the checkpoint that was given is of 10000 events, but the log ends at 9990");
  CHECK(found[3] == "9991: the index of its stream holds it, the log does not");
}

TEST_CASE("events inserted behind the end, swapped, or with a time that goes back: named") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::put(d, b, Family::kLog, log_key({kEvents + 1}), Tampered::record(d, 1));
  });
  auto found = log.findings();
  CHECK(std::find(found.begin(), found.end(), "10001: the proof tree ends before it") != found.end());
  CHECK(std::find(found.begin(), found.end(), "10001: its time is before that of the event before it") != found.end());
  CHECK(std::find(found.begin(), found.end(), "10001: it is missing in the index of its stream") != found.end());

  Tampered swapped;
  swapped.change([](Database& d, rocksdb::WriteBatch& b) {
    Tampered::put(d, b, Family::kLog, log_key({70}), Tampered::record(d, 71));
    Tampered::put(d, b, Family::kLog, log_key({71}), Tampered::record(d, 70));
  });
  found = swapped.findings();
  CHECK(std::find(found.begin(), found.end(), "70: it is not the event that the proof tree holds") != found.end());
  CHECK(std::find(found.begin(), found.end(), "71: it is not the event that the proof tree holds") != found.end());
}

TEST_CASE("rows of tags removed, added, or with something in them: named") {
  Tampered log;
  std::uint64_t tagged = 0;
  std::uint64_t untagged = 0;
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    for (std::uint64_t position = 100; tagged == 0 || untagged == 0; ++position) {
      const auto record = Tampered::record(d, position);
      const auto tags = Tampered::decoded(record).tags;
      if (tags.empty() && untagged == 0) {
        untagged = position;
        Tampered::put(d, b, Family::kTags, name_key("t1", {position}), "");
      }
      if (!tags.empty() && tagged == 0) {
        tagged = position;
        Tampered::remove(d, b, Family::kTags, name_key(tags.front(), {position}));
      }
    }
  });
  auto found = log.findings();
  std::sort(found.begin(), found.end());
  auto wanted = Found{std::to_string(tagged) + ": it is missing in the index of one of its tags",
                      std::to_string(untagged) + ": the index of tags holds it under a tag that it does not carry"};
  std::sort(wanted.begin(), wanted.end());
  CHECK(found == wanted);

  Tampered full;
  full.change([](Database& d, rocksdb::WriteBatch& b) {
    const auto rows = d.iterate(Family::kTags);
    rows->SeekToFirst();
    Tampered::put(d, b, Family::kTags, rows->key().ToString(), "abc");
  });
  CHECK(full.findings().front().ends_with("its row in the index of tags has 3 bytes too many"));
}

TEST_CASE("an event that was moved to another stream's index: named") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    const auto record = Tampered::record(d, 200);
    Tampered::remove(d, b, Family::kStreams, name_key(Tampered::decoded(record).stream, {200}));
    Tampered::put(d, b, Family::kStreams, name_key("another", {200}), record);
  });
  CHECK(log.findings() == Found{"200: it stands in the index of another stream than its own"});
}

TEST_CASE("checkpoints forged, damaged or taken away: named") {
  Tampered log;
  const auto forger = SigningKey::make();
  std::uint64_t size = 0;
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    const auto row = read_checkpoint(d, 5'000);
    REQUIRE(row);
    size = row->size;
    const auto note = std::get<SignedCheckpoint>(parse_checkpoint(row->note));
    Tampered::put(d, b, Family::kMeta, checkpoint_key(size), sign_checkpoint(note.checkpoint, forger));
  });
  CHECK(log.findings() == Found{std::to_string(size) + ": the checkpoint of " + std::to_string(size) +
                                " events is not signed by the key of then"});
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    auto late = std::get<SignedCheckpoint>(parse_checkpoint(read_checkpoint(d, size)->note)).checkpoint;
    late.time += std::chrono::microseconds(1);
    Tampered::put(d, b, Family::kMeta, checkpoint_key(size), sign_checkpoint(late, log.signer->key));
  });
  CHECK(log.findings() == Found{std::to_string(size) + ": the checkpoint of " + std::to_string(size) +
                                " events has another time than the last of them"});
  log.change([&](Database& d, rocksdb::WriteBatch& b) { Tampered::put(d, b, Family::kMeta, checkpoint_key(size), "no note"); });
  CHECK(log.findings() == Found{std::to_string(size) + ": the checkpoint of " + std::to_string(size) + " events is damaged"});
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    read_checkpoints(d, 0, [&](const CheckpointRow& row) {
      if (row.size != kEvents) Tampered::remove(d, b, Family::kMeta, checkpoint_key(row.size));
      return true;
    });
  });
  // What is left holds over all of it.
  CHECK(log.findings() == Found{});
  CHECK(log.verified().signed_events == kEvents);
}

TEST_CASE("checkpoints that are gone below one that holds are no finding: an event changed there is, and so is a newest one that is gone") {
  Tampered log;
  const auto first = log.kept_checkpoint(5'000).checkpoint.tree.size;
  log.change([&](Database& d, rocksdb::WriteBatch& b) {
    read_checkpoints(d, 0, [&](const CheckpointRow& row) {
      if (row.size != kEvents) Tampered::remove(d, b, Family::kMeta, checkpoint_key(row.size));
      return true;
    });
  });
  CHECK(log.findings() == Found{});
  log.forge_everywhere(first);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  CHECK(log.findings() == Found{"1-10000: events 1 to 10000: what was signed of them is another: one was changed, removed, inserted or moved"});
  log.remove_checkpoints();
  REQUIRE(log.findings().size() == 1);
  CHECK(log.findings().front().find("10000: no checkpoint is kept of them") != std::string::npos);
}

TEST_CASE("leaves and hashes of the stored tree changed, or rows of it lost: named") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    auto hashes = read_tile(d, 3).hashes;
    hashes[5 * kHashBytes] = static_cast<char>(hashes[5 * kHashBytes] ^ 1);
    Tampered::put(d, b, Family::kTiles, TileKey{0, 3, 0}.bytes(), hashes);
  });
  const auto found = log.findings();
  REQUIRE(found.size() == 3);
  CHECK(found[0].find("what was signed of them is another") != std::string::npos);
  CHECK(found[1] == "769-1024: their hash on level 1 of the proof tree is another");
  CHECK(found[2] == "774: it is not the event that the proof tree holds");

  Tampered lost;
  lost.change([](Database& d, rocksdb::WriteBatch& b) { Tampered::remove(d, b, Family::kTiles, TileKey{0, 39, 0}.bytes()); });
  CHECK(lost.findings().front().starts_with("9985: "));
}

TEST_CASE("a hundred findings are listed, the rest is counted") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    for (std::uint64_t position = 1'000; position < 1'200; ++position) {
      Tampered::put(d, b, Family::kLog, log_key({position}), Tampered::forged(Tampered::record(d, position)));
    }
  });
  const auto found = log.verified();
  CHECK(found.findings.size() == kFindingsMax);
  CHECK(found.further_findings == 300);
  CHECK_FALSE(found.is_sound());
}

TEST_CASE("a directory that is no log cannot be opened to be read, and is left as it is") {
  TempDir directory;
  CHECK_THROWS_WITH_AS(Log::open_read_only(directory.path()), doctest::Contains("holds no event log"), std::runtime_error);
  CHECK(std::filesystem::is_empty(directory.path()));
}
