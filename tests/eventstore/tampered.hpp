// A log that was closed, and the hand of somebody who changes what is on the disk: what the tests of verifying share.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/proofs.hpp"
#include "eventstore/record.hpp"
#include "eventstore/tile_levels.hpp"
#include "eventstore/tiles.hpp"
#include "eventstore/verify.hpp"
#include "support.hpp"

namespace ota::eventstore::testing {

inline constexpr std::uint64_t kEvents = 10'000;

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

  // The newest checkpoint of at most so many events, as somebody keeps it.
  SignedCheckpoint kept_checkpoint(std::uint64_t size_at_most = UINT64_MAX) const {
    return std::get<SignedCheckpoint>(parse_checkpoint(*Proofs(Log::open_read_only(store.directory.path())).checkpoint(size_at_most)));
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
  void remove_checkpoints(std::uint64_t from = 0) {
    change([from](Database& d, rocksdb::WriteBatch& b) {
      read_checkpoints(d, 0, [&](const CheckpointRow& row) {
        if (row.size >= from) remove(d, b, Family::kMeta, checkpoint_key(row.size));
        return true;
      });
    });
  }
  std::vector<std::string> records() const {
    std::vector<std::string> all;
    const auto database = Database::open_read_only(store.directory.path());
    const auto rows = database->iterate(Family::kLog);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) all.push_back(rows->value().ToString());
    return all;
  }
  // A log of these records in the place of the one that is there, with its indexes and its tree. Its checkpoints stay.
  void rewrite(const std::vector<std::string>& records) {
    change([&](Database& d, rocksdb::WriteBatch& b) {
      for (const Family family : {Family::kLog, Family::kStreams, Family::kTags}) {
        const auto rows = d.iterate(family);
        for (rows->SeekToFirst(); rows->Valid(); rows->Next()) remove(d, b, family, rows->key().ToString());
      }
      Position position;
      for (const auto& record : records) {
        ++position.value;
        const auto event = decoded(record);
        put(d, b, Family::kLog, log_key(position), record);
        put(d, b, Family::kStreams, name_key(event.stream, position), record);
        for (const auto tag : event.tags) put(d, b, Family::kTags, name_key(tag, position), "");
      }
    });
    change([](Database& d, rocksdb::WriteBatch&) { rebuild_tree(d); });
  }
  // The file of a family, after all of it was brought there.
  std::filesystem::path table(Family family) {
    const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
    REQUIRE(database->db().Flush({}, database->family(family)).ok());
    std::vector<rocksdb::LiveFileMetaData> files;
    database->db().GetLiveFilesMetaData(&files);
    std::filesystem::path found;
    for (const auto& file : files) {
      if (file.column_family_name != kFamilyNames[static_cast<std::size_t>(family)]) continue;
      REQUIRE(found.empty());
      found = store.directory.path() / file.name.substr(1);
    }
    REQUIRE_FALSE(found.empty());
    return found;
  }
  static void flip(const std::filesystem::path& path, std::uint64_t offset) {
    std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(bytes.get());
    bytes.seekp(static_cast<std::streamoff>(offset));
    bytes.put(static_cast<char>(byte ^ 4));
  }
  bool can_be_read(std::uint64_t position) const {
    try {
      return Log::open_read_only(store.directory.path())->read_one({position}, [](const RecordedEvent&) { return true; });
    } catch (const std::runtime_error&) {
      return false;
    }
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

}  // namespace ota::eventstore::testing
