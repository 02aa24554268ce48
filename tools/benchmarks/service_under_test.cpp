#include "tools/benchmarks/service_under_test.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/benchmarks/device_plans.hpp"

namespace ota::bench {
namespace {

using nlohmann::json;

constexpr const char* kBase = "/api/v1/ota";
constexpr std::size_t kConnections = 64;
constexpr std::size_t kFirmwareBytes = 64 * 1024;

json checked(const httplib::Result& result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + httplib::to_string(result.error()));
  if (result->status / 100 != 2) {
    throw std::runtime_error(fmt::format("{}: status {}: {}", what, result->status, result->body));
  }
  return json::parse(result->body);
}

httplib::Client client_of(int port) {
  constexpr time_t kTimeoutS = 60;
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(kTimeoutS);
  client.set_tcp_nodelay(true);
  return client;
}

json post(int port, const std::string& path, const std::string& body, const std::string& type) {
  auto client = client_of(port);
  return checked(client.Post(kBase + path, body, type), "POST " + path);
}

}  // namespace

FirmwareForm::FirmwareForm(const std::string& version) {
  const std::string boundary = "bench-2f7c61d09b";
  const json metadata{{"name", "Bench"},
                      {"version", version},
                      {"device_model", "SF-100"},
                      {"manufacturer", "Acme"}};
  content_type = "multipart/form-data; boundary=" + boundary;
  before = fmt::format(
      "--{}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"firmware.bin\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n",
      boundary);
  after = fmt::format(
      "\r\n--{0}\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{1}\r\n--{0}--\r\n",
      boundary, metadata.dump());
}

void ServiceUnderTest::register_devices(std::size_t count) {
  StepsPlan plan(0, count, kConnections, {Step::kPoll, Step::kConfigData});
  run_load({.port = port(), .connections = kConnections}, plan);
}

void ServiceUnderTest::start_campaign(std::size_t devices) {
  json targets = json::array();
  for (std::size_t device = 0; device < devices; ++device) targets.push_back(device_name(device));
  const std::string campaign = create_campaign(json{{"name", "bench"},
                                                    {"firmware_id", upload_firmware()},
                                                    {"target_devices", std::move(targets)},
                                                    {"deployment_strategy", "immediate"},
                                                    {"max_concurrent_updates", 1'000}}
                                                   .dump());
  command(campaign, "start");
}

std::string ServiceUnderTest::upload_firmware() {
  const FirmwareForm form("2.0.0");
  const json firmware =
      post(port(), "/firmware", form.before + std::string(kFirmwareBytes, 'f') + form.after,
           form.content_type);
  return firmware.at("firmware_id").get<std::string>();
}

std::string ServiceUnderTest::create_campaign(const std::string& body) {
  return post(port(), "/campaigns", body, "application/json").at("campaign_id").get<std::string>();
}

void ServiceUnderTest::command(const std::string& campaign, const std::string& verb) {
  post(port(), "/campaigns/" + campaign + "/" + verb, R"({"reason":"measured"})",
       "application/json");
}

std::uint64_t ServiceUnderTest::log_position() {
  auto client = client_of(port());
  const json health = checked(client.Get("/health/detailed"), "GET /health/detailed");
  return health.at("dependencies").at("log").at("position").get<std::uint64_t>();
}

}  // namespace ota::bench
