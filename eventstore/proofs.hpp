// What the log can prove of itself: the tree over its events, paths in it, and the checkpoints that were signed.
//
// A path is worth something to who knows the root at its other end, from a checkpoint that they keep or trust
// (merkle::proves_inclusion, merkle::proves_consistency). Safe from any thread, beside the journal; everything throws LogError
// if the log cannot be read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/log.hpp"
#include "eventstore/merkle.hpp"

namespace ota::eventstore {

class Database;

class Proofs {
 public:
  explicit Proofs(std::shared_ptr<const Log> log);

  // The tree of the first `size` events; `size` is at most the head.
  merkle::Tree tree(std::uint64_t size) const;
  // The event at `position` is leaf position - 1 of the tree of `size` events, and 1 <= position <= size <= head.
  std::vector<Hash> inclusion(Position position, std::uint64_t size) const;
  // `from` <= `to` <= head.
  std::vector<Hash> consistency(std::uint64_t from, std::uint64_t to) const;
  // The bytes that an event's leaf is made of (record.hpp); empty if there is none.
  std::optional<std::string> record(Position position) const;

  // The newest note that was signed of a tree of at most `size` events; empty if none was.
  std::optional<std::string> checkpoint(std::uint64_t size_at_most = UINT64_MAX) const;
  // Visits the notes of larger trees than `size`, the smallest first, until it is told to stop.
  void checkpoints(std::uint64_t size, const std::function<bool(std::uint64_t size, std::string_view note)>& visit) const;

 private:
  const Database& database() const;

  std::shared_ptr<const Log> log_;
};

}  // namespace ota::eventstore
