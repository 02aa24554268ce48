// Whatever is done to a log on disk is found and named; a sound one is found sound.
#include "eventstore/verify.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/proofs.hpp"
#include "eventstore/record.hpp"
#include "eventstore/tile_levels.hpp"
#include "eventstore/tiles.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

constexpr std::uint64_t kEvents = 10'000;

// A signed log that was closed, and the hand of somebody who changes it.
struct Tampered {
  std::shared_ptr<const Signer> signer = std::make_shared<const Signer>(Signer{"ota-log/test", SigningKey::make()});
  Store store{[this] {
    Journal::Options options;
    options.signer = signer;
    return options;
  }()};

  explicit Tampered(std::uint64_t events = kEvents) {
    std::mt19937 random(7);
    for (std::uint64_t i = 0; i < events; ++i) {
      store.clock.set(static_cast<std::int64_t>(1'000'000 + i));
      store.journal->append(append("s" + std::to_string(random() % 300), tags_of(random()), "payload " + std::to_string(i)), {});
    }
    store.close();
  }
  static std::vector<std::string> tags_of(std::uint64_t number) {
    if (number % 3 == 0) return {};
    if (number % 3 == 1) return {"t" + std::to_string(number % 50)};
    return {"t" + std::to_string(number % 50), "u" + std::to_string(number % 7)};
  }

  VerifyOptions options() const { return {{{{signer->origin, signer->key.public_key()}, {1}, {}}}, {}, 0, {}}; }
  Verification verified() const { return verified(options()); }
  Verification verified(const VerifyOptions& with) const {
    return verify(*Log::open_read_only(store.directory.path()), with);
  }
  std::vector<std::string> findings() const { return findings(options()); }
  // "12: what", "12-14: what" or "what".
  std::vector<std::string> findings(const VerifyOptions& with) const {
    std::vector<std::string> found;
    for (const auto& f : verified(with).findings) {
      std::string place;
      if (f.first.value != 0) place = std::to_string(f.first.value);
      if (f.last != f.first) place += "-" + std::to_string(f.last.value);
      found.push_back(place.empty() ? f.what : place + ": " + f.what);
    }
    return found;
  }

  using Hand = std::function<void(Database&, rocksdb::WriteBatch&)>;
  void change(const Hand& hand) {
    const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
    rocksdb::WriteBatch batch;
    hand(*database, batch);
    REQUIRE(database->db().Write(durable_write(), &batch).ok());
  }
  static std::string row(const Database& database, Family family, const std::string& key) {
    rocksdb::PinnableSlice value;
    REQUIRE(database.get(family, key, value));
    return std::string(view(value));
  }
  static std::string record(const Database& database, std::uint64_t position) {
    return row(database, Family::kLog, log_key({position}));
  }
  static RecordedEvent decoded(const std::string& record) {
    RecordedEvent event;
    REQUIRE_FALSE(decode_record(record, event));
    return event;
  }
  // "4200-8300": what lies between the checkpoints around an event.
  std::string signed_range(std::uint64_t position) const {
    std::uint64_t before = 0;
    std::uint64_t behind = 0;
    Proofs(Log::open_read_only(store.directory.path())).checkpoints(0, [&](std::uint64_t size, std::string_view) {
      (size < position ? before : behind) = size;
      return size < position;
    });
    return std::to_string(before + 1) + "-" + std::to_string(behind) + ": ";
  }
  // Another event in the log and in the index of its stream.
  void forge_everywhere(std::uint64_t position) {
    change([position](Database& d, rocksdb::WriteBatch& b) {
      const auto record = Tampered::record(d, position);
      put(d, b, Family::kLog, log_key({position}), forged(record));
      put(d, b, Family::kStreams, name_key(decoded(record).stream, {position}), forged(record));
    });
  }
  // The record with another payload of the same length.
  static std::string forged(std::string record) {
    record.back() = record.back() == 'x' ? 'y' : 'x';
    return record;
  }
  static void put(Database& database, rocksdb::WriteBatch& batch, Family family, const std::string& key, const std::string& value) {
    REQUIRE(batch.Put(database.family(family), key, value).ok());
  }
  static void remove(Database& database, rocksdb::WriteBatch& batch, Family family, const std::string& key) {
    REQUIRE(batch.Delete(database.family(family), key).ok());
  }
  // Makes the stored tree that of the records, up to the roots of all levels.
  static void rebuild_tree(Database& database) {
    rocksdb::WriteBatch batch;
    std::vector<std::string> old;
    const auto tiles = database.iterate(Family::kTiles);
    for (tiles->SeekToFirst(); tiles->Valid(); tiles->Next()) remove(database, batch, Family::kTiles, tiles->key().ToString());
    TileLevels levels;
    Sha256 sha;
    const auto rows = database.iterate(Family::kLog);
    const auto put_tile = [&](std::size_t level, std::uint64_t tile, std::string_view hashes) {
      put(database, batch, Family::kTiles, TileKey{static_cast<std::uint8_t>(level), tile, 0}.bytes(), std::string(hashes));
    };
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      levels.add(leaf_of_record(sha, view(rows->value())),
                 [&](std::size_t level, std::uint64_t tile, std::string_view hashes, const Hash&) { put_tile(level, tile, hashes); });
    }
    for (std::size_t level = 0; level < levels.levels().size(); ++level) {
      const auto& last = levels.levels()[level];
      if (!last.hashes.empty()) put_tile(level, last.tile, last.hashes);
    }
    REQUIRE(database.db().Write(durable_write(), &batch).ok());
  }
};

