// Views of a stopped service: verified and rebuilt where they stand, and in which folder they are.
#include "projections/rebuild.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "projections/row_folders.hpp"
#include "projections/schema.hpp"
#include "tests/projections/scene.hpp"

namespace ota::projections {
namespace {

using namespace testing;
namespace fs = std::filesystem;

TEST_CASE("views of a stopped service are verified where they stand, and rebuilt to the head") {
  domain::Settings settings;
  settings.version_attribute = "sw";
  settings.success_grace = minutes(3);
  Scene scene(settings);
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  scene.read.story.begin(update(2), 2);
  scene.catch_up();
  const auto found = verify_at_rest(copy.path(), scene.log.log(), kToTheEnd);
  REQUIRE(found);
  CHECK(found->equal());
  CHECK(found->position.value == scene.read.story.events().size() - 1);
  CHECK(rebuild_at_rest(copy.path(), scene.log.log(), kToTheEnd));
  CHECK(folders_in(copy.path()) == std::vector<std::string>{"rows-1"});
  const auto views = Views::open(copy.path(), settings);
  CHECK(views->position() == scene.views().position());
  CHECK(views->digest() == scene.views().digest());
}

TEST_CASE("views at rest are refused with a sentence: in use, missing, ahead, of another version") {
  Scene scene;
  CHECK_THROWS_WITH_AS(verify_at_rest(scene.read.directory(), scene.log.log(), kToTheEnd), doctest::Contains("are in use"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(rebuild_at_rest(scene.read.directory(), scene.log.log(), kToTheEnd), doctest::Contains("are in use"),
                       std::runtime_error);
  const TempDir nothing;
  CHECK_THROWS_WITH_AS(rebuild_at_rest(nothing.path(), scene.log.log(), kToTheEnd), doctest::Contains("there are no views in"),
                       std::runtime_error);
  CHECK(fs::is_empty(nothing.path()));
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  const LogOfStory empty;
  CHECK_THROWS_WITH_AS(verify_at_rest(copy.path(), empty.log(), kToTheEnd), doctest::Contains("but the log ends at 0"),
                       std::runtime_error);
  change_row(copy.path() / "rows", meta_key(kSchemaRow), "9\nfirmware_version\n1\n");
  CHECK_THROWS_WITH_AS(rebuild_at_rest(copy.path(), scene.log.log(), kToTheEnd), doctest::Contains("are of another version"),
                       std::runtime_error);
}

TEST_CASE("views that cannot be locked are refused for what hinders it, and are not said to be in use") {
  Scene scene;
  const TempDir copy;
  scene.read.restart_and_copy_to(copy.path());
  const auto lock = copy.path() / "rows" / "LOCK";
  fs::remove(lock);
  fs::create_directory(lock);  // as one that may not be opened, for whoever runs this
  for (const bool rebuilds : {false, true}) {
    std::string why;
    try {
      if (rebuilds) (void)rebuild_at_rest(copy.path(), scene.log.log(), kToTheEnd);
      else (void)verify_at_rest(copy.path(), scene.log.log(), kToTheEnd);
    } catch (const std::runtime_error& error) {
      why = error.what();
    }
    CHECK(why.starts_with("the views in " + (copy.path() / "rows").string() + " cannot be locked"));
    CHECK(why.find(lock.string() + ": Is a directory") != std::string::npos);
    CHECK(why.find("in use") == std::string::npos);
  }
}

TEST_CASE("the folder that counts is the one that was named last, and any other goes") {
  const TempDir directory;
  const RowFolders folders(directory.path());
  CHECK(folders.current().filename() == "rows");
  for (const auto* name : {"rows", "rows-1", "rows-7", "rows-", "rows-x", "bulk", "artifacts"}) fs::create_directory(directory.path() / name);
  CHECK(folders.vacant().filename() == "rows-2");
  folders.make_current(directory.path() / "rows-7");
  CHECK(folders.current().filename() == "rows-7");
  folders.delete_others();
  CHECK(folders_in(directory.path()) == std::vector<std::string>{"artifacts", "rows-", "rows-7", "rows-x"});
  // A pointer that says nothing of use, as after a fault of the disk.
  std::ofstream(directory.path() / "current") << "../log\n";
  CHECK(folders.current().filename() == "rows");
  CHECK_THROWS_WITH_AS(RowFolders(directory.path() / "not there").make_current("rows-1"), doctest::Contains("cannot be opened"),
                       std::runtime_error);
}

TEST_CASE("a schema tells with which settings its rows were folded") {
  domain::Settings settings;
  settings.version_attribute = "sw";
  settings.success_grace = seconds(90);
  const auto read = settings_in(schema_of(settings));
  REQUIRE(read);
  CHECK(schema_of(*read) == schema_of(settings));
  CHECK(read->version_attribute == "sw");
  for (const auto* other : {"", "10", "9\nfirmware_version\n1\n", "10\nfirmware_version\nsoon\n"}) CHECK_FALSE(settings_in(other));
}

}  // namespace
}  // namespace ota::projections
