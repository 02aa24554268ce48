// tools/otasim/net/http_client: connections kept, shared and replaced, redirects, limits of time.
#include "tools/otasim/net/http_client.hpp"

#include <doctest/doctest.h>

#include "tests/tools/net/client_stage.hpp"
#include "tests/tools/net/small_server.hpp"

using namespace ota::sim;
using namespace ota::sim::test;
using namespace std::chrono_literals;

namespace {

Reply echo(const SmallServer::Asked& asked) {
  return {ok(asked.head.substr(0, asked.head.find(" HTTP")) + asked.body), false};
}

}  // namespace

TEST_CASE("requests of one device share a connection, one after the other") {
  SmallServer server{echo};
  ClientStage stage{server.url("/")};
  for (int i = 0; i < 3; ++i) CHECK(stage.ask(stage.get(server.url("/a"))).body == "GET /a");
  HttpRequest post = stage.get(server.url("/b"));
  post.method = Method::kPost;
  post.body = "{}";
  const HttpAnswer answer = stage.ask(std::move(post));
  CHECK(answer.ok());
  CHECK(answer.body == "POST /b{}");
  CHECK(answer.elapsed > 0us);
  CHECK(server.connections() == 1);
  CHECK(stage.http().connections_opened() == 1);
  CHECK(stage.http().requests_done() == 4);
  CHECK(stage.http().requests_broken() == 0);
}

TEST_CASE("every device has its own connection; at the limit idle ones change hands") {
  SmallServer server{echo};
  const auto opened_by_four_devices = [&](std::size_t limit) {
    HttpSettings settings = settings_for(server.url("/"));
    settings.connections_max = limit;
    ClientStage stage{settings};
    for (int i = 0; i < 3; ++i) stage.http().add_caller({});
    for (int round = 0; round < 3; ++round)
      for (CallerId device = 0; device < 4; ++device) {
        HttpRequest request = stage.get(server.url("/x"));
        request.caller = device;
        CHECK(stage.ask(std::move(request)).ok());
      }
    return stage.http().connections_opened();
  };
  CHECK(opened_by_four_devices(100) == 4);
  CHECK(opened_by_four_devices(2) == 2);
  CHECK(opened_by_four_devices(1) == 1);
}

TEST_CASE("what a device has opened beside its connection is closed again") {
  SmallServer server{echo};
  ClientStage stage{server.url("/")};
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(stage.get(server.url("/")));
  for (const HttpAnswer& answer : stage.ask_at_once(std::move(requests))) CHECK(answer.ok());
  CHECK(stage.turn_until([&] { return server.ended() == server.connections() - 1; }));
  CHECK(stage.ask(stage.get(server.url("/"))).ok());
}

TEST_CASE("what exceeds the limit waits for its turn, and is answered") {
  SmallServer server{echo};
  HttpSettings settings = settings_for(server.url("/"));
  settings.connections_max = 2;
  ClientStage stage{settings};
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(stage.get(server.url("/" + std::to_string(i))));
  const auto answers = stage.ask_at_once(std::move(requests));
  for (std::size_t i = 0; i < answers.size(); ++i)
    CHECK(answers[i].body == "GET /" + std::to_string(i));
  CHECK(server.connections() <= 2);
}

TEST_CASE("who needs a connection waits while as many are being opened as may be; who has one goes on") {
  SmallServer mute{[](const SmallServer::Asked&) { return Reply{}; }};  // says nothing of TLS
  SmallServer server{echo};
  HttpSettings settings = settings_for(server.url("/"));
  settings.opening_max = 2;
  ClientStage stage{settings};
  CHECK(stage.ask(stage.get(server.url("/first"))).ok());
  std::vector<HttpTicket> tickets;
  const std::string unheard = "https://127.0.0.1:" + std::to_string(mute.port()) + "/";
  for (int i = 0; i < 5; ++i)
    tickets.push_back(stage.http().send(stage.get(unheard), [](const HttpAnswer&) {}));
  CHECK(stage.ask(stage.get(server.url("/x"))).body == "GET /x");
  CHECK(stage.http().in_flight() == 2);
  CHECK(stage.http().queued() == 3);
  CHECK(stage.turn_until([&] { return mute.connections() == 2; }));
  tickets.erase(tickets.begin(), tickets.begin() + 2);
  CHECK(stage.turn_until([&] { return mute.connections() == 4; }));
  CHECK(stage.http().queued() == 1);
  tickets.clear();
  CHECK(stage.ask(stage.get(server.url("/y"))).body == "GET /y");
  CHECK(stage.http().in_flight() == 0);
}

