#include "tools/otad/secret_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

namespace ota::tools {
namespace {

struct Folder {
  Folder() { std::filesystem::remove_all(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path = std::filesystem::temp_directory_path() / "ota-secret-file-test";
};

TEST_CASE("the secret is made once, and read from then on") {
  const Folder folder;
  const auto file = folder.path / "keys" / "secret";
  const auto first = secret_of(file, 32);
  CHECK(first.size() == 32);
  CHECK(first != std::string(32, '\0'));
  CHECK(secret_of(file, 32) == first);
  const Folder other;
  CHECK(secret_of(other.path / "secret", 32) != first);
}

TEST_CASE("the secret is its owner's alone") {
  const Folder folder;
  secret_of(folder.path / "secret", 32);
  struct stat about {};
  REQUIRE(stat((folder.path / "secret").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("a secret that is too short is not filled up: the tokens made of it would all be other ones") {
  const Folder folder;
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path / "secret") << "short";
  CHECK_THROWS_WITH_AS(secret_of(folder.path / "secret", 32), doctest::Contains("5 bytes"), std::runtime_error);
}

}  // namespace
}  // namespace ota::tools
