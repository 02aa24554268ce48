#include "eventstore/checkpoint_writer.hpp"

#include <utility>

#include "eventstore/assert.hpp"
#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {

CheckpointWriter::CheckpointWriter(const Database& database, std::shared_ptr<const Signer> signer)
    : family_(database.family(Family::kMeta)), signer_(std::move(signer)) {
  const auto newest = read_checkpoint(database);
  if (!newest) return;
  newest_ = newest->size;
  const auto before = newest_ == 0 ? std::nullopt : read_checkpoint(database, newest_ - 1);
  if (before) before_newest_ = before->size;
}

void CheckpointWriter::adopt(std::shared_ptr<const Signer> signer) {
  if (!earlier_) earlier_ = std::move(signer_);
  signer_ = std::move(signer);
  asked_ = true;
}

bool CheckpointWriter::is_due(Position newest) {
  const bool asked = std::exchange(asked_, false);
  if (!signer_ || newest.value <= newest_) return false;
  return asked || newest.value - newest_ >= limits::kCheckpointEvents;
}

void CheckpointWriter::put(const merkle::Tree& tree, Timestamp time, rocksdb::WriteBatch& batch) {
  const Checkpoint checkpoint{signer_->origin, tree, time};
  auto note = sign_checkpoint(checkpoint, earlier_ ? earlier_->key : signer_->key);
  if (earlier_) add_signature(note, checkpoint, signer_->key);
  earlier_.reset();
  OTA_ASSERT(batch.Put(family_, checkpoint_key(tree.size), note).ok());
  if (newest_ > before_newest_ && tree.size - before_newest_ <= limits::kCheckpointEvents) {
    OTA_ASSERT(batch.Delete(family_, checkpoint_key(newest_)).ok());
  } else {
    before_newest_ = newest_;
  }
  newest_ = tree.size;
}

}  // namespace ota::eventstore
