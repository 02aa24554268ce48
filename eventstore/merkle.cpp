#include "eventstore/merkle.hpp"

#include <bit>
#include <cstring>

#include "eventstore/assert.hpp"

namespace ota::eventstore::merkle {
namespace {

// The leaves [begin, end) of the tree: as a subtree of it is, begin is a multiple of the power of two that holds them.
struct Range {
  std::uint64_t begin;
  std::uint64_t end;

  std::uint64_t size() const { return end - begin; }
  // The largest power of two below the size, which is at least 2.
  std::uint64_t split() const { return std::bit_floor(size() - 1); }
  Range left() const { return {begin, begin + split()}; }
  Range right() const { return {begin + split(), end}; }
};

class Paths {
 public:
  Paths(Sha256& sha, const Subtrees& subtrees) : sha_(sha), subtrees_(subtrees) {}

  Hash hash(const Range& range) const {
    if (std::has_single_bit(range.size())) {
      const auto height = static_cast<unsigned>(std::countr_zero(range.size()));
      return subtrees_(height, range.begin >> height);
    }
    return node(sha_, hash(range.left()), hash(range.right()));
  }
  // PATH(m, D[n])
  void to_leaf(std::uint64_t leaf, const Range& range, std::vector<Hash>& path) const {
    if (range.size() == 1) return;
    const bool is_left = leaf < range.right().begin;
    to_leaf(leaf, is_left ? range.left() : range.right(), path);
    path.push_back(hash(is_left ? range.right() : range.left()));
  }
  // SUBPROOF(m, D[n], b): `known` as long as the first m leaves may still be a tree that the other side knows.
  void to_tree(std::uint64_t end, const Range& range, bool known, std::vector<Hash>& path) const {
    if (end == range.end) {
      if (!known) path.push_back(hash(range));
      return;
    }
    if (end <= range.right().begin) {
      to_tree(end, range.left(), known, path);
      path.push_back(hash(range.right()));
    } else {
      to_tree(end, range.right(), false, path);
      path.push_back(hash(range.left()));
    }
  }

 private:
  Sha256& sha_;
  const Subtrees& subtrees_;
};

}  // namespace

Hash node(Sha256& sha, const Hash& left, const Hash& right) {
  char bytes[1 + 2 * sizeof(Hash)];
  bytes[0] = 0x01;
  std::memcpy(bytes + 1, left.data(), left.size());
  std::memcpy(bytes + 1 + left.size(), right.data(), right.size());
  return sha.hash({bytes, sizeof bytes});
}

Hash root(Sha256& sha, std::uint64_t size, const Subtrees& subtrees) {
  if (size == 0) return sha.hash({});
  return Paths(sha, subtrees).hash({0, size});
}

std::vector<Hash> inclusion_path(Sha256& sha, std::uint64_t leaf, std::uint64_t size, const Subtrees& subtrees) {
  OTA_ASSERT(leaf < size);
  std::vector<Hash> path;
  Paths(sha, subtrees).to_leaf(leaf, {0, size}, path);
  return path;
}

std::vector<Hash> consistency_path(Sha256& sha, std::uint64_t from, std::uint64_t to, const Subtrees& subtrees) {
  OTA_ASSERT(from <= to);
  std::vector<Hash> path;
  if (from > 0 && from < to) Paths(sha, subtrees).to_tree(from, {0, to}, true, path);
  return path;
}

namespace {

// The way from a leaf up to the root, of a tree whose last leaf is `last`: a step for each hash of a proof (RFC 9162, 2.1.3.2).
struct Climb {
  std::uint64_t at;
  std::uint64_t last;

  bool is_at_root() const { return last == 0; }
  void up() {
    at /= 2;
    last /= 2;
  }
  // Whether the hash that the proof has for this step stands on the left.
  bool step() {
    const bool left = at % 2 == 1 || at == last;
    while (left && at % 2 == 0 && at != 0) up();
    up();
    return left;
  }
};

}  // namespace

bool proves_inclusion(Sha256& sha, const Hash& hash, std::uint64_t leaf, std::uint64_t size, std::span<const Hash> path,
                      const Hash& root) {
  if (leaf >= size) return false;
  Climb climb{leaf, size - 1};
  Hash reached = hash;
  for (const auto& neighbour : path) {
    if (climb.is_at_root()) return false;
    reached = climb.step() ? node(sha, neighbour, reached) : node(sha, reached, neighbour);
  }
  return climb.is_at_root() && reached == root;
}

bool proves_consistency(Sha256& sha, const Tree& earlier, const Tree& later, std::span<const Hash> path) {
  if (earlier.size > later.size) return false;
  if (earlier.size == later.size) return path.empty() && earlier.root == later.root;
  if (earlier.size == 0) return path.empty() && earlier.root == sha.hash({});
  Climb climb{earlier.size - 1, later.size - 1};
  while (climb.at % 2 == 1) climb.up();
  // A complete tree is its own first node.
  Hash first = earlier.root;
  if (!std::has_single_bit(earlier.size)) {
    if (path.empty()) return false;
    first = path.front();
    path = path.subspan(1);
  }
  Hash to_earlier = first;
  Hash to_later = first;
  for (const auto& neighbour : path) {
    if (climb.is_at_root()) return false;
    if (climb.step()) {
      to_earlier = node(sha, neighbour, to_earlier);
      to_later = node(sha, neighbour, to_later);
    } else {
      to_later = node(sha, to_later, neighbour);
    }
  }
  return climb.is_at_root() && to_earlier == earlier.root && to_later == later.root;
}

void Builder::add(const Hash& leaf) {
  Hash reached = leaf;
  for (std::uint64_t bits = size_; bits % 2 == 1; bits /= 2) {
    reached = node(sha_, complete_.back(), reached);
    complete_.pop_back();
  }
  complete_.push_back(reached);
  ++size_;
}

Hash Builder::root() const {
  if (complete_.empty()) return sha_.hash({});
  Hash reached = complete_.back();
  for (std::size_t i = complete_.size() - 1; i > 0; --i) reached = node(sha_, complete_[i - 1], reached);
  return reached;
}

}  // namespace ota::eventstore::merkle
