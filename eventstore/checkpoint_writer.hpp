// Signs what the log's proof tree has come to: every limits::kCheckpointEvents events, and when somebody asks.
//
// A checkpoint is part of the batch that holds its newest event, so that none is ahead of the log. Of those that were asked
// for, the log keeps about as many as of the others: one gives way to the next as long as no more than
// limits::kCheckpointEvents events lie between the two that then are neighbours.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "eventstore/checkpoint.hpp"
#include "eventstore/database.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// The writer's thread only.
class CheckpointWriter {
 public:
  // Continues behind the checkpoints that are there. `signer` null: nothing is signed until one is adopted.
  CheckpointWriter(const Database& database, std::shared_ptr<const Signer> signer);

  // The next checkpoint is signed by the old key and this one, all further ones by this one.
  void adopt(std::shared_ptr<const Signer> signer);
  // One is due with the group that is being made, unless the newest one holds everything.
  void ask() { asked_ = true; }

  // Call once a group, with its newest event; put() if so.
  bool is_due(Position newest);
  // `time` is that of the newest event in the tree.
  void put(const merkle::Tree& tree, Timestamp time, rocksdb::WriteBatch& batch);

 private:
  rocksdb::ColumnFamilyHandle* family_;
  std::shared_ptr<const Signer> signer_;
  std::shared_ptr<const Signer> earlier_;   // until the next checkpoint
  bool asked_ = false;
  std::uint64_t newest_ = 0;                // the size of the newest checkpoint,
  std::uint64_t before_newest_ = 0;         // and of the one before it
};

}  // namespace ota::eventstore
