#include "tests/tools/mqtt/small_mqtt_ota.hpp"

#include <fmt/format.h>

#include "tools/otasim/digest.hpp"

namespace ota::sim::test {
namespace {

using nlohmann::json;

const std::string kFile(50'000, 'f');
constexpr const char* kDown = "ota/DEFAULT/sim-00001/down";
constexpr const char* kReply = "ota/DEFAULT/sim-00001/reply";

Hashes hashes_of(const std::string& bytes) {
  StreamingDigest digest;
  digest.update(bytes);
  return digest.hashes();
}

// All of the file, or what a Range asks for.
Reply file_for(const SmallServer::Asked& asked) {
  constexpr std::string_view kRange = "Range: bytes=";
  const auto range = asked.head.find(kRange);
  if (range == std::string::npos) return {ok(kFile), false};
  const std::size_t from = std::stoul(asked.head.substr(range + kRange.size()));
  return {ok(kFile.substr(from),
             fmt::format("Content-Range: bytes {}-{}/{}\r\n", from, kFile.size() - 1, kFile.size()),
             "206 Partial Content"),
          false};
}

std::string word_of(const json& message) {
  if (message["type"] == "status") return message["status"];
  if (message["type"] == "hello")
    return "hello " + message["attributes"]["firmware_version"].get<std::string>();
  return message["type"];
}

}  // namespace

SmallMqttOta::SmallMqttOta(Behaviour behaviour)
    : behaviour_(std::move(behaviour)),
      files_(file_for),
      broker_({}, [this](SmallBroker&, const SmallBroker::Said& said) { listen(said); }) {}

std::vector<std::string> SmallMqttOta::words() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> words;
  for (const auto& [word, id] : heard_) words.push_back(word);
  return words;
}

std::vector<std::string> SmallMqttOta::ids(const std::string& wanted) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> found;
  for (const auto& [word, id] : heard_)
    if (word == wanted) found.push_back(id);
  return found;
}

json SmallMqttOta::command(const std::string& type) const {
  json body{{"type", type}, {"update_id", "upd_1"}, {"attempt", 1}, {"action_id", 1000001}};
  if (type != "update") return body;
  const Hashes hashes = hashes_of(kFile);
  body["name"] = "Pump";
  body["to_version"] = "2.0.0";
  body["install"] = verified_ ? "now" : behaviour_.install;
  body["artifact"] = {{"filename", "pump.bin"},
                      {"size", kFile.size()},
                      {"sha1", hashes.sha1},
                      {"sha256", hashes.sha256},
                      {"url", files_.url("/out-of-date")}};
  return body;
}

void SmallMqttOta::tell(const json& body) { broker_.tell(kDown, body.dump(), true); }
void SmallMqttOta::tell_nothing() { broker_.tell(kDown, "", true); }
void SmallMqttOta::reply(json body) { broker_.tell(kReply, body.dump()); }

void SmallMqttOta::listen(const SmallBroker::Said& said) {
  const json message = json::parse(said.body);
  const std::string word = word_of(message);
  int times = 0;
  {
    const std::lock_guard lock{mutex_};
    heard_.emplace_back(word, message.value("id", ""));
    times = ++times_[word];
  }
  if (word == behaviour_.hangs_up_at && times == 1) return broker_.hang_up();
  if (word == behaviour_.swallows_first && times == 1) return;
  answer(word, message);
}

void SmallMqttOta::answer(const std::string& word, const json& message) {
  const json id = message.value("id", json{});
  if (word == behaviour_.refuses)
    return reply({{"id", id}, {"ok", false}, {"error", behaviour_.error}, {"message", "it is so"}});
  if (word == "accepted") {
    json go{{"id", id}, {"ok", true}, {"update_id", "upd_1"}, {"attempt", 1}};
    go["go"] = behaviour_.goes && !over_;
    if (behaviour_.goes && !over_) go["url"] = files_.url("/pump.bin");
    return reply(go);
  }
  reply({{"id", id}, {"ok", true}});
  if (word == behaviour_.cancels_at) return tell(command("cancel"));
  if (word == "confirmed") consented_ = true;
  if (word == "verifying" && behaviour_.install == "later") verified_ = true;
  if (word == "completed" || word == "failed" || word == "cancelled") over_ = true;
  if (over_ || !behaviour_.offers) return tell_nothing();
  if (behaviour_.asks_for_consent && !consented_) return tell(command("confirm"));
  if (word == "confirmed" || word == "cancel_refused" || word.starts_with("hello") ||
      (word == "verifying" && verified_))
    tell(command("update"));
}

}  // namespace ota::sim::test
