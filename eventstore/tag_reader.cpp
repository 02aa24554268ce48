#include "eventstore/tag_reader.hpp"

#include <fmt/format.h>
#include <rocksdb/snapshot.h>

#include <algorithm>
#include <array>

#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/name_rows.hpp"
#include "eventstore/record.hpp"

namespace ota::eventstore {
namespace {

// The events that carry the tag beside their stream.
class TaggedRecords {
 public:
  TaggedRecords(const Database& database, std::string_view tag, Position after,
                const rocksdb::Snapshot* at)
      : database_(database), rows_(database, Family::kTags, tag, at) {
    rows_.seek_after(after);
    fetch();
  }

  bool valid() const { return next_ < count_; }
  Position position() const { return positions_[next_]; }
  std::string_view record() const { return view(records_[next_]); }
  void next() {
    if (++next_ == count_) fetch();
  }

 private:
  // The first fetches are small: many tags have a few events, many visitors stop early.
  void fetch() {
    next_ = 0;
    count_ = 0;
    std::array<std::array<char, kPositionBytes>, limits::kTagFetch> bytes;
    std::array<rocksdb::Slice, limits::kTagFetch> keys;
    for (; count_ < fetch_ && rows_.valid(); rows_.next(), ++count_) {
      positions_[count_] = rows_.position();
      store_be64(bytes[count_].data(), rows_.position().value);
      keys[count_] = {bytes[count_].data(), kPositionBytes};
    }
    fetch_ = std::min(fetch_ * 2, limits::kTagFetch);
    if (count_ == 0) return;
    std::array<rocksdb::Status, limits::kTagFetch> statuses;
    for (std::size_t i = 0; i < count_; ++i) records_[i].Reset();
    // Committed records never change: the newest state is as good as the snapshot.
    database_.db().MultiGet({}, database_.family(Family::kLog), count_, keys.data(),
                            records_.data(), statuses.data(), /*sorted_input=*/true);
    for (std::size_t i = 0; i < count_; ++i) {
      if (statuses[i].IsNotFound()) {
        throw LogError(fmt::format("event {} is missing, but a tag names it", positions_[i].value),
                       positions_[i]);
      }
      check(statuses[i], "read the events of a tag");
    }
  }

  const Database& database_;
  NameRows rows_;
  std::array<Position, limits::kTagFetch> positions_;
  std::array<rocksdb::PinnableSlice, limits::kTagFetch> records_;
  std::size_t fetch_ = 4;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

void decode_at(Position position, std::string_view record, RecordedEvent& event) {
  event.position = position;
  if (const auto fault = decode_record(record, event)) {
    throw LogError(fmt::format("event {} has a damaged {} at byte {}", position.value, fault->what,
                               fault->offset),
                   position);
  }
}

void read_tag(const Database& database, std::string_view tag, Position after,
              const Visitor& visit) {
  rocksdb::ManagedSnapshot snapshot(&database.db());
  NameRows own(database, Family::kStreams, tag, snapshot.snapshot());
  own.seek_after(after);
  TaggedRecords tagged(database, tag, after, snapshot.snapshot());
  RecordedEvent event;
  while (own.valid() || tagged.valid()) {
    const bool from_own = own.valid() && (!tagged.valid() || own.position() < tagged.position());
    if (from_own) {
      decode_at(own.position(), own.value(), event);
    } else {
      decode_at(tagged.position(), tagged.record(), event);
    }
    if (!visit(event)) return;
    if (from_own) {
      own.next();
    } else {
      tagged.next();
    }
  }
}

}  // namespace ota::eventstore
