#include "gateways/nats/cursor.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/gateways/nats_support.hpp"

using namespace ota;
using gateways::nats::Cursor;
using gateways::testing::TempFolder;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("a new cursor stands before the first event, and makes its folder") {
  const TempFolder folder;
  const Cursor cursor(folder.path() / "data" / "bus");
  CHECK(cursor.position() == domain::Position{0});
  CHECK(std::filesystem::is_directory(folder.path() / "data" / "bus"));
}

TEST_CASE("a cursor is found again where it was moved to") {
  const TempFolder folder;
  Cursor cursor(folder.path());
  cursor.move_to({41});
  cursor.move_to({UINT64_MAX});
  CHECK(Cursor(folder.path()).position() == domain::Position{UINT64_MAX});
  cursor.move_to({7});
  CHECK(cursor.position() == domain::Position{7});
  CHECK(Cursor(folder.path()).position() == domain::Position{7});
}

TEST_CASE("what a crash left beside the cursor is not the cursor") {
  const TempFolder folder;
  Cursor(folder.path()).move_to({41});
  write(folder.path() / "cursor.new", "9");
  Cursor cursor(folder.path());
  CHECK(cursor.position() == domain::Position{41});
  cursor.move_to({42});
  CHECK(Cursor(folder.path()).position() == domain::Position{42});
}

TEST_CASE("a damaged cursor is refused with its path") {
  for (const auto* text :
       {"", "\n", "12", "12 \n", "-1\n", "x\n", "12\n13\n", "18446744073709551616\n"}) {
    CAPTURE(text);
    const TempFolder folder;
    write(folder.path() / "cursor", text);
    CHECK_THROWS_WITH_AS(Cursor(folder.path()),
                         doctest::Contains((folder.path() / "cursor").c_str()), std::runtime_error);
  }
}

TEST_CASE("a cursor that cannot be written says so and has not moved") {
  const TempFolder folder;
  Cursor cursor(folder.path() / "bus");
  cursor.move_to({1});
  std::filesystem::remove_all(folder.path() / "bus");
  CHECK_THROWS_WITH_AS(cursor.move_to({2}), doctest::Contains("cursor.new"), std::runtime_error);
  CHECK(cursor.position() == domain::Position{1});
}
