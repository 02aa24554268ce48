// How queries read rows: single ones, or a range in key order. Any thread.
//
// A reader of one moment holds a snapshot, so that several rows of an answer belong together.
#pragma once

#include <rocksdb/iterator.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "projections/database.hpp"
#include "projections/row_cache.hpp"

namespace ota::projections {

class Reader {
 public:
  enum class Moment { kEachRow, kOne };
  explicit Reader(const Database& database, Moment moment = Moment::kEachRow);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // False if there is no such row. Throws std::runtime_error if it cannot be read.
  bool get(std::string_view key, rocksdb::PinnableSlice& value) const;
  bool has(std::string_view key) const;
  // The row, decoded. Throws std::runtime_error if its bytes are damaged.
  template <class T>
  std::optional<T> row(std::string_view key) const {
    rocksdb::PinnableSlice bytes;
    if (!get(key, bytes)) return std::nullopt;
    return decoded<T>(view(bytes));
  }
  template <class T>
  static T decoded(std::string_view bytes) {
    auto value = RowCodec<T>::decode(bytes);
    if (!value) damaged();
    return std::move(*value);
  }

  // For whoever decodes by itself: throws what row() throws.
  [[noreturn]] static void damaged();

  const Database& database() const { return database_; }
  const rocksdb::Snapshot* snapshot() const { return snapshot_; }

 private:
  const Database& database_;
  const rocksdb::Snapshot* snapshot_ = nullptr;
};

// The rows of a table, or of a part of it, in key order.
class Range {
 public:
  // What is read along the way: kept in the cache for the next reader, or passed by, as whoever looks
  // at a whole table should: it is larger than the cache, and others need what is in there.
  enum class Caching { kKeep, kPassBy };
  // Whose keys begin with `prefix`, from prefix + `from` on (with it).
  Range(const Reader& reader, std::string prefix, std::string_view from = {},
        Caching caching = Caching::kKeep);

  bool valid() const;
  void next() { rows_->Next(); }
  // On to the first row from prefix + `from` on.
  void skip_to(std::string_view from);
  // The key behind the prefix.
  std::string_view rest() const { return view(rows_->key()).substr(prefix_.size()); }
  std::string_view value() const { return view(rows_->value()); }

 private:
  const Database& database_;
  std::string prefix_;
  std::string end_;  // rows_ points at end_slice_, which points at end_
  rocksdb::Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

}  // namespace ota::projections
