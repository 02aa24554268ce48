// The proof tree's arithmetic, against the published vectors of RFC 6962 and 9162, its definition, and every small tree.
#include "eventstore/merkle.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "eventstore/sha256.hpp"

using namespace ota::eventstore;
namespace merkle = ota::eventstore::merkle;

namespace {

std::string hex(const Hash& hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : hash) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

// As the RFC defines a leaf of bytes.
Hash leaf_of(std::string_view bytes) {
  Sha256 sha;
  return sha.hash(std::string(1, '\0') + std::string(bytes));
}

std::vector<Hash> numbered_leaves(std::uint64_t count) {
  std::vector<Hash> leaves;
  for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(leaf_of(std::to_string(i)));
  return leaves;
}

// MTH(D[n]), word for word.
Hash defined_root(std::span<const Hash> leaves) {
  Sha256 sha;
  if (leaves.empty()) return sha.hash({});
  if (leaves.size() == 1) return leaves.front();
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return merkle::node(sha, defined_root(leaves.first(split)), defined_root(leaves.subspan(split)));
}

merkle::Subtrees subtrees_of(const std::vector<Hash>& leaves) {
  return [&leaves](unsigned height, std::uint64_t index) {
    const std::uint64_t size = std::uint64_t{1} << height;
    REQUIRE((index + 1) * size <= leaves.size());
    return defined_root(std::span(leaves).subspan(index * size, size));
  };
}

}  // namespace

TEST_CASE("the published trees have their roots, built leaf by leaf and from subtrees") {
  const std::array<std::string, 8> inputs{"", std::string(1, '\0'), "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43",
                                          "\x50\x51\x52\x53\x54\x55\x56\x57", "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const std::array<std::string, 9> roots{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Hash> leaves;
  for (const auto& input : inputs) leaves.push_back(leaf_of(input));
  Sha256 sha;
  merkle::Builder builder;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    CAPTURE(size);
    CHECK(builder.size() == size);
    CHECK(hex(builder.root()) == roots.at(size));
    CHECK(hex(merkle::root(sha, size, subtrees_of(leaves))) == roots.at(size));
    if (size < leaves.size()) builder.add(leaves[size]);
  }
}

TEST_CASE("every leaf of every tree is proven by its path, and by no other") {
  const auto leaves = numbered_leaves(40);
  const auto subtrees = subtrees_of(leaves);
  Sha256 sha;
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const auto root = defined_root(std::span(leaves).first(size));
    for (std::uint64_t leaf = 0; leaf < size; ++leaf) {
      CAPTURE(size);
      CAPTURE(leaf);
      auto path = merkle::inclusion_path(sha, leaf, size, subtrees);
      REQUIRE(merkle::proves_inclusion(sha, leaves[leaf], leaf, size, path, root));
      CHECK_FALSE(merkle::proves_inclusion(sha, leaves[(leaf + 1) % leaves.size()], leaf, size, path, root));
      for (std::uint64_t other = 0; other <= size; ++other) {
        if (other != leaf) CHECK_FALSE(merkle::proves_inclusion(sha, leaves[leaf], other, size, path, root));
      }
      path.push_back(root);
      CHECK_FALSE(merkle::proves_inclusion(sha, leaves[leaf], leaf, size, path, root));
      path.pop_back();
      if (path.empty()) continue;
      path.back()[7] ^= 1;
      CHECK_FALSE(merkle::proves_inclusion(sha, leaves[leaf], leaf, size, path, root));
      path.pop_back();
      CHECK_FALSE(merkle::proves_inclusion(sha, leaves[leaf], leaf, size, path, root));
    }
  }
}

TEST_CASE("every tree is proven to begin with every earlier one, and with no other") {
  const auto leaves = numbered_leaves(40);
  const auto subtrees = subtrees_of(leaves);
  const auto tree = [&](std::uint64_t size) { return merkle::Tree{size, defined_root(std::span(leaves).first(size))}; };
  Sha256 sha;
  for (std::uint64_t to = 0; to <= leaves.size(); ++to) {
    for (std::uint64_t from = 0; from <= to; ++from) {
      CAPTURE(to);
      CAPTURE(from);
      auto path = merkle::consistency_path(sha, from, to, subtrees);
      REQUIRE(merkle::proves_consistency(sha, tree(from), tree(to), path));
      if (from == 0 || from == to) {
        CHECK(path.empty());
        continue;
      }
      auto forged = tree(from);
      forged.root[0] ^= 0x80;
      CHECK_FALSE(merkle::proves_consistency(sha, forged, tree(to), path));
      auto rewritten = tree(to);
      rewritten.root[31] ^= 1;
      CHECK_FALSE(merkle::proves_consistency(sha, tree(from), rewritten, path));
      CHECK_FALSE(merkle::proves_consistency(sha, tree(from - 1), tree(to), path));
      CHECK_FALSE(merkle::proves_consistency(sha, tree(to), tree(from), path));
      path.push_back(path.back());
      CHECK_FALSE(merkle::proves_consistency(sha, tree(from), tree(to), path));
      path.pop_back();
      path.pop_back();
      CHECK_FALSE(merkle::proves_consistency(sha, tree(from), tree(to), path));
    }
  }
}
