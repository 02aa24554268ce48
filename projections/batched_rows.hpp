// Rows over RocksDB: everything that a group changes goes into one batch, written at its end.
#pragma once

#include <rocksdb/write_batch.h>

#include "projections/database.hpp"
#include "projections/rows.hpp"

namespace ota::projections {

class BatchedRows final : public Rows {
 public:
  explicit BatchedRows(Database& database) : database_(database) {}

  bool get(std::string_view key, std::string& value) const override {
    rocksdb::PinnableSlice found;
    const auto status =
        database_.db().Get(rocksdb::ReadOptions(), database_.family(key), slice(key), &found);
    if (status.IsNotFound()) return false;
    check(status, "be read");
    value.assign(found.data(), found.size());
    return true;
  }
  void put(std::string_view key, std::string_view value) override {
    check(batch_.Put(database_.family(key), slice(key), slice(value)), "be written");
  }
  void erase(std::string_view key) override {
    check(batch_.Delete(database_.family(key), slice(key)), "be written");
  }
  // Makes everything since the last commit visible at once. Throws if it cannot.
  void commit() {
    database_.write(batch_);
    batch_.Clear();
  }

 private:
  Database& database_;
  rocksdb::WriteBatch batch_;
};

}  // namespace ota::projections
