// Rows of a bulk rebuild: found wherever they are, and in the database at the end as if they had been written one by one.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "projections/batched_rows.hpp"
#include "projections/bulk_rows.hpp"
#include "projections/keys.hpp"
#include "projections/reader.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

std::string row_key(std::uint32_t n) {
  return key_in(n % 2 == 0 ? Table::kUpdate : Table::kDeviceHistory).u32(n).take();
}

TEST_CASE("rows in memory are the newest, whether they grow, shrink, go or come back") {
  RowMemory rows;
  std::string value;
  CHECK(rows.find("key", value) == RowMemory::Found::kNothing);
  for (const std::string text : {"short", "", "much longer than what was there before", "short again"}) {
    rows.put("key", text);
    CHECK(rows.find("key", value) == RowMemory::Found::kRow);
    CHECK(value == text);
  }
  rows.erase("key");
  CHECK(rows.find("key", value) == RowMemory::Found::kGone);
  rows.put("key", "back");
  rows.put("a", std::string(3'000'000, 'x'));
  REQUIRE(rows.sorted().size() == 2);
  CHECK(rows.sorted()[0].key == "a");
  CHECK(rows.sorted()[1].value == "back");
}

TEST_CASE("rows in memory are in the order of their keys, whatever those have in common") {
  std::minstd_rand random(3);
  std::set<std::string> keys{"", std::string(1, '\0'), std::string(9, '\0'), std::string(17, '\0'), "a", std::string("a\0", 2)};
  for (int n = 0; n < 3'000; ++n) {
    // Of few bytes, so that many begin alike, many are part of another, and many differ in zeros alone.
    std::string key(random() % 30, '\0');
    for (auto& byte : key) byte = random() % 3 == 0 ? static_cast<char>(random() % 2 == 0 ? 0xff : 1) : '\0';
    keys.insert(std::move(key));
  }
  std::vector<std::string> shuffled(keys.begin(), keys.end());
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  RowMemory rows;
  for (const auto& key : shuffled) rows.put(key, "of " + key);
  const auto sorted = rows.sorted();
  REQUIRE(sorted.size() == keys.size());
  CHECK(std::equal(sorted.begin(), sorted.end(), keys.begin(), [](const auto& row, const auto& key) { return row.key == key; }));
  CHECK(std::all_of(sorted.begin(), sorted.end(), [](const auto& row) { return row.value == "of " + std::string(row.key); }));
}

TEST_CASE("a bulk rebuild takes what the machine has: least on a small one, no more than it has use for on a large one") {
  const auto least = bulk_size(0);
  const auto most = bulk_size(std::uint64_t{1} << 40);
  const auto some = bulk_size(std::uint64_t{1} << 31);
  CHECK(least.cache_factor == 1);
  CHECK(least.group_events < some.group_events);
  CHECK(some.group_events < most.group_events);
  CHECK(least.rows_bytes < some.rows_bytes);
  CHECK(some.rows_bytes < most.rows_bytes);
  CHECK(some.cache_factor > 1);
  CHECK(some.cache_factor < most.cache_factor);
  CHECK(available_memory() > (std::uint64_t{1} << 20));
}

TEST_CASE("a bulk rebuild ends with the rows that single writes would have left, however often it writes") {
  for (const std::size_t bytes_max : {std::size_t{1}, std::size_t{3} << 20, std::size_t{1} << 30}) {
    CAPTURE(bytes_max);
    const TempDir directory;
    const auto database = Database::open(directory.path());
    BatchedRows rows(*database);
    rows.put(row_key(7), "from before");
    rows.put(row_key(8), "from before");
    rows.commit();
    std::map<std::string, std::string> expected{{row_key(7), "from before"}, {row_key(8), "from before"}};
    std::minstd_rand random(1);
    rows.begin_bulk({1, bytes_max, 1});
    for (int group = 0; group < 30; ++group) {
      for (int i = 0; i < 2'000; ++i) {
        const auto key = row_key(static_cast<std::uint32_t>(random() % 20'000));
        if (random() % 4 == 0) {
          rows.erase(key);
          expected.erase(key);
        } else {
          expected[key] = std::string(random() % 100, static_cast<char>('a' + random() % 26));
          rows.put(key, expected[key]);
        }
      }
      rows.commit();
      for (int i = 0; i < 200; ++i) {
        const auto key = row_key(static_cast<std::uint32_t>(random() % 20'000));
        std::string value;
        const bool found = rows.get(key, value);
        const auto known = expected.find(key);
        REQUIRE(found == (known != expected.end()));
        if (found) REQUIRE(value == known->second);
      }
    }
    rows.end_bulk();
    const Reader reader(*database);
    std::map<std::string, std::string> left;
    for (const Table table : {Table::kUpdate, Table::kDeviceHistory}) {
      const auto prefix = key_in(table).take();
      for (Range range(reader, prefix); range.valid(); range.next()) left[prefix + std::string(range.rest())] = range.value();
    }
    CHECK(left == expected);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "bulk"));
  }
}

TEST_CASE("behind a table that could not be written none is taken any more: the rows would have a hole") {
  const TempDir directory;
  const auto database = Database::open(directory.path() / "rows");
  {
    BulkRows rows(*database, 1);
    std::filesystem::remove_all(directory.path() / "bulk");
    rows.put(row_key(1), "lost");
    rows.commit();                          // begins to write, where nothing can be written
    rows.put(row_key(2), "behind it");
    CHECK_THROWS_AS(rows.commit(), std::runtime_error);
    std::filesystem::create_directories(directory.path() / "bulk");
    CHECK_THROWS_AS(rows.commit(), std::runtime_error);
    CHECK_THROWS_AS(rows.finish(), std::runtime_error);
  }
  const Reader reader(*database);
  rocksdb::PinnableSlice value;
  CHECK_FALSE(reader.get(row_key(1), value));
  CHECK_FALSE(reader.get(row_key(2), value));
}

}  // namespace
}  // namespace ota::projections
