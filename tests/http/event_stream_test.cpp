// The log as it grows, for those who follow it: spec/api.md section 6.
#include "http/event_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/front_door.hpp"
#include "tests/http/open_door.hpp"
#include "tests/http/story.hpp"
#include "tests/http/test_certificates.hpp"
#include "tests/http/text_context.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;
using Source = std::unique_ptr<AnswerSource>;

struct Asked {
  int status = 0;
  std::string body;
  httplib::Headers headers;
  RequestContext::Endless endless;
  Source source() { return endless ? std::move(*endless) : nullptr; }
};

// A fleet, and what happens to it.
struct Followed : Story {
  Followed() {
    for (const char* name : {"a", "b"}) stage.device(name);
  }
  Asked ask(const std::string& query, const std::string& fields = "", const std::string& method = "GET") {
    TextContext made(method, "/api/v1/ota/events/stream?" + query, fields);
    stage.router().handle(made.context);
    return {made.response.status, made.response.body, made.response.headers, made.context.take_endless()};
  }
  Source follow(const std::string& query, const std::string& fields = "") {
    auto asked = ask(query, fields);
    REQUIRE_MESSAGE(asked.status == 200, asked.body);
    return asked.source();
  }
  std::uint64_t head() { return get("/audit/events?limit=1")["head"]; }
  // What the pages of the audit have behind `after`.
  std::vector<json> audited(const std::string& query, std::uint64_t after) {
    std::vector<json> all;
    for (json page; page.is_null() || page["more"] == true; after = page["next_after"]) {
      page = get("/audit/events?" + query + "&limit=5000&after=" + std::to_string(after));
      all.insert(all.end(), page["events"].begin(), page["events"].end());
    }
    return all;
  }
  // A campaign for both: one device succeeds, the other says how it goes and fails; ada looks after it.
  void campaign_of_both() {
    campaign = started({"a", "b"});
    id = campaign.substr(campaign.rfind('/') + 1);
    update("a", kSucceeded);
    report("b", begin("b"), kDownloaded);
    update_b = update_of(campaign, "b")["update_id"];
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch"})", "X-User-Id: ada\r\n").status == 200);
    REQUIRE(stage.admin("POST", campaign + "/resume", "", "X-User-Id: bob\r\n").status == 200);
  }
  std::string campaign, id, update_b;
};

// All that there is to read now.
std::string read_all(AnswerSource& source) {
  std::string all;
  while (source.read(all) == AnswerSource::Next::kMore) {
  }
  return all;
}

// The events of a stream's text, each checked against what its other lines say.
std::vector<json> events_of(std::string_view text) {
  std::vector<json> events;
  while (!text.empty()) {
    const auto message = text.substr(0, text.find("\n\n"));
    text.remove_prefix(message.size() + 2);
    if (message.starts_with("retry: 2000\nid: ") || message.starts_with(": keep-alive\nid: ")) continue;
    const auto data = message.find("\ndata: ");
    REQUIRE(data != std::string_view::npos);
    events.push_back(json::parse(message.substr(data + 7)));
    REQUIRE(message.substr(0, data) == "id: " + std::to_string(events.back()["position"].get<std::uint64_t>()) + "\nevent: " +
                                         events.back()["type"].get<std::string>());
  }
  return events;
}

std::vector<json> read_events(AnswerSource& source) { return events_of(read_all(source)); }

std::string header_of(const Asked& asked, const std::string& name) {
  const auto at = asked.headers.find(name);
  return at == asked.headers.end() ? "" : at->second;
}

std::string rows_of_devices(int count) {
  std::string rows = "device_id,device_model,firmware_version\n";
  for (int i = 0; i < count; ++i) rows += "d-" + std::to_string(i) + ",SF-100,1.0.0\n";
  return rows;
}

