#include "tests/tools/small_ddi.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "tools/otasim/digest.hpp"

namespace ota::sim::test {
namespace {

const std::string kContent(10'000, 'f');
constexpr const char* kBase = "/DEFAULT/controller/v1/sim-00001";

}  // namespace

SmallDdi::SmallDdi(Behaviour behaviour)
    : behaviour_(std::move(behaviour)),
      server_([this](const SmallServer::Asked& asked) { return answer(asked); },
              SmallServer::Continue::kAsks) {}

std::vector<std::string> SmallDdi::calls() const {
  const std::lock_guard lock{mutex_};
  return calls_;
}
std::vector<int> SmallDdi::connections() const {
  const std::lock_guard lock{mutex_};
  return connections_;
}
std::vector<std::string> SmallDdi::heads() const {
  const std::lock_guard lock{mutex_};
  return heads_;
}
std::vector<int> SmallDdi::others_open() const {
  const std::lock_guard lock{mutex_};
  return others_open_;
}

void SmallDdi::note(const SmallServer::Asked& asked, const std::string& call) {
  calls_.push_back(call);
  connections_.push_back(asked.connection);
  others_open_.push_back(server_.connections() - server_.ended() - 1);
}

std::string SmallDdi::poll() {
  const std::string base =
      (behaviour_.part_of_link.empty() ? server_.url("") : behaviour_.part_of_link) + kBase;
  nlohmann::json links = nlohmann::json::object();
  if (wants_attributes_) links["configData"] = {{"href", base + "/configData"}};
  if (!over_ && behaviour_.cancels) links["cancelAction"] = {{"href", base + "/cancelAction/11"}};
  const bool offers = polls_without_offer_ == 0 || polls_without_offer_-- == 0;
  if (!over_ && !behaviour_.cancels && offers)
    links["deploymentBase"] = {{"href", base + "/deploymentBase/11?c=5"}};
  return nlohmann::json{{"config", {{"polling", {{"sleep", "00:00:01"}}}}}, {"_links", links}}
      .dump();
}

std::string SmallDdi::deployment() const {
  StreamingDigest digest;
  digest.update(kContent);
  const Hashes hashes = digest.hashes();
  const std::string origin =
      behaviour_.part_of_link.empty() ? server_.url("") : behaviour_.part_of_link;
  const nlohmann::json artifact{
      {"filename", "file"},
      {"size", kContent.size()},
      {"hashes", {{"sha1", hashes.sha1}, {"sha256", hashes.sha256}}},
      {"_links", {{"download-http", {{"href", origin + kBase + "/file"}}}}}};
  const nlohmann::json chunk{{"part", "bApp"},
                             {"version", "2.0.0"},
                             {"name", "firmware"},
                             {"artifacts", nlohmann::json::array({artifact})}};
  return nlohmann::json{{"id", "11"},
                        {"deployment",
                         {{"download", "forced"},
                          {"update", behaviour_.update},
                          {"chunks", nlohmann::json::array({chunk})}}}}
      .dump();
}

std::string SmallDdi::file(const std::string& head) {
  if (head.starts_with("HEAD"))
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", kContent.size());
  const auto range = head.find("Range: bytes=");
  if (range == std::string::npos) return ok(kContent);
  const std::size_t from = std::strtoul(head.c_str() + range + 13, nullptr, 10);
  return ok(
      kContent.substr(from),
      fmt::format("Content-Range: bytes {}-{}/{}\r\n", from, kContent.size() - 1, kContent.size()),
      "206 Partial Content");
}

Reply SmallDdi::answer(const SmallServer::Asked& asked) {
  const std::lock_guard lock{mutex_};
  heads_.push_back(asked.head);
  const std::string verb = asked.head.substr(0, asked.head.find(' '));
  const auto from = asked.head.find(kBase);
  if (from == std::string::npos) return {ok("", "", "404 Not Found"), false};
  const auto after = from + std::string(kBase).size();
  const std::string path = asked.head.substr(after, asked.head.find_first_of(" ?", after) - after);
  if (path.empty()) return {ok(poll()), false};
  if (path == "/configData") {
    const std::string version =
        nlohmann::json::parse(asked.body)["data"]["firmware_version"].get<std::string>();
    note(asked, verb + " configData " + version);
    wants_attributes_ = over_ && behaviour_.asks_after_success && version != "2.0.0";
    return {ok(""), false};
  }
  if (path == "/file") {
    note(asked, verb + " file");
    polls_without_offer_ = behaviour_.polls_without_offer;
    return {file(asked.head), false};
  }
  if (verb == "POST") {
    const auto status = nlohmann::json::parse(asked.body)["status"];
    const auto execution = status["execution"].get<std::string>();
    const auto finished = status["result"]["finished"].get<std::string>();
    note(asked, "POST " + execution + "/" + finished);
    if (execution == "closed" || finished == "success") {
      over_ = true;
      wants_attributes_ = behaviour_.asks_after_success;
    }
    return {ok(""), false};
  }
  if (path == "/deploymentBase/11") {
    note(asked, "GET deploymentBase");
    return {ok(deployment()), false};
  }
  if (path == "/cancelAction/11") {
    note(asked, "GET cancelAction");
    return {ok(R"({"id":"11","cancelAction":{"stopId":"11"}})"), false};
  }
  return {ok("", "", "404 Not Found"), false};
}

}  // namespace ota::sim::test
