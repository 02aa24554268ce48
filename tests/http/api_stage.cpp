#include "tests/http/api_stage.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <thread>

#include "http/ddi_downloads.hpp"
#include "tests/http/text_context.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

// As the front door does.
void read_provided(httplib::Response& response) {
  if (!response.content_provider_) return;
  httplib::DataSink sink;
  sink.write = [&](const char* data, std::size_t size) {
    response.body.append(data, size);
    return true;
  };
  bool goes_on = true;
  if (response.is_chunked_content_provider_) {   // it says itself when it is done
    bool done = false;
    sink.done = [&done] { done = true; };
    while (goes_on && !done) goes_on = response.content_provider_(response.body.size(), 0, sink);
  }
  while (goes_on && response.body.size() < response.content_length_) {
    goes_on = response.content_provider_(response.body.size(), response.content_length_ - response.body.size(), sink);
  }
  response.content_provider_success_ = goes_on;
}

constexpr std::int64_t kStart_us = 1'780'000'000'000'000;  // some day in 2026

}  // namespace

std::string ApiAnswer::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? "" : at->second;
}

std::string ApiAnswer::faults() const {
  std::string text;
  const auto answer = json();
  for (const auto& fault : answer["detail"]) {
    text += fault["loc"].back().get<std::string>() + ": " + fault["type"].get<std::string>() + "\n";
  }
  return text;
}

ApiOptions ApiStage::open_to_devices() {
  ApiOptions options;
  options.device_auth.anonymous = true;
  options.device_rates.device = {};
  return options;
}

ApiAnswer ApiStage::ask_as(const Peer& peer, const std::string& method, const std::string& target,
                           const std::string& fields, const std::string& body) {
  TextContext made(method, target, fields, body, BodyOutcome::kEnd, peer);
  router_.handle(made.context);
  return {made.response.status, made.response.body, made.response.headers};
}

ApiStage::ApiStage(ApiOptions api_options, const std::function<void(actors::ServiceOptions&)>& change)
    : now_us_(kStart_us) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ota-http-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  actors::ServiceOptions options;
  options.data_directory = directory_;
  options.clock = [this] { return domain::Time(domain::Duration(now_us_.load())); };
  options.tails.push_back(&live_events_);
  if (change) change(options);
  service_ = actors::Service::open(std::move(options));
  api_options.live_events = &live_events_;
  api_ = std::make_unique<Api>(*service_, artifacts_, std::move(api_options));
  api_->add_to(router_);
}

ApiStage::~ApiStage() {
  api_.reset();
  service_.reset();
  std::filesystem::remove_all(directory_);
}

ApiAnswer ApiStage::ask(const std::string& method, const std::string& target,
                        const std::string& fields, const std::string& body, Bytes bytes) {
  TextContext made(method, target, fields, body);
  router_.handle(made.context);
  if (bytes == Bytes::kRead) read_provided(made.response);
  return {made.response.status, made.response.body, made.response.headers};
}

ApiAnswer ApiStage::admin(const std::string& method, const std::string& path,
                          const std::string& body, const std::string& fields) {
  return ask(method, "/api/v1/ota" + path, fields, body);
}

ApiAnswer ApiStage::ddi(const std::string& method, const std::string& path, const std::string& body,
                        const std::string& fields) {
  const bool typed = body.empty() || fields.find("Content-Type") != std::string::npos;
  return ask(method, "/DEFAULT/controller/v1" + path,
             fields + (typed ? "" : "Content-Type: application/json\r\n"), body);
}

ApiAnswer ApiStage::import(const std::string& type, const std::string& text,
                           const std::string& fields, BodyOutcome end) {
  TextContext made("POST", "/api/v1/ota/devices/import", "Content-Type: " + type + "\r\n" + fields,
                   text, end);
  router_.handle(made.context);
  return {made.response.status, made.response.body, made.response.headers};
}

void ApiStage::refuse_download(const std::string& path) {
  const TextContext request("GET", "/DEFAULT/controller/v1" + path);
  ddi::note_refused(request.context, *api_);
}

ApiAnswer ApiStage::download(const std::string& path, const std::string& fields) {
  return ask("GET", "/DEFAULT/controller/v1" + path, fields, "", Bytes::kRead);
}

ApiAnswer ApiStage::admin_download(const std::string& path) { return ask("GET", "/api/v1/ota" + path, "", "", Bytes::kRead); }

ApiAnswer ApiStage::upload(const std::string& bytes, const json& metadata,
                           const std::string& fields) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n\r\n" + bytes +
      "\r\n--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n" + metadata.dump() +
      "\r\n--b--\r\n";
  return admin("POST", "/firmware", body,
               "Content-Type: multipart/form-data; boundary=b\r\n" + fields);
}

std::string ApiStage::firmware(const std::string& version) {
  const auto answer = upload("bytes of " + version, metadata(version));
  REQUIRE_MESSAGE(answer.status == 201, answer.body);
  return answer.json()["firmware_id"];
}

void ApiStage::device(const std::string& id) {
  REQUIRE(ddi("GET", "/" + id).status == 200);
  const auto answer = ddi("PUT", "/" + id + "/configData",
                          R"({"data":{"device_model":"SF-100","firmware_version":"1.0.0"}})");
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
}

std::string ApiStage::campaign(const std::string& firmware, const json& devices) {
  const json body{{"name", "test"}, {"firmware_id", firmware}, {"target_devices", devices}};
  const auto created = admin("POST", "/campaigns", body.dump());
  REQUIRE_MESSAGE(created.status == 201, created.body);
  const std::string id = created.json()["campaign_id"];
  const auto started = admin("POST", "/campaigns/" + id + "/start");
  REQUIRE_MESSAGE(started.status == 200, started.body);
  return id;
}

std::string ApiStage::offered(const std::string& device) {
  std::string href;
  REQUIRE(eventually([&] {
    const auto poll = ddi("GET", "/" + device).json();
    if (!poll.contains("_links") || !poll["_links"].contains("deploymentBase")) return false;
    href = poll["_links"]["deploymentBase"]["href"];
    return true;
  }));
  href.erase(href.find('?'));
  return href.substr(href.rfind('/') + 1);
}

bool ApiStage::eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

json metadata(const std::string& version, const std::string& model) {
  return {
      {"name", "Frame"}, {"version", version}, {"device_model", model}, {"manufacturer", "Acme"}};
}

}  // namespace ota::http::test