TEST_CASE("from 0 on a stream has the whole log as the audit shows it, in order, and begins with when to come back") {
  Followed f;
  f.campaign_of_both();
  const auto source = f.follow("after=0");
  const auto text = read_all(*source);
  CHECK(text.starts_with("retry: 2000\nid: 0\n\nid: 1\nevent: "));
  CHECK(text.ends_with("}\n\n"));
  CHECK(events_of(text) == f.audited("", 0));
  CHECK(read_all(*source).empty());
}

TEST_CASE("a name that was erased is in no stream any more, though it was sent before") {
  Followed f;
  const auto early = f.follow("");
  const auto before = f.head();
  f.campaign_of_both();
  CHECK(read_all(*early).find(R"("actor":"ada")") != std::string::npos);
  REQUIRE(f.stage.service().delete_user("ada", {}).ok());
  const auto late = f.follow("after=" + std::to_string(before));
  const auto text = read_all(*late);
  CHECK(text.find(R"("ada")") == std::string::npos);
  CHECK(text.find(R"("actor":"deleted user")") != std::string::npos);
  CHECK(events_of(text) == f.audited("", before));
}

TEST_CASE("without a position a stream begins now, and has what is answered from then on") {
  Followed f;
  const auto source = f.follow("");
  CHECK(read_events(*source).empty());
  const auto before = f.head();
  f.campaign_of_both();
  const auto events = read_events(*source);
  CHECK(events == f.audited("", before));
  CHECK(events.back()["type"] == "campaign.resumed");
  CHECK(events.back()["actor"] == "bob");
}

TEST_CASE("whoever comes back with what it has seen last goes on behind it; the header wins") {
  Followed f;
  f.campaign_of_both();
  const auto all = f.audited("", 0);
  const auto live = f.follow("");
  for (std::size_t seen = 0; seen <= all.size(); ++seen) {
    const std::vector<json> rest(all.begin() + static_cast<std::ptrdiff_t>(seen), all.end());
    CHECK(read_events(*f.follow("after=" + std::to_string(seen))) == rest);
    CHECK(read_events(*f.follow("after=3", "Last-Event-ID: " + std::to_string(seen) + "\r\n")) == rest);
  }
  CHECK(read_events(*f.follow("after=1", "Last-Event-ID:\r\n")).size() + 1 == all.size());
}

TEST_CASE("what the filters let through is the same in the audit, in the log and as it happens") {
  Followed f;
  f.campaign_of_both();
  const auto halfway = f.head() / 2;
  const std::vector<std::string> queries{"stream=device:a", "stream=campaign:" + f.id, "campaign_id=" + f.id,
                                         "device_id=b", "update_id=" + f.update_b, "campaign_id=" + f.id + "&device_id=b",
                                         "campaign_id=" + f.id + "&update_id=" + f.update_b,
                                         "stream=update:" + f.update_b + "&device_id=b",
                                         "stream=update:" + f.update_b + "&device_id=a", "actor=ada",
                                         "type=campaign.paused,update.progress,update.attempt_ended",
                                         "type=update.progress&device_id=b", "actor=ada&type=campaign.paused"};
  for (const auto& query : queries) {   // nobody follows yet: from the log
    CAPTURE(query);
    CHECK(read_events(*f.follow(query + "&after=0")) == f.audited(query, 0));
    CHECK(read_events(*f.follow(query + "&after=" + std::to_string(halfway))) == f.audited(query, halfway));
  }
  std::vector<Source> sources;
  for (const auto& query : queries) sources.push_back(f.follow(query));
  const auto before = f.head();
  const auto pause = [&](const std::string& campaign) {
    REQUIRE(f.stage.admin("POST", campaign + "/pause", R"({"reason":"tea"})", "X-User-Id: ada\r\n").status == 200);
  };
  pause(f.campaign);
  REQUIRE(f.post(f.campaign + "/resume").status == 200);
  f.report("b", f.begin("b"), kProceeding);
  f.update("b", kFailed);
  const auto second = f.started({"a", "b"}, {{"firmware_id", f.stage.firmware("3.0.0")}});
  f.report("b", f.begin("b"), kDownloaded);
  pause(second);
  std::size_t silent = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    CAPTURE(queries[i]);
    const auto events = read_events(*sources[i]);
    CHECK(events == f.audited(queries[i], before));
    silent += events.empty() ? 1 : 0;
  }
  CHECK(silent == 2);   // of nothing else does one hear nothing: stream=device:a, and another device's update
}

