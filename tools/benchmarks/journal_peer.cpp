#include "tools/benchmarks/journal_peer.hpp"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <stdexcept>

#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log.hpp"
#include "eventstore/record.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/tiles.hpp"

namespace ota::bench {
namespace {

using eventstore::Database;
using eventstore::Family;

std::unique_ptr<Database> open_database(const std::filesystem::path& directory) {
  return Database::open(directory, std::make_shared<eventstore::Head>(), /*env=*/nullptr);
}

void must(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error("the journal's peer: " + status.ToString());
}

eventstore::NewEvent as_new(const eventstore::RecordedEvent& event) {
  eventstore::NewEvent made;
  made.stream = event.stream;
  made.type = event.type;
  made.tags.assign(event.tags.begin(), event.tags.end());
  made.payload = event.payload;
  return made;
}

}  // namespace

JournalPeer::JournalPeer(const std::filesystem::path& directory) {
  const auto log = eventstore::Log::open(directory);
  events_.reserve(log->head().value);
  log->scan({}, [this](const eventstore::RecordedEvent& event) {
    add(event);
    return true;
  });
}

void JournalPeer::add(const eventstore::RecordedEvent& event) {
  const eventstore::NewEvent made = as_new(event);
  Event row;
  row.record_bytes = eventstore::kRecordTimeBytes + eventstore::body_bytes(made);
  const std::size_t record_at = bytes_.size();
  bytes_.resize(record_at + row.record_bytes);
  eventstore::RecordedEvent ignored;
  eventstore::encode_body(made, bytes_.data() + record_at + eventstore::kRecordTimeBytes, ignored);
  eventstore::stamp_record(bytes_.data() + record_at, event.time);
  thread_local eventstore::Sha256 sha;
  row.leaf =
      eventstore::leaf_of_record(sha, std::string_view(bytes_).substr(record_at, row.record_bytes));

  const std::string stream_key = eventstore::name_key(event.stream, event.position);
  row.stream_key_bytes = stream_key.size();
  bytes_ += stream_key;
  row.tag_keys_begin = tag_key_bytes_.size();
  for (const std::string_view tag : event.tags) {
    const std::string key = eventstore::name_key(tag, event.position);
    tag_key_bytes_.push_back(key.size());
    bytes_ += key;
  }
  row.tag_keys_end = tag_key_bytes_.size();
  all_record_bytes_ += row.record_bytes;
  events_.push_back(row);
}

Cost JournalPeer::run(const std::filesystem::path& directory,
                      const std::vector<std::uint16_t>& groups) const {
  const auto database = open_database(directory);
  rocksdb::ColumnFamilyHandle* const log = database->family(Family::kLog);
  rocksdb::ColumnFamilyHandle* const streams = database->family(Family::kStreams);
  rocksdb::ColumnFamilyHandle* const tags = database->family(Family::kTags);
  eventstore::TileWriter tiles(*database);
  rocksdb::WriteBatch batch(/*reserved_bytes=*/4 * eventstore::limits::kGroupBytes,
                            /*max_bytes=*/0, eventstore::kBatchProtectionBytes,
                            /*default_cf_ts_sz=*/0);
  const rocksdb::WriteOptions how = eventstore::durable_write();
  const char* at = bytes_.data();
  const auto take = [&at](std::size_t count) {
    const rocksdb::Slice taken(at, count);
    at += count;
    return taken;
  };
  std::size_t next = 0;

  const Stopwatch stopwatch;
  for (const std::uint16_t group : groups) {
    batch.Clear();
    for (const std::size_t end = next + group; next < end; ++next) {
      const Event& event = events_[next];
      char position[eventstore::kPositionBytes];
      eventstore::store_be64(position, next + 1);
      const rocksdb::Slice record = take(event.record_bytes);
      must(batch.Put(log, {position, sizeof position}, record));
      must(batch.Put(streams, take(event.stream_key_bytes), record));
      for (std::size_t i = event.tag_keys_begin; i < event.tag_keys_end; ++i) {
        must(batch.Put(tags, take(tag_key_bytes_[i]), rocksdb::Slice()));
      }
      tiles.add(event.leaf, batch);
    }
    tiles.end_group(batch);
    must(database->db().Write(how, &batch));
  }
  return stopwatch.cost();
}

double JournalPeer::record_bytes() const {
  return events_.empty()
             ? 0
             : static_cast<double>(all_record_bytes_) / static_cast<double>(events_.size());
}

void compare_logs(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto left = open_database(one);
  const auto right = open_database(other);
  for (const Family family : {Family::kLog, Family::kStreams, Family::kTags, Family::kTiles,
                              Family::kCommands, Family::kSnapshots}) {
    const auto a = left->iterate(family, /*fill_cache=*/false);
    const auto b = right->iterate(family, /*fill_cache=*/false);
    a->SeekToFirst();
    b->SeekToFirst();
    while (a->Valid() && b->Valid() && a->key() == b->key() && a->value() == b->value()) {
      a->Next();
      b->Next();
    }
    must(a->status());
    must(b->status());
    if (a->Valid() || b->Valid()) {
      throw std::runtime_error(
          fmt::format("the journal and its peer did not write the same rows: family {}",
                      eventstore::kFamilyNames[static_cast<std::size_t>(family)]));
    }
  }
}

}  // namespace ota::bench