TEST_CASE("at the limit a connection to somebody else makes room") {
  SmallServer one{echo};
  SmallServer other{echo};
  HttpSettings settings = settings_for(one.url("/"));
  settings.connections_max = 1;
  ClientStage stage{settings};
  CHECK(stage.ask(stage.get(one.url("/"))).ok());
  CHECK(stage.ask(stage.get(other.url("/"))).ok());
  CHECK(stage.turn_until([&] { return one.ended() == 1; }));
}

TEST_CASE("a connection that the server has closed meanwhile is replaced without a word") {
  // Without a word to the client: the end comes only once the next request is there.
  SmallServer server{[](const SmallServer::Asked& asked) {
    if (asked.connection == 1 && asked.head.starts_with("POST")) return Reply{"", true};
    return echo(asked);
  }};
  ClientStage stage{server.url("/")};
  CHECK(stage.ask(stage.get(server.url("/"))).ok());
  HttpRequest post = stage.get(server.url("/report"));
  post.method = Method::kPost;
  post.body = "{}";
  CHECK(stage.ask(std::move(post)).body == "POST /report{}");
  CHECK(server.connections() == 2);
  CHECK(stage.http().requests_broken() == 0);
}

TEST_CASE("a new connection that breaks without an answer is an error") {
  SmallServer server{[](const SmallServer::Asked&) { return Reply{"", true}; }};
  ClientStage stage{server.url("/")};
  const HttpAnswer answer = stage.ask(stage.get(server.url("/")));
  CHECK_FALSE(answer.complete);
  CHECK(answer.head.status == 0);
  CHECK_FALSE(answer.error.empty());
  CHECK(server.asked().size() == 1);
  CHECK(stage.http().requests_broken() == 1);
}

TEST_CASE("an answer that breaks off is not complete, and not asked for again") {
  SmallServer server{[](const SmallServer::Asked&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true};
  }};
  ClientStage stage{server.url("/")};
  const HttpAnswer answer = stage.ask(stage.get(server.url("/")));
  CHECK_FALSE(answer.complete);
  CHECK(answer.head.status == 200);
  CHECK(answer.error == "transfer closed with outstanding read data remaining");
  CHECK(server.asked().size() == 1);
}

TEST_CASE("an answer that says so is the last one of its connection") {
  SmallServer server{[](const SmallServer::Asked&) {
    return Reply{ok("x", "Connection: close\r\n"), false};
  }};
  ClientStage stage{server.url("/")};
  for (int i = 0; i < 2; ++i) CHECK(stage.ask(stage.get(server.url("/"))).ok());
  CHECK(server.connections() == 2);
}

TEST_CASE("a server that says nothing is given up after the timeout") {
  SmallServer server{[](const SmallServer::Asked&) { return Reply{}; }};
  HttpSettings settings = settings_for(server.url("/"));
  settings.timeout = 50ms;
  ClientStage stage{settings};
  const HttpAnswer answer = stage.ask(stage.get(server.url("/")));
  CHECK_FALSE(answer.complete);
  CHECK(answer.error == "Timeout was reached");
  CHECK(answer.elapsed >= 50ms);
  CHECK(stage.turn_until([&] { return server.ended() == 1; }));
  CHECK(server.asked().size() == 1);
}

TEST_CASE("nobody at home is an error, and so is a host that nobody knows") {
  std::string nobody;
  {
    const SmallServer gone{echo};
    nobody = gone.url("/");
  }
  ClientStage stage{nobody};
  CHECK(stage.ask(stage.get(nobody)).error == "Connection refused");
  CHECK(stage.ask(stage.get("http://no-such-host.invalid/")).error == "Couldn't resolve host name");
  CHECK_FALSE(stage.ask(stage.get("gopher://x/")).error.empty());
}

