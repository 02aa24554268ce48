// Every route over a real service in a temporary directory, with a clock of its own and without a
// socket.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "actors/service.hpp"
#include "http/api.hpp"
#include "http/live_events.hpp"
#include "http/router.hpp"
#include "tests/http/memory_artifacts.hpp"

namespace ota::http::test {

struct ApiAnswer {
  int status = 0;
  std::string body;
  httplib::Headers headers;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  std::string header(const std::string& name) const;
  // The bad fields of a 422 as "from: datetime_parsing", one behind the other.
  std::string faults() const;
};

class ApiStage {
 public:
  // Devices need no credentials, unless the options say otherwise.
  explicit ApiStage(ApiOptions options = open_to_devices(), const std::function<void(actors::ServiceOptions&)>& change = {});
  static ApiOptions open_to_devices();
  ~ApiStage();
  ApiStage(const ApiStage&) = delete;
  ApiStage& operator=(const ApiStage&) = delete;

  // `fields` are whole lines, each with its CR LF. Paths below the administration's base path.
  ApiAnswer admin(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& fields = "");
  // Paths below /DEFAULT/controller/v1; bodies are sent as JSON unless `fields` say otherwise.
  ApiAnswer ddi(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& fields = "");
  // Any path, by any peer.
  ApiAnswer ask_as(const Peer& peer, const std::string& method, const std::string& target,
                   const std::string& fields = "", const std::string& body = "");
  // A file of devices; `end` other than kEnd: its body breaks off.
  ApiAnswer import(const std::string& type, const std::string& text, const std::string& fields = "",
                   BodyOutcome end = BodyOutcome::kEnd);
  // The same, and reads all bytes of an artifact. (To the others it breaks off before the first one.)
  ApiAnswer download(const std::string& path, const std::string& fields = "");
  // The same of an administrator's.
  ApiAnswer admin_download(const std::string& path);
  // The same, but the door has too much to do and answers it without the router.
  void refuse_download(const std::string& path);
  ApiAnswer upload(const std::string& bytes, const nlohmann::json& metadata,
                   const std::string& fields = "");

  // The id of a new firmware of this version, for model SF-100.
  std::string firmware(const std::string& version);
  // Polls and says what it is; it runs version 1.0.0.
  void device(const std::string& id);
  // The id of a campaign that has been started.
  std::string campaign(const std::string& firmware, const nlohmann::json& devices);
  // The action that the device is offered by a poll; fails if there is none within some seconds.
  std::string offered(const std::string& device);

  actors::Service& service() { return *service_; }
  MemoryArtifacts& artifacts() { return artifacts_; }
  Api& api() { return *api_; }
  Router& router() { return router_; }
  LiveEvents& live_events() { return live_events_; }
  void advance(domain::Duration by) { now_us_ += by.count(); }
  // Whether `condition` holds within some seconds.
  static bool eventually(const std::function<bool()>& condition);

 private:
  enum class Bytes { kLeft, kRead };
  ApiAnswer ask(const std::string& method, const std::string& target, const std::string& fields,
                const std::string& body, Bytes bytes = Bytes::kLeft);

  std::filesystem::path directory_;
  std::atomic<std::int64_t> now_us_;
  LiveEvents live_events_;
  std::unique_ptr<actors::Service> service_;
  MemoryArtifacts artifacts_;
  std::unique_ptr<Api> api_;
  Router router_;
};

// {"name", "version", "device_model", "manufacturer"} of an upload.
nlohmann::json metadata(const std::string& version, const std::string& model = "SF-100");

}  // namespace ota::http::test
