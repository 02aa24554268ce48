#include "eventstore/proofs.hpp"

#include <utility>

#include "eventstore/assert.hpp"
#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/tiles.hpp"

namespace ota::eventstore {
namespace {

merkle::Subtrees subtrees_of(StoredTree& tree) {
  return [&tree](unsigned height, std::uint64_t index) { return tree.subtree(height, index); };
}

}  // namespace

Proofs::Proofs(std::shared_ptr<const Log> log) : log_(std::move(log)) {}

const Database& Proofs::database() const { return *log_->impl_->database; }

merkle::Tree Proofs::tree(std::uint64_t size) const {
  OTA_ASSERT(size <= log_->head().value);
  StoredTree stored(database());
  Sha256 sha;
  return {size, merkle::root(sha, size, subtrees_of(stored))};
}

std::vector<Hash> Proofs::inclusion(Position position, std::uint64_t size) const {
  OTA_ASSERT(position.value >= 1 && position.value <= size && size <= log_->head().value);
  StoredTree stored(database());
  Sha256 sha;
  return merkle::inclusion_path(sha, position.value - 1, size, subtrees_of(stored));
}

std::vector<Hash> Proofs::consistency(std::uint64_t from, std::uint64_t to) const {
  OTA_ASSERT(from <= to && to <= log_->head().value);
  StoredTree stored(database());
  Sha256 sha;
  return merkle::consistency_path(sha, from, to, subtrees_of(stored));
}

std::optional<std::string> Proofs::record(Position position) const {
  rocksdb::PinnableSlice record;
  if (!database().get(Family::kLog, log_key(position), record)) return std::nullopt;
  return std::string(view(record));
}

std::optional<std::string> Proofs::checkpoint(std::uint64_t size_at_most) const {
  auto row = read_checkpoint(database(), size_at_most);
  return row ? std::optional(std::move(row->note)) : std::nullopt;
}

void Proofs::checkpoints(std::uint64_t size,
                         const std::function<bool(std::uint64_t size, std::string_view note)>& visit) const {
  read_checkpoints(database(), size, [&](const CheckpointRow& row) { return visit(row.size, row.note); });
}

}  // namespace ota::eventstore
