// The verbs that stories of updates over HTTP are told with: two versions of a firmware, and what devices do.
#pragma once

#include <string>

#include "tests/http/api_stage.hpp"

namespace ota::http::test {

inline constexpr const char* kProceeding = R"({"status":{"execution":"proceeding","result":{"finished":"none"}}})";
inline constexpr const char* kDownloaded = R"({"status":{"execution":"downloaded","result":{"finished":"none"}}})";
inline constexpr const char* kSucceeded = R"({"status":{"execution":"closed","result":{"finished":"success"}}})";
inline constexpr const char* kFailed =
    R"({"status":{"execution":"closed","code":17,"result":{"finished":"failure"},"details":["no space"]}})";

struct Story {
  ApiStage stage;
  std::string v1 = stage.firmware("1.0.0");
  std::string v2 = stage.firmware("2.0.0");

  // "/campaigns/<id>" of a campaign with 2.0.0 that runs; all at once unless `fields` say otherwise.
  std::string started(const nlohmann::json& devices, nlohmann::json fields = nlohmann::json::object());
  ApiAnswer post(const std::string& path, const nlohmann::json& body = nlohmann::json::object());
  nlohmann::json get(const std::string& path) { return stage.admin("GET", path).json(); }
  bool becomes(const std::string& path, const std::string& status);
  // The device fetches what it is offered: the path of its action.
  std::string begin(const std::string& device);
  // And says this; the action's path again.
  std::string report(const std::string& device, const std::string& action, const char* feedback);
  void update(const std::string& device, const char* feedback);
  // What it says of itself.
  void says(const std::string& device, const std::string& key, const std::string& value);
  nlohmann::json links(const std::string& device);
  std::string firmware_version(const std::string& device) { return get("/devices/" + device)["firmware_version"]; }
  // Its update in a campaign.
  nlohmann::json update_of(const std::string& campaign, const std::string& device);
};

}  // namespace ota::http::test
