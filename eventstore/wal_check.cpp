#include "eventstore/wal_check.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>

#include "eventstore/database.hpp"
#include "eventstore/keys.hpp"

namespace ota::eventstore {
namespace {

// The newest event among the rows of a batch; 0: none.
class NewestEvent final : public rocksdb::WriteBatch::Handler {
 public:
  explicit NewestEvent(std::uint32_t log_family) : log_family_(log_family) {}
  Position newest() const { return newest_; }

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice&) override {
    if (family == log_family_ && key.size() == kPositionBytes) newest_ = std::max(newest_, Position{load_be64(key.data())});
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }

 private:
  std::uint32_t log_family_;
  Position newest_;
};

}  // namespace

void WalCheck::ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& log_numbers,
                                        const std::map<std::string, std::uint32_t>& family_ids) {
  first_file_ = UINT64_MAX;
  for (const auto& [family, number] : log_numbers) first_file_ = std::min(first_file_, number);
  const auto found = family_ids.find(kFamilyNames[static_cast<std::size_t>(Family::kLog)]);
  if (found != family_ids.end()) log_family_ = found->second;
}

rocksdb::WalFilter::WalProcessingOption WalCheck::LogRecordFound(unsigned long long, const std::string&,
                                                                 const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*, bool*) {
  std::uint64_t sequence = 0;  // a batch begins with it, little endian
  std::memcpy(&sequence, batch.Data().data(), sizeof sequence);
  const bool fits = !next_ || sequence == *next_;
  next_ = sequence + batch.Count();
  has_hole_ = has_hole_ || !fits;
  if (on_hole_ == OnHole::kRefuse) {
    return has_hole_ ? WalProcessingOption::kCorruptedRecord : WalProcessingOption::kContinueProcessing;
  }
  if (has_hole_) return WalProcessingOption::kContinueProcessing;
  NewestEvent events(log_family_);
  batch.Iterate(&events).PermitUncheckedError();
  newest_before_hole_ = std::max(newest_before_hole_, events.newest());
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace ota::eventstore