TEST_CASE("redirects are followed, with credentials for the server alone") {
  SmallServer cdn{echo};
  std::string to_cdn;
  SmallServer server{[&](const SmallServer::Asked& asked) {
    if (asked.head.starts_with("GET /old"))
      return Reply{ok("", "Location: /next\r\n", "302 Found"), false};
    return Reply{ok("", "Location: " + to_cdn + "\r\n", "307 Temporary Redirect"), false};
  }};
  to_cdn = cdn.url("/file");
  ClientStage stage{server.url("/")};
  CHECK(stage.ask(stage.get(server.url("/old"))).body == "GET /file");
  REQUIRE(server.asked().size() == 2);
  CHECK(server.asked()[1].head.find("Authorization: TargetToken secret") != std::string::npos);
  CHECK(cdn.asked()[0].head.find("Authorization") == std::string::npos);
}

TEST_CASE("a redirect without end is answered as it is") {
  SmallServer server{[](const SmallServer::Asked&) {
    return Reply{ok("", "Location: /again\r\n", "301 Moved Permanently"), false};
  }};
  ClientStage stage{server.url("/")};
  CHECK(stage.ask(stage.get(server.url("/"))).head.status == 301);
  CHECK(server.asked().size() == 6);
}

TEST_CASE("a download streams, may be broken off, and is read no faster than it may be") {
  const std::string content(40'000, 'x');
  SmallServer server{[&](const SmallServer::Asked&) { return Reply{ok(content), false}; }};
  ClientStage stage{server.url("/")};
  std::size_t taken = 0;
  HttpRequest request = stage.get(server.url("/file"));
  request.is_artifact = true;
  request.bytes_per_s_max = 200'000;
  request.on_data = [&](const HttpHead& head, std::string_view bytes) {
    CHECK(head.length == 40'000);
    taken += bytes.size();
    return Taken::kAll;
  };
  const HttpAnswer whole = stage.ask(HttpRequest{request});
  CHECK(whole.complete);
  CHECK(whole.body.empty());
  CHECK(taken == content.size());
  CHECK(whole.elapsed >= 100ms);  // a fifth of a second without the first piece
  request.on_data = [](const HttpHead&, std::string_view) { return Taken::kNotWanted; };
  CHECK_FALSE(stage.ask(std::move(request)).complete);
}

TEST_CASE("a body that is announced is sent when the server asks for it, or after a second") {
  SmallServer silent{echo};
  SmallServer asking{echo, SmallServer::Continue::kAsks};
  const auto put_to = [](const SmallServer& server) {
    ClientStage stage{server.url("/")};
    HttpRequest put = stage.get(server.url("/data"));
    put.method = Method::kPut;
    put.body = "{\"a\":1}";
    put.expects_continue = true;
    return stage.ask(std::move(put));
  };
  const HttpAnswer prompt = put_to(asking);
  CHECK(prompt.body == "PUT /data{\"a\":1}");
  CHECK(prompt.elapsed < 1s);
  const HttpAnswer late = put_to(silent);
  CHECK(late.body == "PUT /data{\"a\":1}");
  CHECK(late.elapsed >= 1s);
}

TEST_CASE("a cancelled request has no answer, and its connection is broken off") {
  SmallServer server{[](const SmallServer::Asked&) { return Reply{}; }};
  ClientStage stage{server.url("/")};
  bool answered = false;
  {
    const HttpTicket ticket =
        stage.http().send(stage.get(server.url("/")), [&](const HttpAnswer&) { answered = true; });
    CHECK(stage.turn_until([&] { return server.asked().size() == 1; }));
  }
  CHECK(stage.turn_until([&] { return server.ended() == 1; }));
  CHECK_FALSE(answered);
  CHECK(stage.http().in_flight() == 0);
}

TEST_CASE("a device that hangs up closes what it does not use") {
  SmallServer server{echo};
  ClientStage stage{server.url("/")};
  CHECK(stage.ask(stage.get(server.url("/"))).ok());
  stage.http().hang_up(stage.caller());
  CHECK(stage.turn_until([&] { return server.ended() == 1; }));
  CHECK(stage.ask(stage.get(server.url("/"))).ok());
  CHECK(server.connections() == 2);
}

TEST_CASE("answers 401 are counted") {
  SmallServer server{[](const SmallServer::Asked&) {
    return Reply{ok("", "", "401 Unauthorized"), false};
  }};
  ClientStage stage{server.url("/")};
  CHECK(stage.ask(stage.get(server.url("/"))).head.status == 401);
  CHECK(stage.http().unauthorized() == 1);
}
