#include "tools/otasim/ddi_messages.hpp"

#include <fmt/format.h>

#include "tools/otasim/json_fields.hpp"

namespace ota::sim {
namespace {

using namespace json_fields;

std::string link(const json& object, const char* name) {
  const auto links = object.find("_links");
  if (links == object.end() || !links->is_object()) return {};
  const auto found = links->find(name);
  if (found == links->end()) return {};
  std::string url = text(*found, "href");
  if (url.find("://") == std::string::npos)
    throw Malformed(fmt::format("link '{}' is '{}' and not absolute", name, url));
  return url;
}

Mode mode(const json& object, const char* name) {
  const std::string value = text(object, name);
  if (value == "skip") return Mode::kSkip;
  if (value == "attempt") return Mode::kAttempt;
  if (value == "forced") return Mode::kForced;
  throw Malformed(fmt::format("member '{}' is '{}', not skip, attempt or forced", name, value));
}

Artifact artifact(const json& object) {
  Artifact result;
  result.filename = text(object, "filename");
  const json& size = member(object, "size");
  if (!size.is_number_integer() || size.get<std::int64_t>() < 1)
    throw Malformed(fmt::format("size of artifact '{}' is {}, not an integer >= 1", result.filename,
                                size.dump()));
  result.size = size.get<std::int64_t>();
  const json& hashes = member(object, "hashes");
  result.sha256 = hash(hashes, "sha256", 64);
  result.sha1 = hash(hashes, "sha1", 40);
  result.url = link(object, "download-http");
  if (result.url.empty()) result.url = link(object, "download");
  if (result.url.empty())
    throw Malformed(fmt::format("artifact '{}' has no download link", result.filename));
  return result;
}

}  // namespace

std::optional<std::chrono::seconds> parse_sleep(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto pair = [text](std::size_t at) {
    const char high = text[at];
    const char low = text[at + 1];
    if (high < '0' || high > '9' || low < '0' || low > '9') return 100;
    return (high - '0') * 10 + (low - '0');
  };
  const int hours = pair(0);
  const int minutes = pair(3);
  const int seconds = pair(6);
  if (hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  return std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
}

Parsed<PollReply> parse_poll(std::string_view body) {
  return guarded(body, [](const json& root) {
    PollReply reply;
    const std::string sleep = text(member(member(root, "config"), "polling"), "sleep");
    const auto seconds = parse_sleep(sleep);
    if (!seconds) throw Malformed(fmt::format("config.polling.sleep is '{}', not HH:MM:SS", sleep));
    reply.sleep = *seconds;
    reply.cancel_url = link(root, "cancelAction");
    reply.config_url = link(root, "configData");
    reply.deployment_url = link(root, "deploymentBase");
    return reply;
  });
}

Parsed<Deployment> parse_deployment(std::string_view body) {
  return guarded(body, [](const json& root) {
    Deployment result;
    result.action = id_text(root, "id");
    const json& deployment = member(root, "deployment");
    result.download = mode(deployment, "download");
    result.update = mode(deployment, "update");
    if (deployment.contains("maintenanceWindow"))
      result.window_closed = text(deployment, "maintenanceWindow") != "available";
    const json& chunks = member(deployment, "chunks");
    if (!chunks.is_array() || chunks.empty()) throw Malformed("member 'chunks' has no chunk");
    result.name = text(chunks.front(), "name");
    result.version = text(chunks.front(), "version");
    for (const json& chunk : chunks)
      for (const json& entry : member(chunk, "artifacts"))
        result.artifacts.push_back(artifact(entry));
    return result;
  });
}

Parsed<std::string> parse_cancel(std::string_view body) {
  return guarded(body,
                 [](const json& root) { return id_text(member(root, "cancelAction"), "stopId"); });
}

std::string action_of_link(std::string_view action_url) {
  const std::string_view path = action_url.substr(0, action_url.find('?'));
  return std::string{path.substr(path.rfind('/') + 1)};
}

std::string feedback_url(std::string_view action_url) {
  return std::string{action_url.substr(0, action_url.find('?'))} + "/feedback";
}

std::string feedback_body(const Feedback& feedback, std::chrono::milliseconds since_epoch) {
  json result{{"finished", feedback.finished}};
  if (feedback.percent) result["progress"] = {{"cnt", *feedback.percent}, {"of", 100}};
  json status{{"execution", feedback.execution}, {"result", std::move(result)}};
  if (feedback.code) status["code"] = *feedback.code;
  if (!feedback.detail.empty()) status["details"] = json::array({feedback.detail});
  return json{{"timestamp", since_epoch.count()}, {"status", std::move(status)}}.dump();
}

std::string config_body(const std::map<std::string, std::string>& attributes, const char* mode) {
  json body{{"data", attributes}};
  if (mode != nullptr) body["mode"] = mode;
  return body.dump();
}

}  // namespace ota::sim
