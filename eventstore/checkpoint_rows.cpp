#include "eventstore/checkpoint_rows.hpp"

#include "eventstore/bytes.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kPrefix = "checkpoint";

// Empty where the rows of checkpoints end.
std::optional<CheckpointRow> row_at(const rocksdb::Iterator& rows) {
  check(rows.status(), "read its checkpoints");
  if (!rows.Valid()) return std::nullopt;
  const auto key = view(rows.key());
  if (!key.starts_with(kPrefix)) return std::nullopt;
  if (key.size() != kPrefix.size() + sizeof(std::uint64_t)) throw LogError("the log has a checkpoint with a damaged key");
  return CheckpointRow{load_be64(key.data() + kPrefix.size()), std::string(view(rows.value()))};
}

}  // namespace

std::string checkpoint_key(std::uint64_t size) {
  std::string key(kPrefix);
  append_be64(key, size);
  return key;
}

std::optional<CheckpointRow> read_checkpoint(const Database& database, std::uint64_t size_at_most) {
  const auto rows = database.iterate(Family::kMeta);
  rows->SeekForPrev(checkpoint_key(size_at_most));
  return row_at(*rows);
}

void read_checkpoints(const Database& database, std::uint64_t size, const std::function<bool(const CheckpointRow&)>& visit,
                      const rocksdb::Snapshot* at) {
  if (size == UINT64_MAX) return;
  const auto rows = database.iterate(Family::kMeta, /*fill_cache=*/false, at);
  for (rows->Seek(checkpoint_key(size + 1));; rows->Next()) {
    const auto row = row_at(*rows);
    if (!row || !visit(*row)) return;
  }
}

}  // namespace ota::eventstore