using Found = std::vector<std::string>;

}  // namespace

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

TEST_CASE("an event changed wherever it stands, with the whole tree: the checkpoints tell, and say where it begins") {
  Tampered log;
  const auto range = log.signed_range(5'000);
  log.forge_everywhere(5'000);
  log.change([](Database& d, rocksdb::WriteBatch&) { Tampered::rebuild_tree(d); });
  const auto found = log.findings();
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with(range));
  // Not even without checkpoints, if one was kept elsewhere.
  auto with = log.options();
  with.keys.clear();
  log.change([](Database& d, rocksdb::WriteBatch& b) {
    read_checkpoints(d, 0, [&](const CheckpointRow& row) {
      Tampered::remove(d, b, Family::kMeta, checkpoint_key(row.size));
      return true;
    });
  });
  CHECK(log.findings(with) == Found{});
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
  with.given = std::get<SignedCheckpoint>(parse_checkpoint(*Proofs(Log::open_read_only(log.store.directory.path())).checkpoint()));
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

TEST_CASE("who holds the key can make a sound log of other events: a checkpoint that was kept elsewhere shows it") {
  Tampered log;
  auto with = log.options();
  with.given = std::get<SignedCheckpoint>(parse_checkpoint(*Proofs(Log::open_read_only(log.store.directory.path())).checkpoint(5'000)));
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
  CHECK(log.findings() == Found{"2-10000: between them no checkpoint is kept, though one is signed every 4,096 events"});
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

TEST_CASE("a damaged record is named by what is wrong with it") {
  Tampered log;
  log.change([](Database& d, rocksdb::WriteBatch& b) { Tampered::put(d, b, Family::kLog, log_key({9}), "12345678"); });
  CHECK(log.findings() == Found{"9: its record has a damaged format at byte 8"});
}

TEST_CASE("a flipped bit on the disk is found where it is, and the rest is looked at all the same") {
  Tampered log;
  {
    const auto database = Database::open(log.store.directory.path(), std::make_shared<Head>(), nullptr);
    std::vector<rocksdb::ColumnFamilyHandle*> all;
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i) all.push_back(database->family(static_cast<Family>(i)));
    REQUIRE(database->db().Flush({}, all).ok());
    std::vector<rocksdb::LiveFileMetaData> files;
    database->db().GetLiveFilesMetaData(&files);
    for (const auto& file : files) {
      if (file.column_family_name != "log") continue;
      const auto path = log.store.directory.path() / file.name.substr(1);
      std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(static_cast<std::streamoff>(file.size / 2));
      const auto byte = static_cast<char>(bytes.get());
      bytes.seekp(static_cast<std::streamoff>(file.size / 2));
      bytes.put(static_cast<char>(byte ^ 4));
    }
  }
  const auto found = log.verified();
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings.front().what.find("block checksum mismatch") != std::string::npos);
  CHECK(found.findings.front().first.value > 1);
  CHECK(found.findings.front().last < found.head);
  CHECK(found.events > kEvents / 2);
  CHECK(found.signed_events == kEvents);  // the leaves of what cannot be read are there
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

TEST_CASE("verifying stops when it is told to, and says that it did not see all") {
  Tampered log;
  auto options = log.options();
  options.progress = [](std::uint64_t events, std::uint64_t of) {
    CHECK(of == kEvents);
    return events < 5'000;
  };
  const auto found = log.verified(options);
  CHECK(found.stopped);
  CHECK_FALSE(found.is_sound());
  CHECK(found.findings.empty());
}

TEST_CASE("a directory that is no log cannot be opened to be read, and is left as it is") {
  TempDir directory;
  CHECK_THROWS_WITH_AS(Log::open_read_only(directory.path()), doctest::Contains("holds no event log"), std::runtime_error);
  CHECK(std::filesystem::is_empty(directory.path()));
}
