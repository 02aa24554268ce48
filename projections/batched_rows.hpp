// Rows over RocksDB: everything that a group changes goes into one batch, written at its end. In a bulk rebuild it goes into
// memory instead (bulk_rows.hpp).
#pragma once

#include <rocksdb/write_batch.h>

#include <memory>

#include "projections/bulk_rows.hpp"
#include "projections/bulk_size.hpp"
#include "projections/database.hpp"
#include "projections/rows.hpp"

namespace ota::projections {

class BatchedRows final : public Rows {
 public:
  explicit BatchedRows(Database& database) : database_(database) {}

  // From now on, until the end, rows are kept in memory and written many at a time. The end throws std::runtime_error if they
  // cannot be written; nothing is lost but what was not.
  void begin_bulk(const BulkSize& size) {
    bulk_ = std::make_unique<BulkRows>(database_, size.rows_bytes);
    cache_factor_ = size.cache_factor;
  }
  void end_bulk() {
    cache_factor_ = 1;
    const auto bulk = std::move(bulk_);
    if (bulk) bulk->finish();
  }

  bool get(std::string_view key, std::string& value) const override {
    if (bulk_) {
      const auto found = bulk_->find(key, value);
      if (found != RowMemory::Found::kNothing) return found == RowMemory::Found::kRow;
    }
    rocksdb::PinnableSlice found;
    const auto status =
        database_.db().Get(rocksdb::ReadOptions(), database_.family(key), slice(key), &found);
    if (status.IsNotFound()) return false;
    database_.check_read(status);
    value.assign(found.data(), found.size());
    return true;
  }
  void put(std::string_view key, std::string_view value) override {
    if (bulk_) return bulk_->put(key, value);
    check(batch_.Put(database_.family(key), slice(key), slice(value)), "be written");
  }
  void erase(std::string_view key) override {
    if (bulk_) return bulk_->erase(key);
    check(batch_.Delete(database_.family(key), slice(key)), "be written");
  }
  std::size_t cache_factor() const override { return cache_factor_; }
  // Makes everything since the last commit visible at once. Throws if it cannot.
  void commit() {
    if (bulk_) return bulk_->commit();
    database_.write(batch_);
    batch_.Clear();
  }

 private:
  Database& database_;
  rocksdb::WriteBatch batch_;
  std::unique_ptr<BulkRows> bulk_;  // null: no bulk rebuild is under way
  std::size_t cache_factor_ = 1;
};

}  // namespace ota::projections
