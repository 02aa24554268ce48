// Looks over RocksDB's shoulder while it replays its write-ahead log, and does not let it pass over a hole.
//
// RocksDB checks every record by itself, and where it is told to (WALRecoveryMode::kAbsoluteConsistency) gives up at one that
// is damaged. What it does not see is what is not there: a file that is gone, one that was cut between two records, a
// block of zeros. The rows of a log are numbered without a gap, so that all of this is seen here.
#pragma once

#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "eventstore/types.hpp"

namespace ota::eventstore {

class WalCheck final : public rocksdb::WalFilter {
 public:
  enum class OnHole { kRefuse, kGoOn };
  explicit WalCheck(OnHole on_hole) : on_hole_(on_hole) {}
  const char* Name() const override { return "ota.wal_check"; }

  // The number of the first file that is replayed: those before it are not needed any more.
  std::uint64_t first_file() const { return first_file_; }
  bool has_hole() const { return has_hole_; }
  // The newest event that was replayed before the first hole; 0: none. Only with kGoOn: to look costs time.
  Position newest_before_hole() const { return newest_before_hole_; }

  void ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& log_numbers,
                                const std::map<std::string, std::uint32_t>& family_ids) override;
  WalProcessingOption LogRecordFound(unsigned long long file, const std::string& name, const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* changed, bool* is_changed) override;

 private:
  OnHole on_hole_;
  std::uint64_t first_file_ = 0;
  std::uint32_t log_family_ = UINT32_MAX;
  std::optional<std::uint64_t> next_;  // number of the next row
  bool has_hole_ = false;
  Position newest_before_hole_;
};

}  // namespace ota::eventstore
