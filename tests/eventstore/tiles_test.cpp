// The proof tree's leaves: stored with every group, joined when a tile is full, the same after any
// restart.
#include "eventstore/tiles.hpp"

#include <doctest/doctest.h>

#include <random>

#include "eventstore/keys.hpp"
#include "eventstore/log.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/record.hpp"
#include "eventstore/sha256.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

std::string hash_bytes(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// The leaf of each record, computed from the bytes on disk.
std::vector<Hash> leaves_of_records(const Database& database, Family family) {
  std::vector<Hash> leaves;
  Sha256 sha;
  const auto rows = database.iterate(family);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    leaves.push_back(leaf_of_record(sha, view(rows->value())));
  }
  return leaves;
}

std::size_t tile_rows(const Database& database) {
  std::size_t count = 0;
  const auto rows = database.iterate(Family::kTiles);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) ++count;
  return count;
}

}  // namespace

TEST_CASE("stored leaves are those of the records, in groups of any size and across restarts") {
  Store store;
  std::mt19937 random(3);
  std::uint64_t head = 0;
  while (head < 1'200) {
    store.clock.set(static_cast<std::int64_t>(1'000'000 + head));
    const std::uint64_t appends = 1 + random() % 40;
    for (std::uint64_t i = 0; i < appends; ++i) {
      Append append;
      for (unsigned n = 0; n <= random() % 7; ++n) {
        append.events.push_back(event("s", {"t"}, std::to_string(random())));
      }
      head += append.events.size();
      store.journal->append(std::move(append), {});
    }
    wait_for_all(*store.journal);
    if (random() % 5 == 0) store.reopen();
  }
  std::vector<Hash> stored;
  for (std::uint64_t position = 1; position <= head; ++position) {
    const auto leaf = store.log->leaf_hash({position});
    REQUIRE(leaf);
    stored.push_back(*leaf);
  }
  CHECK_FALSE(store.log->leaf_hash({0}));
  CHECK_FALSE(store.log->leaf_hash({head + 1}));
  CHECK_FALSE(store.log->leaf_hash({UINT64_MAX}));
  store.close();

  const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
  CHECK(leaves_of_records(*database, Family::kLog) == stored);
  CHECK(leaves_of_records(*database, Family::kStreams) == stored);  // one stream: the same order
  CHECK(count_leaves(*database) == head);
  // Full tiles are one row each.
  for (std::uint64_t tile = 0; tile < head / 256; ++tile) {
    const TileRows rows = read_tile(*database, tile);
    CHECK(rows.rows.size() == 1);
    CHECK(rows.hashes.size() == 256 * sizeof(Hash));
    CHECK(rows.hashes.substr(0, sizeof(Hash)) == hash_bytes(stored[tile * 256]));
  }
}

TEST_CASE("a group of one event adds one row, and the 256th joins them") {
  Store store;
  for (int i = 0; i < 255; ++i) commit(*store.journal, append("s"));
  store.close();
  {
    const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
    CHECK(tile_rows(*database) == 255);
  }
  store.reopen();
  commit(*store.journal, append("s"));
  store.close();
  {
    const auto database = Database::open(store.directory.path(), std::make_shared<Head>(), nullptr);
    CHECK(tile_rows(*database) == 2);  // and its root, above
    CHECK(count_hashes(*database, 1) == 1);
    CHECK(count_leaves(*database) == 256);
  }
  store.reopen();
  commit(*store.journal, append("s"));
  CHECK(store.log->leaf_hash({256}));
  CHECK(store.log->leaf_hash({257}));
  CHECK_FALSE(store.log->leaf_hash({258}));
}

// Three levels, which no test could fill event by event.
TEST_CASE("the stored tree has the roots and the paths of its leaves, whatever its size, and across restarts") {
  TempDir directory;
  const auto database = Database::open(directory.path(), std::make_shared<Head>(), nullptr);
  std::mt19937 random(7);
  Sha256 sha;
  merkle::Builder builder;
  std::vector<Hash> leaves;
  auto writer = std::make_unique<TileWriter>(*database);
  const auto grow_to = [&](std::uint64_t size) {
    while (leaves.size() < size) {
      rocksdb::WriteBatch batch;
      const std::uint64_t end = std::min<std::uint64_t>(size, leaves.size() + 1 + random() % 256);
      while (leaves.size() < end) {
        leaves.push_back(sha.hash(std::to_string(leaves.size())));
        builder.add(leaves.back());
        writer->add(leaves.back(), batch);
      }
      writer->end_group(batch);
      REQUIRE(database->db().Write({}, &batch).ok());
      if (random() % 50 == 0) writer = std::make_unique<TileWriter>(*database);
    }
  };
  const auto rows = [&] {
    std::vector<std::pair<std::string, std::string>> all;
    const auto at = database->iterate(Family::kTiles);
    for (at->SeekToFirst(); at->Valid(); at->Next()) all.emplace_back(view(at->key()), view(at->value()));
    return all;
  };
  for (const std::uint64_t size : {1, 2, 255, 256, 257, 511, 512, 4'097, 65'535, 65'536, 65'537, 66'000, 131'072, 140'001}) {
    CAPTURE(size);
    grow_to(size);
    StoredTree tree(*database);
    const merkle::Subtrees subtrees = [&](unsigned height, std::uint64_t index) { return tree.subtree(height, index); };
    const merkle::Tree now{size, builder.root()};
    REQUIRE(merkle::root(sha, size, subtrees) == now.root);
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t leaf = random() % size;
      CHECK(merkle::proves_inclusion(sha, leaves[leaf], leaf, size, merkle::inclusion_path(sha, leaf, size, subtrees), now.root));
      const merkle::Tree earlier{1 + leaf, merkle::root(sha, 1 + leaf, subtrees)};
      CHECK(merkle::proves_consistency(sha, earlier, now, merkle::consistency_path(sha, earlier.size, size, subtrees)));
    }
    CHECK_THROWS_AS(merkle::root(sha, size + 1, subtrees), LogError);
  }
  CHECK(count_hashes(*database, 1) == 140'001 / 256);
  CHECK(count_hashes(*database, 2) == 2);

  SUBCASE("a log without the levels above the leaves gets them") {
    const auto all = rows();
    REQUIRE(database->db().DeleteRange({}, database->family(Family::kTiles), TileKey{1, 0, 0}.bytes(), TileKey{9, 0, 0}.bytes()).ok());
    REQUIRE(count_hashes(*database, 1) == 0);
    TileWriter anew(*database);
    CHECK(count_hashes(*database, 1) == 140'001 / 256);
    grow_to(leaves.size());
    StoredTree tree(*database);
    CHECK(merkle::root(sha, leaves.size(), [&](unsigned height, std::uint64_t index) { return tree.subtree(height, index); }) ==
          builder.root());
    CHECK(rows().front() == all.front());
  }
}

TEST_CASE("the keys of the families are for ever") {
  CHECK(hex(log_key({0x0102})) == "0000000000000102");
  CHECK(hex(name_key("a", {3})) ==
        "82a2a958a9bece5b"
        "61"
        "0000000000000003");
  CHECK(hex(TileKey{0, 2, 255}.bytes()) ==
        "00"
        "0000000000000002"
        "ff");
}
