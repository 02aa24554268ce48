#include "tools/otasim/mqtt/mqtt_messages.hpp"

#include <fmt/format.h>

#include "tools/otasim/json_fields.hpp"

namespace ota::sim {
namespace {

using namespace json_fields;

AttemptName name_of(const json& root) {
  return {id_text(root, "update_id"), integer(root, "attempt", 1)};
}

// "later" is a deployment that may be downloaded and waits for its window; "never" one that is
// downloaded and no more.
void read_install(const json& root, Deployment& deployment) {
  const std::string install = text(root, "install");
  deployment.download = Mode::kForced;
  deployment.update = install == "now" ? Mode::kForced : Mode::kSkip;
  deployment.window_closed = install == "later";
  if (install != "now" && install != "later" && install != "never")
    throw Malformed(fmt::format("member 'install' is '{}', not now, later or never", install));
}

Artifact artifact_of(const json& object) {
  Artifact artifact;
  artifact.filename = text(object, "filename");
  artifact.size = integer(object, "size", 1);
  artifact.sha256 = hash(object, "sha256", 64);
  artifact.sha1 = hash(object, "sha1", 40);
  artifact.url = text(object, "url");
  return artifact;
}

MqttCommand command_of(const json& root) {
  MqttCommand command;
  const std::string type = text(root, "type");
  command.name = name_of(root);
  command.action = id_text(root, "action_id");
  if (type == "cancel") {
    command.kind = MqttCommand::Kind::kCancel;
  } else if (type == "confirm") {
    command.kind = MqttCommand::Kind::kConfirm;
  } else if (type == "update") {
    command.kind = MqttCommand::Kind::kUpdate;
    command.deployment.action = command.action;
    command.deployment.name = text(root, "name");
    command.deployment.version = text(root, "to_version");
    read_install(root, command.deployment);
    command.deployment.artifacts.push_back(artifact_of(member(root, "artifact")));
  } else {
    throw Malformed(fmt::format("member 'type' is '{}', not update, confirm or cancel", type));
  }
  return command;
}

std::string optional_text(const json& root, const char* name) {
  return root.contains(name) ? text(root, name) : std::string{};
}

json status_of(const AttemptName& name, std::string_view status) {
  return {{"type", "status"},
          {"update_id", name.update},
          {"attempt", name.attempt},
          {"status", status}};
}

// The words of an update's course over DDI, in the order in which it says them: proceeding at 0 %
// of the whole, downloaded, proceeding in the middle of the install, closed.
std::string_view word_of(const Feedback& feedback) {
  if (feedback.execution == "downloaded") return "verifying";
  if (feedback.execution == "proceeding")
    return feedback.percent.value_or(0) > 0 ? "installing" : "downloading";
  return feedback.finished == "success" ? "completed" : "failed";
}

}  // namespace

std::string topic_level(std::string_view text) {
  std::string level;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    level += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return level;
}

MqttTopics topics_of(std::string_view tenant, std::string_view device) {
  const std::string base = fmt::format("ota/{}/{}", topic_level(tenant), topic_level(device));
  return {base + "/up", base + "/down", base + "/reply"};
}

Parsed<MqttCommand> parse_command(std::string_view body) {
  if (body.empty()) return {MqttCommand{}, {}};
  return guarded(body, [](const json& root) { return command_of(root); });
}

Parsed<MqttReply> parse_reply(std::string_view body) {
  return guarded(body, [](const json& root) {
    MqttReply reply;
    reply.id = optional_text(root, "id");
    // The answer to `accepted` without an id says go and no ok.
    const bool answers_accepted = root.contains("go");
    reply.ok = answers_accepted ? !root.contains("ok") || truth(root, "ok") : truth(root, "ok");
    reply.go = answers_accepted && truth(root, "go");
    reply.url = reply.go ? text(root, "url") : std::string{};
    reply.error = optional_text(root, "error");
    reply.message = optional_text(root, "message");
    return reply;
  });
}

std::string hello_text(const std::map<std::string, std::string>& attributes) {
  return json{{"type", "hello"}, {"attributes", attributes}}.dump();
}

std::string bye_text() { return json{{"type", "bye"}}.dump(); }

std::string status_text(const AttemptName& name, std::string_view status) {
  return status_of(name, status).dump();
}

std::string report_text(const AttemptName& name, const Feedback& feedback) {
  const std::string_view word = word_of(feedback);
  json message = status_of(name, word);
  if (word == "failed") {
    if (feedback.code) message["error_code"] = fmt::format("E{}", *feedback.code);
    message["error_message"] = feedback.detail;
    return message.dump();
  }
  if (feedback.percent) message["progress"] = *feedback.percent;
  if (word == "verifying") message["checksum_verified"] = true;
  if (!feedback.detail.empty()) message["details"] = json::array({feedback.detail});
  return message.dump();
}

std::string with_id(std::string_view id, const std::string& message) {
  json whole = json::parse(message);
  whole["id"] = id;
  return whole.dump();
}

}  // namespace ota::sim
