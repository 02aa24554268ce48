// The arithmetic of the proof tree: RFC 9162, section 2.1, over leaves that are hashed already.
//
//   a node above two others = SHA-256(0x01 || left || right); the tree of no leaves = SHA-256("")
//   a tree of n leaves: left of its root the largest power of two below n, right of it the rest
//
// Complete subtrees never change as the tree grows: `Subtrees` answers their hashes from wherever
// they are kept (tiles.hpp). Everything else, roots and proofs, follows from them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "eventstore/sha256.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore::merkle {

// The hash of the complete subtree over the leaves [index << height, (index + 1) << height).
using Subtrees = std::function<Hash(unsigned height, std::uint64_t index)>;

Hash node(Sha256& sha, const Hash& left, const Hash& right);

// The root of the first `size` leaves.
Hash root(Sha256& sha, std::uint64_t size, const Subtrees& subtrees);
// The neighbours by which a leaf leads to that root, the nearest first (2.1.3.1). `leaf` < `size`.
std::vector<Hash> inclusion_path(Sha256& sha, std::uint64_t leaf, std::uint64_t size, const Subtrees& subtrees);
// The nodes by which the root of the first `from` leaves leads to that of `to` (2.1.4.1). `from` <= `to`; of nothing, and of
// two equal trees, there is nothing to show.
std::vector<Hash> consistency_path(Sha256& sha, std::uint64_t from, std::uint64_t to, const Subtrees& subtrees);

// Whether the path shows that `hash` is the leaf number `leaf` of the tree (2.1.3.2). For bytes of any origin.
bool proves_inclusion(Sha256& sha, const Hash& hash, std::uint64_t leaf, std::uint64_t size, std::span<const Hash> path,
                      const Hash& root);

struct Tree {
  std::uint64_t size = 0;
  Hash root{};
};
// Whether the path shows that the tree `later` begins with the leaves of `earlier` (2.1.4.2). For bytes of any origin.
bool proves_consistency(Sha256& sha, const Tree& earlier, const Tree& later, std::span<const Hash> path);

// A tree that is built leaf by leaf, in 32 bytes for each level. Not for two threads at once.
class Builder {
 public:
  void add(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> complete_;      // the roots of complete subtrees, one for each bit of size_, the largest first
  mutable Sha256 sha_;
};

}  // namespace ota::eventstore::merkle
