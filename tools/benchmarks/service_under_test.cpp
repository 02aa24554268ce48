#include "tools/benchmarks/service_under_test.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/firmware_bytes.hpp"

namespace ota::bench {
namespace {

using nlohmann::json;

constexpr const char* kBase = "/api/v1/ota";
constexpr std::size_t kConnections = 64;

json checked(const httplib::Result& result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + httplib::to_string(result.error()));
  if (result->status / 100 != 2) {
    throw std::runtime_error(fmt::format("{}: status {}: {}", what, result->status, result->body));
  }
  return json::parse(result->body);
}

httplib::Client client_of(int port) {
  constexpr time_t kTimeoutS = 300;
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(kTimeoutS);
  client.set_write_timeout(kTimeoutS);
  client.set_tcp_nodelay(true);
  return client;
}

json post(int port, const std::string& path, const std::string& body, const std::string& type) {
  auto client = client_of(port);
  return checked(client.Post(kBase + path, body, type), "POST " + path);
}

// multipart/form-data around a firmware's bytes.
struct FirmwareForm {
  std::string content_type;
  std::string before;  // the file's bytes
  std::string after;

  FirmwareForm() {
    const std::string boundary = "bench-2f7c61d09b";
    const json metadata{{"name", "Bench"},
                        {"version", "2.0.0"},
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
};

// The path of a link to this service.
std::string path_of(const std::string& link) {
  const auto host = link.find("://");
  const auto path = link.find('/', host == std::string::npos ? 0 : host + 3);
  if (path == std::string::npos) throw std::runtime_error("not a link with a path: " + link);
  return link.substr(path);
}

}  // namespace

void ServiceUnderTest::register_devices(std::size_t count) {
  StepsPlan plan(0, count, kConnections, {Step::kPoll, Step::kConfigData});
  run_load({.port = port(), .connections = kConnections}, plan);
}

void ServiceUnderTest::start_campaign(std::size_t devices, std::size_t firmware_bytes) {
  json targets = json::array();
  for (std::size_t device = 0; device < devices; ++device) targets.push_back(device_name(device));
  const std::string campaign = create_campaign(json{{"name", "bench"},
                                                    {"firmware_id", upload_firmware(firmware_bytes)},
                                                    {"target_devices", std::move(targets)},
                                                    {"deployment_strategy", "immediate"},
                                                    {"max_concurrent_updates", 1'000}}
                                                   .dump());
  command(campaign, "start");
}

std::string ServiceUnderTest::upload_firmware(std::size_t bytes) {
  const FirmwareForm form;
  FirmwareBytes firmware(bytes);
  const std::size_t file_end = form.before.size() + bytes;
  const auto provide = [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
    std::string_view piece;
    if (offset < form.before.size()) {
      piece = std::string_view(form.before).substr(offset);
    } else if (offset < file_end) {
      piece = firmware.take(length);
    } else {
      piece = std::string_view(form.after).substr(offset - file_end);
    }
    return sink.write(piece.data(), piece.size());
  };
  auto client = client_of(port());
  const auto result =
      client.Post("/api/v1/ota/firmware", file_end + form.after.size(), provide, form.content_type.c_str());
  return checked(result, "the upload").at("firmware_id").get<std::string>();
}

std::vector<std::string> ServiceUnderTest::begin_downloads(std::size_t count) {
  StepsPlan starting(0, count, kConnections, {Step::kPoll, Step::kDeployment});
  run_load({.port = port(), .connections = kConnections}, starting);
  auto client = client_of(port());
  std::vector<std::string> paths;
  for (std::size_t device = 0; device < count; ++device) {
    const auto path = fmt::format("{}/deploymentBase/{}", device_path(device), starting.actions()[device]);
    const json deployment = checked(client.Get(path), "GET " + path);
    const json& artifact = deployment.at("deployment").at("chunks").at(0).at("artifacts").at(0);
    paths.push_back(path_of(artifact.at("_links").at("download-http").at("href")));
  }
  return paths;
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
