// Where a backup is restored to while it is verified.
#include "tools/otactl/verify_place.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

using namespace ota::ctl;
namespace fs = std::filesystem;

TEST_CASE("what a verification that was killed has left goes with the next; what is somebody else's stays, and what is read") {
  std::string made = (fs::temp_directory_path() / "ota-place-XXXXXX").string();
  REQUIRE(::mkdtemp(made.data()) != nullptr);
  const fs::path backups(made);
  fs::create_directories(backups / "otactl-verify-a1B2c3" / "log");
  for (const auto* other : {"verify-backup", "otactl-verify-notes", "otactl-verify-", "otactl-verify-a.b.c.", "log"}) fs::create_directories(backups / other);
  {
    const VerifyPlace one(backups);
    CHECK_FALSE(fs::exists(backups / "otactl-verify-a1B2c3"));
    CHECK(one.path().parent_path() == backups);
    const VerifyPlace two(backups);
    CHECK(fs::exists(one.path()));
    CHECK(one.path() != two.path());
  }
  std::size_t left = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(backups)) ++left;
  CHECK(left == 5);
  fs::remove_all(backups);
}
