// tools/otasim/net: TLS: whom a device trusts, who it is, and what its next connection costs.
#include "tools/otasim/net/tls_client.hpp"

#include <doctest/doctest.h>

#include "tests/tools/net/client_stage.hpp"
#include "tests/tools/net/small_server.hpp"
#include "tests/tools/net/test_certificates.hpp"

using namespace ota::sim;
using namespace ota::sim::test;

namespace {

Reply hello(const SmallServer::Asked& asked) {
  const bool last = asked.head.find(" /last ") != std::string::npos;
  return {ok(std::string(100'000, 'x'), last ? "Connection: close\r\n" : ""), false};
}

// An authority, a server that it vouches for, and files.
struct TlsScene {
  explicit TlsScene(const std::string& names = "IP:127.0.0.1,DNS:localhost", bool asks_clients = false)
      : server(hello, ServerTls{authority.issue("server", names),
                                asks_clients ? clients.certificate() : ""}),
        ca_file(directory.write("ca.pem", authority.certificate())) {}

  HttpSettings settings(const std::string& host = "127.0.0.1") const {
    HttpSettings result = settings_for(server.url("/", host));
    result.tls.ca_file = ca_file;
    return result;
  }

  TestDirectory directory;
  TestAuthority authority{"authority"};
  TestAuthority clients{"device authority"};
  SmallServer server;
  std::string ca_file;
};

}  // namespace

TEST_CASE("a server that the authority vouches for is spoken to, by address and by name") {
  const TlsScene scene;
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    ClientStage stage{scene.settings(host)};
    const HttpAnswer answer = stage.ask(stage.get(scene.server.url("/", host)));
    CHECK(answer.ok());
    CHECK(answer.error.empty());
    CHECK(answer.body.size() == 100'000);
  }
  REQUIRE(scene.server.asked().size() == 2);
  CHECK(scene.server.asked()[0].asked_name.empty());  // an address is no name
  CHECK(scene.server.asked()[1].asked_name == "localhost");
}

TEST_CASE("a server of another name, or of nobody's, is not spoken to") {
  const TlsScene other{"DNS:elsewhere.example,IP:127.0.0.2"};
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    ClientStage stage{other.settings(host)};
    const HttpAnswer answer = stage.ask(stage.get(other.server.url("/", host)));
    CHECK_FALSE(answer.complete);
    CHECK(answer.error.find("mismatch") != std::string::npos);
  }
  const TlsScene scene;
  HttpSettings settings = scene.settings();
  settings.tls.ca_file = other.ca_file;
  ClientStage stage{settings};
  const HttpAnswer answer = stage.ask(stage.get(scene.server.url("/")));
  CHECK_FALSE(answer.complete);
  CHECK(answer.error.starts_with("SSL connect error"));
  CHECK(other.server.asked().empty());
  CHECK(scene.server.asked().empty());
}

TEST_CASE("whoever does not want to check, does not") {
  const TlsScene scene{"DNS:elsewhere.example"};
  HttpSettings settings = scene.settings();
  settings.tls = {"", true};
  ClientStage stage{settings};
  CHECK(stage.ask(stage.get(scene.server.url("/"))).ok());
}

TEST_CASE("authorities that cannot be read are named") {
  CHECK_THROWS_WITH_AS((TlsClient{{"/nonexistent/ca.pem", false}}),
                       doctest::Contains("/nonexistent/ca.pem"), std::runtime_error);
}

TEST_CASE("the next connection of a device resumes its session, whatever became of the last one") {
  const TlsScene scene;
  ClientStage stage{scene.settings()};
  CHECK(stage.ask(stage.get(scene.server.url("/last"))).ok());
  CHECK(stage.ask(stage.get(scene.server.url("/"))).ok());
  HttpRequest broken_off = stage.get(scene.server.url("/"));
  broken_off.on_data = [](const HttpHead&, std::string_view) { return Taken::kNotWanted; };
  CHECK_FALSE(stage.ask(std::move(broken_off)).complete);
  CHECK(stage.ask(stage.get(scene.server.url("/"))).ok());
  CHECK(stage.http().tls_handshakes() == 3);
  CHECK(stage.http().tls_resumed() == 2);
  const auto asked = scene.server.asked();
  CHECK_FALSE(asked.front().resumed);
  CHECK(asked.back().resumed);
}

TEST_CASE("no device resumes as another, nor uses its connection") {
  const TlsScene scene{"IP:127.0.0.1", true};
  HttpSettings settings = scene.settings();
  settings.connections_max = 1;
  ClientStage stage{settings};
  std::vector<CallerId> devices;
  for (const std::string name : {"sim-1", "sim-2"})
    devices.push_back(stage.http().add_caller(
        {name, {}, scene.directory.write(name + ".pem", scene.clients.issue(name, ""))}));
  for (int round = 0; round < 2; ++round)
    for (const CallerId device : devices) {
      HttpRequest request = stage.get(scene.server.url("/"));
      request.caller = device;
      CHECK(stage.ask(std::move(request)).ok());
    }
  const auto asked = scene.server.asked();
  REQUIRE(asked.size() == 4);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CHECK(asked[i].client == (i % 2 == 0 ? "sim-1" : "sim-2"));
    CHECK(asked[i].resumed == (i >= 2));
  }
}

TEST_CASE("a device without a certificate, or with one of another authority, is not let in") {
  const TlsScene scene{"IP:127.0.0.1", true};
  ClientStage stage{scene.settings()};
  HttpRequest request = stage.get(scene.server.url("/"));
  CHECK_FALSE(stage.ask(HttpRequest{request}).complete);
  request.caller = stage.http().add_caller(
      {"alien", {}, scene.directory.write("alien.pem", scene.authority.issue("alien", ""))});
  CHECK_FALSE(stage.ask(HttpRequest{request}).complete);
  request.caller = stage.http().add_caller({"none", {}, scene.directory.path() + "/none.pem"});
  const std::string error = stage.ask(std::move(request)).error;
  CHECK_MESSAGE(error.starts_with("SSL connect error"), error);
  CHECK(scene.server.asked().empty());
}

TEST_CASE("for a connection a device waits as long as it is told to, for an answer another while") {
  const SmallServer mute{[](const SmallServer::Asked&) { return Reply{}; }};  // says nothing of TLS
  const std::string url = "https://127.0.0.1:" + std::to_string(mute.port()) + "/";
  HttpSettings settings = settings_for(url);
  settings.connect_timeout = std::chrono::milliseconds{20};
  ClientStage impatient{settings};
  CHECK(impatient.ask(impatient.get(url)).error == "Timeout was reached");

  const TestAuthority authority{"authority"};
  const SmallServer greets{[](const SmallServer::Asked&) { return Reply{}; },
                           ServerTls{authority.issue("server", "IP:127.0.0.1"), ""}};
  settings = settings_for(greets.url("/"));
  settings.tls.insecure = true;
  settings.timeout = std::chrono::milliseconds{200};
  ClientStage patient{settings};
  CHECK(patient.ask(patient.get(greets.url("/"))).error == "Timeout was reached");
  CHECK(patient.http().tls_handshakes() == 1);
}
