// tools/otasim/credentials: who has which token.
#include "tools/otasim/credentials.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace ota::sim;

TEST_CASE("a token file has a device and its token a line") {
  const auto tokens = parse_target_tokens("sim-1 abc\n\n  sim-2\t d=e/f  \r\nsim-3 x");
  CHECK(tokens.size() == 3);
  CHECK(tokens.at("sim-1") == "abc");
  CHECK(tokens.at("sim-2") == "d=e/f");
  CHECK(tokens.at("sim-3") == "x");
  CHECK(parse_target_tokens("").empty());
}

TEST_CASE("a line that is no such pair is named") {
  CHECK_THROWS_WITH_AS(parse_target_tokens("a b\nlonely\n"), doctest::Contains("line 2"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(parse_target_tokens("a two words"), doctest::Contains("line 1"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(parse_target_tokens("a t\x01"), doctest::Contains("line 1"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(parse_target_tokens("a b\n\na c"), doctest::Contains("line 3: has another"),
                       std::runtime_error);
}

TEST_CASE("a device's own token goes before the gateway's") {
  std::string directory = (std::filesystem::temp_directory_path() / "otasim-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/tokens";
  std::ofstream{path} << "sim-1 own\n";
  const Credentials both{"shared", path};
  CHECK(both.header_of("sim-1") == "Authorization: TargetToken own\r\n");
  CHECK(both.header_of("sim-2") == "Authorization: GatewayToken shared\r\n");
  CHECK(Credentials{"", path}.header_of("sim-2").empty());
  CHECK(Credentials{"", ""}.header_of("sim-1").empty());
  std::filesystem::remove_all(directory);
  CHECK_THROWS_WITH_AS((Credentials{"", path}), doctest::Contains("cannot be read"),
                       std::runtime_error);
}
