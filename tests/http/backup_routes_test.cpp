// Backups over REST: asked for, listed, and refused where there is no place for them.
#include <doctest/doctest.h>

#include "tests/http/api_stage.hpp"

namespace ota::http::test {

TEST_CASE("a backup is asked for and listed") {
  ApiStage stage(ApiStage::open_to_devices(),
                 [](actors::ServiceOptions& options) { options.backup_directory = options.data_directory / "backups"; });
  stage.device("a");
  CHECK(stage.admin("GET", "/backups").json()["backups"].empty());
  CHECK(stage.admin("POST", "/backups").status == 202);
  const auto taken = [&] {
    const auto state = stage.admin("GET", "/backups").json();
    return state["running"] == false && state["backups"].size() == 1;
  };
  REQUIRE(ApiStage::eventually(taken));
  const auto state = stage.admin("GET", "/backups").json();
  CHECK(state["last_error"] == nullptr);
  CHECK(state["backups"][0]["id"] == 1);
  CHECK(state["backups"][0]["head"] == stage.service().log().head().value);
}

TEST_CASE("without a place for backups none is taken, and the setting is named") {
  ApiStage stage;
  const auto refused = stage.admin("POST", "/backups");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("backup.directory") != std::string::npos);
  CHECK(stage.admin("GET", "/backups").json()["backups"].empty());
}

}  // namespace ota::http::test