TEST_CASE("somebody who had done nothing is followed from what they do first") {
  Followed f;
  const auto source = f.follow("actor=eve&type=firmware.registered,campaign.created");
  f.stage.firmware("3.0.0");
  CHECK(read_events(*source).empty());
  REQUIRE(f.stage.upload("bytes", metadata("4.0.0"), "X-User-Id: eve\r\n").status == 201);
  const auto events = read_events(*source);
  REQUIRE(events.size() == 1);
  CHECK(events[0]["actor"] == "eve");
}

TEST_CASE("a turn has its bounds: of what is looked at, and of what is said") {
  Followed f;
  const auto live = f.follow("");
  REQUIRE(f.stage.import("text/csv", rows_of_devices(5'000)).status == 200);
  const auto head = f.head();

  const auto searching = f.follow("after=0&type=firmware.registered");
  std::string found;
  int turns = 1;
  for (; searching->read(found) == AnswerSource::Next::kMore; ++turns) {
  }
  CHECK(turns >= 5);
  CHECK(events_of(found).size() == 2);

  // More than is kept of what was committed last: it goes on from the log, and loses nothing.
  std::vector<std::uint64_t> positions;
  std::size_t largest = 0;
  for (bool more = true; more;) {
    std::string piece;
    more = live->read(piece) == AnswerSource::Next::kMore;
    largest = std::max(largest, piece.size());
    for (const auto& event : events_of(piece)) positions.push_back(event["position"]);
  }
  CHECK(positions.back() == head);
  CHECK(positions.size() == head - positions.front() + 1);
  CHECK(positions.size() >= 5'000);
  CHECK(std::is_sorted(positions.begin(), positions.end()));
  CHECK(largest >= limits::kEventStreamPieceBytes);
  CHECK(largest < limits::kEventStreamPieceBytes + 2'000);
}

TEST_CASE("what cannot be a position, or is behind the end of the log, is refused with its field and value") {
  Followed f;
  const auto refused = [&](const std::string& query, const std::string& fields = "") {
    const auto asked = f.ask(query, fields);
    CHECK(asked.status == 422);
    const auto answer = json::parse(asked.body);
    std::string text;
    for (const auto& fault : answer["detail"]) {
      text += fault["loc"].dump() + " " + fault["msg"].get<std::string>() + "\n";
    }
    return text;
  };
  const auto head = std::to_string(f.head());
  CHECK(refused("after=x") == "[\"query\",\"after\"] must be a whole number, got 'x'\n");
  CHECK(refused("after=-1").find("[\"query\",\"after\"]") == 0);
  CHECK(refused("after=9000") == "[\"query\",\"after\"] must be at most " + head + ", where the log ends, got '9000'\n");
  for (const char* id : {"x", "-1", "1.5", "0x10", "99999999999999999999"}) {
    CHECK(refused("", "Last-Event-ID: " + std::string(id) + "\r\n") ==
          "[\"header\",\"Last-Event-ID\"] must be the id of an event, a whole number, got '" + std::string(id) + "'\n");
  }
  CHECK(refused("after=0", "Last-Event-ID: 9000\r\n").find("[\"header\",\"Last-Event-ID\"] must be at most " + head) == 0);
  CHECK(refused("type=campaign.paused,campaign.eaten,").find("got 'campaign.eaten'") != std::string::npos);
  CHECK(refused("device_id=%20&campaign_id=y").find("\"campaign_id\"") != std::string::npos);
  CHECK(f.stage.live_events().followers().taken() == 0);
}

TEST_CASE("HEAD has the stream's headers and opens none; only so many are open at once, and the service says how many") {
  Followed f;
  for (const char* method : {"GET", "HEAD"}) {
    auto asked = f.ask("", "", method);
    CHECK(asked.status == 200);
    CHECK(header_of(asked, "Content-Type") == "text/event-stream; charset=utf-8");
    CHECK(header_of(asked, "Cache-Control") == "no-store");
    CHECK(header_of(asked, "X-Accel-Buffering") == "no");
    CHECK(asked.endless.has_value());
    CHECK((asked.source() != nullptr) == (std::string(method) == "GET"));
  }
  CHECK(f.ask("after=x", "", "HEAD").status == 422);
  CHECK(f.stage.live_events().followers().taken() == 0);
  std::vector<Source> sources;
  for (std::size_t i = 0; i < limits::kEventStreams; ++i) sources.push_back(f.follow(""));
  auto refused = f.ask("");
  CHECK(refused.status == 503);
  CHECK(header_of(refused, "Retry-After") == "5");
  CHECK(refused.body.find("1000 streams of events") != std::string::npos);
  CHECK(f.get("/service/stats")["event_streams"] == json{{"open", 1'000}, {"limit", 1'000}});
  CHECK(f.ask("", "", "HEAD").status == 200);
  sources.pop_back();
  CHECK(f.ask("").status == 200);
}

// Through the door, in the clear and over TLS.
struct OpenFollowed : Followed {
  OpenFollowed() : pair(certificates.issue("localhost")) {
    auto options = on_free_port();
    options.handler_threads = 2;
    options.endless.news = stage.live_events().bell();
    options.tls = TlsDoor{"127.0.0.1", 0, false, {pair.certificate, pair.key, "", ClientCertificates::kIgnored}};
    open = std::make_unique<OpenDoor>(std::move(options), [this](RequestContext& context) { stage.router().handle(context); });
  }
  TestCertificates certificates;
  TestCertificates::Pair pair;
  std::unique_ptr<OpenDoor> open;   // closed before the service
};

std::string read_until(RawClient& client, const std::string& end) {
  std::string text;
  while (text.find(end) == std::string::npos) text += client.read_some();
  return text;
}

TEST_CASE("an event reaches all who follow when it is committed, in the clear and over TLS, beside two handlers; a stop ends them") {
  OpenFollowed f;
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(f.open->connect());
    clients.back().send("GET /api/v1/events/stream HTTP/1.0\r\n\r\n");
    CHECK(clients.back().read().status == 200);
  }
  std::string over_tls;
  std::thread encrypted([&] {
    httplib::SSLClient client("127.0.0.1", f.open->door.tls_port());
    client.enable_server_certificate_verification(false);
    client.Get("/api/v1/ota/events/stream?type=firmware.registered&after=0", [&](const char* bytes, std::size_t size) {
      over_tls.append(bytes, size);
      return true;
    });
  });
  while (f.open->door.counts().endless < 101) std::this_thread::yield();
  auto other = f.open->connect();
  for (int i = 0; i < 20; ++i) CHECK(other.get("/api/v1/ota/firmware").status == 200);
  CHECK(f.get("/service/stats")["event_streams"]["open"] == 101);
  const auto id = f.stage.firmware("3.0.0");
  for (auto& follower : clients) CHECK(read_until(follower, "}\n\n").find(id) != std::string::npos);
  other.close();
  f.open->door.stop();
  encrypted.join();
  const auto events = events_of(over_tls);
  REQUIRE(events.size() >= 2);
  CHECK(events[0]["position"] < events[1]["position"]);
  CHECK(f.stage.live_events().followers().taken() == 0);
}

}  // namespace
}  // namespace ota::http::test
