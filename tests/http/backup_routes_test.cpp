// Backups over REST: asked for, listed, and refused where there is no place for them.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

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

TEST_CASE("backups that fail are seen by whoever watches over the service, until one is taken") {
  std::filesystem::path place;
  ApiStage stage(ApiStage::open_to_devices(), [&](actors::ServiceOptions& options) {
    place = options.data_directory / "backups";
    options.backup_directory = place;
  });
  const auto health = [&] { return stage.admin("GET", "/health/detailed").json(); };
  const auto metric = [&](const std::string& name) {
    const auto text = "\n" + stage.ask_as({}, "GET", "/metrics").body;
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? std::string() : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
  };
  const auto ends = [&] {
    CHECK(stage.admin("POST", "/backups").status == 202);
    return ApiStage::eventually([&] {
      const auto state = stage.admin("GET", "/backups").json();
      return state["running"] == false && state["last_ended"] != nullptr;
    });
  };
  stage.device("a");
  CHECK(health()["dependencies"]["backups"] == nlohmann::json{{"status", "healthy"}, {"newest", nullptr}, {"last_error", nullptr}});
  CHECK(metric("ota_backup_newest_timestamp_seconds") == "");
  std::ofstream(place) << "no directory";
  REQUIRE(ends());
  const auto failing = health();
  CHECK(failing["status"] == "degraded");
  CHECK(failing["dependencies"]["backups"]["status"] == "failing");
  CHECK(failing["dependencies"]["backups"]["last_error"].get<std::string>().find(place.string()) != std::string::npos);
  CHECK(metric("ota_backup_failing") == "1");
  std::filesystem::remove(place);
  REQUIRE(ends());
  REQUIRE(ApiStage::eventually([&] { return health()["status"] == "healthy"; }));
  CHECK(health()["dependencies"]["backups"]["newest"] == stage.admin("GET", "/backups").json()["backups"][0]["taken"]);
  CHECK(metric("ota_backup_failing") == "0");
  CHECK(metric("ota_backup_newest_timestamp_seconds") != "");
}

TEST_CASE("without a place for backups none is taken, and the setting is named") {
  ApiStage stage;
  const auto refused = stage.admin("POST", "/backups");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("backup.directory") != std::string::npos);
  CHECK(stage.admin("GET", "/backups").json()["backups"].empty());
  CHECK_FALSE(stage.admin("GET", "/health/detailed").json()["dependencies"].contains("backups"));
}

}  // namespace ota::http::test
