// Who gets in as a device, and who does not (spec/ddi.md section 8).
#include <doctest/doctest.h>

#include "tests/http/api_stage.hpp"

using namespace ota;
using namespace ota::http;
using nlohmann::json;
using test::ApiStage;

namespace {

const std::string kGateway = "a-gateway-of-our-own";
const std::string kOther = "another-gateway-tokn";

ApiOptions guarded() {
  ApiOptions options;
  options.device_auth.identity_header = "X-Controller-Id";
  options.device_auth.gateway_tokens = {kGateway, kOther};
  options.device_auth.authorities = {"Acme Device CA"};
  return options;
}

std::string gateway(const std::string& token = kGateway) { return "Authorization: GatewayToken " + token + "\r\n"; }
std::string target(const std::string& token) { return "Authorization: TargetToken " + token + "\r\n"; }

// A device that is known, and its token.
struct Known {
  explicit Known(ApiOptions options = guarded()) : stage(std::move(options)) {
    REQUIRE(stage.admin("PUT", "/devices/d", R"({"device_model":"SF-100"})").status == 201);
    REQUIRE(stage.admin("PUT", "/devices/other", R"({"device_model":"SF-100"})").status == 201);
  }
  std::string token(const std::string& id = "d") {
    return stage.admin("GET", "/devices/" + id + "/token").json()["token"];
  }
  int poll(const std::string& fields, const std::string& id = "d") { return stage.ddi("GET", "/" + id, "", fields).status; }
  ApiStage stage;
};

const std::string kPath = "/DEFAULT/controller/v1/d";

}  // namespace

TEST_CASE("without credentials nobody is a device, and is told nothing") {
  Known known;
  const auto refused = known.stage.ddi("GET", "/d");
  CHECK(refused.status == 401);
  CHECK(refused.body.empty());
  CHECK(known.poll("Authorization: Bearer abc\r\n") == 401);
  CHECK(known.poll("Authorization: TargetToken\r\n") == 401);
  CHECK(known.poll("Authorization: \r\n") == 401);
  CHECK(known.stage.ddi("PUT", "/d/configData", R"({"data":{"a":"b"}})").status == 401);
  CHECK(known.stage.ddi("GET", "/d/softwaremodules/1/artifacts/f.bin").status == 401);
  CHECK(known.stage.admin("GET", "/devices/d").json()["attributes"].contains("a") == false);
}

TEST_CASE("an address that shows one wrong secret after the other is refused, and whoever shows a right one there is not") {
  auto options = guarded();
  options.device_rates.address_writes = {0.001, 5};
  Known known(std::move(options));
  const Peer peer{"192.0.2.1"};
  const auto poll = [&](const std::string& fields) { return known.stage.ask_as(peer, "GET", kPath, fields); };
  for (int i = 0; i < 5; ++i) CHECK(poll("Authorization: TargetToken wrong\r\n").status == 401);
  const auto refused = poll("Authorization: TargetToken wrong\r\n");
  CHECK(refused.status == 429);
  CHECK(refused.body.empty());
  CHECK_FALSE(refused.header("Retry-After").empty());
  CHECK(poll(target(known.token())).status == 200);
}

TEST_CASE("a device's own token lets it in, as itself and nobody else") {
  Known known;
  const auto token = known.token();
  CHECK(token.size() == 32);
  CHECK(known.poll(target(token)) == 200);
  CHECK(known.poll("Authorization: targettoken   " + token + "\r\n") == 200);
  CHECK(known.poll(target(token), "other") == 401);
  CHECK(known.poll(target(known.token("other"))) == 401);
  CHECK(known.poll(target(token.substr(1))) == 401);
  CHECK(known.poll(target(token + "0")) == 401);
}

TEST_CASE("a token of an id that nobody has registered registers nobody") {
  Known known;
  CHECK(known.poll(target(std::string(32, '0')), "stranger") == 401);
  CHECK(known.stage.admin("GET", "/devices/stranger").status == 404);
}

TEST_CASE("a token is replaced at once, or after a grace") {
  Known known;
  const auto first = known.token();
  SUBCASE("at once") {
    const auto answer = known.stage.admin("POST", "/devices/d/token/rotate").json();
    CHECK(answer["generation"] == 1);
    CHECK(answer["previous_valid_until"].is_null());
    CHECK(answer["token"] != first);
    CHECK(known.poll(target(first)) == 401);
    CHECK(known.poll(target(answer["token"])) == 200);
  }
  SUBCASE("after a grace") {
    const auto answer = known.stage.admin("POST", "/devices/d/token/rotate", R"({"grace_minutes":10})").json();
    CHECK(answer["previous_valid_until"].is_string());
    CHECK(known.poll(target(first)) == 200);
    CHECK(known.poll(target(answer["token"])) == 200);
    known.stage.advance(std::chrono::minutes(11));
    CHECK(known.poll(target(first)) == 401);
    CHECK(known.poll(target(answer["token"])) == 200);
    CHECK(known.stage.admin("GET", "/devices/d/token").json()["previous_valid_until"].is_null());
  }
  SUBCASE("again under the same key") {
    const auto key = "Idempotency-Key: k1\r\n";
    const auto once = known.stage.admin("POST", "/devices/d/token/rotate", "{}", key).json();
    CHECK(known.stage.admin("POST", "/devices/d/token/rotate", "{}", key).json()["generation"] == once["generation"]);
  }
  SUBCASE("with a grace that cannot be") {
    CHECK(known.stage.admin("POST", "/devices/d/token/rotate", R"({"grace_minutes":-1})").status == 422);
  }
}

TEST_CASE("nobody has the token of a device that is not there") {
  Known known;
  CHECK(known.stage.admin("GET", "/devices/nobody/token").status == 404);
  CHECK(known.stage.admin("POST", "/devices/nobody/token/rotate").status == 404);
  known.stage.admin("DELETE", "/devices/d");
  CHECK(known.stage.admin("GET", "/devices/d/token").status == 404);
}

TEST_CASE("a gateway's token acts for every device, and registers whom it does not know") {
  Known known;
  CHECK(known.poll(gateway()) == 200);
  CHECK(known.poll(gateway(kOther), "new") == 200);
  CHECK(known.poll(gateway("a-gateway-of-their-own")) == 401);
  CHECK(known.stage.admin("GET", "/devices/new").status == 200);
}

TEST_CASE("without plug and play nobody is registered by coming") {
  auto options = guarded();
  options.device_auth.plug_and_play = false;
  Known known(std::move(options));
  CHECK(known.poll(gateway(), "new") == 404);
  CHECK(known.poll(gateway()) == 200);
  CHECK(known.stage.admin("GET", "/devices/new").status == 404);
}

TEST_CASE("a certificate that our listener verified stands for its common name alone") {
  Known known;
  Peer peer{"192.0.2.1"};
  peer.encrypted = true;
  peer.certificate = "d";
  CHECK(known.stage.ask_as(peer, "GET", kPath).status == 200);
  CHECK(known.stage.ask_as(peer, "GET", "/DEFAULT/controller/v1/other").status == 401);
  // What it shows besides does not make it another one.
  CHECK(known.stage.ask_as(peer, "GET", "/DEFAULT/controller/v1/other", gateway()).status == 401);
}

TEST_CASE("a certificate that names nobody lets nobody in, also where no certificate would") {
  auto options = guarded();
  options.device_auth.anonymous = true;
  Known known(std::move(options));
  Peer peer{"192.0.2.1"};
  CHECK(known.stage.ask_as(peer, "GET", kPath).status == 200);
  peer.certificate = kNobody;
  CHECK(known.stage.ask_as(peer, "GET", kPath).status == 401);
  CHECK(known.stage.ask_as(peer, "GET", kPath, gateway()).status == 401);
}

TEST_CASE("the headers of a proxy are believed from the networks that are named, with an authority that is") {
  Known known;
  const auto proxies = IpNetworks::parse("10.1.0.0/16");
  const std::string named = "X-Controller-Id: d\r\nX-Authority: Some CA; acme device ca\r\n";
  Peer proxy{"10.1.2.3"};
  proxy.trusted_proxies = &proxies;
  CHECK(known.stage.ask_as(proxy, "GET", kPath, named).status == 200);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: d\r\nX-Authority-1: Some CA\r\nX-Authority-2: Acme Device CA\r\n")
            .status == 200);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: d\r\nX-Authority-1: Some CA\r\nX-Authority-3: Acme Device CA\r\n")
            .status == 401);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: other\r\nX-Authority: Acme Device CA\r\n").status == 401);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: d\r\n").status == 401);
  Peer stranger{"10.2.2.3"};
  stranger.trusted_proxies = &proxies;
  CHECK(known.stage.ask_as(stranger, "GET", kPath, named).status == 401);
  CHECK(known.stage.ask_as({"127.0.0.1"}, "GET", kPath, named).status == 401);
}

TEST_CASE("the headers of a proxy are nobody's word unless an operator says that it sets them") {
  auto options = guarded();
  options.device_auth.identity_header = DeviceAuthOptions().identity_header;
  options.device_auth.authorities = {};
  Known known(std::move(options));
  const auto proxies = IpNetworks::parse("10.1.0.0/16");
  Peer proxy{"10.1.2.3"};
  proxy.trusted_proxies = &proxies;
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: d\r\n").status == 401);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, "X-Controller-Id: other\r\n" + target(known.token())).status == 200);
}

TEST_CASE("a credential that is shown twice is none") {
  Known known;
  const auto proxies = IpNetworks::parse("10.1.0.0/16");
  Peer proxy{"10.1.2.3"};
  proxy.trusted_proxies = &proxies;
  const std::string named = "X-Controller-Id: d\r\nX-Authority: Acme Device CA\r\n";
  CHECK(known.stage.ask_as(proxy, "GET", kPath, named).status == 200);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, named + "X-Controller-Id: other\r\n").status == 401);
  CHECK(known.stage.ask_as(proxy, "GET", kPath, named + "X-Authority: Some CA\r\n").status == 401);
  CHECK(known.poll(target(known.token()) + target(known.token("other"))) == 401);
  CHECK(known.poll(target(known.token("other")) + target(known.token())) == 401);
}

TEST_CASE("a client's address and its way here are what the trusted proxies say, and nothing that it said itself") {
  Known known;
  const auto proxies = IpNetworks::parse("10.1.0.0/16");
  const auto ask = [&](const std::string& address, const std::string& fields) {
    Peer peer{address};
    peer.trusted_proxies = &proxies;
    return known.stage.ask_as(peer, "GET", kPath, gateway() + fields);
  };
  const auto seen = [&](const std::string& address, const std::string& fields) -> std::string {
    REQUIRE(ask(address, fields).status == 200);
    return known.stage.admin("GET", "/devices/d").json()["address"];
  };
  CHECK(seen("10.1.2.3", "X-Forwarded-For: 192.0.2.7\r\n") == "192.0.2.7");
  CHECK(seen("10.1.2.3", "X-Forwarded-For: 192.0.2.66, 192.0.2.7\r\n") == "192.0.2.7");
  CHECK(seen("10.1.2.3", "X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-For: 192.0.2.7\r\n") == "192.0.2.7");
  CHECK(seen("10.1.2.3", "X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-For: 192.0.2.7, 10.1.9.9\r\n") == "192.0.2.7");
  CHECK(seen("10.1.2.3", "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.1.9.9\r\n") == "192.0.2.7");
  CHECK(seen("10.1.2.3", "X-Forwarded-For: nonsense\r\n") == "10.1.2.3");
  CHECK(seen("192.0.2.9", "X-Forwarded-For: 192.0.2.7\r\n") == "192.0.2.9");

  const auto link = [&](const std::string& address, const std::string& fields) {
    const std::string href = ask(address, fields).json()["_links"]["configData"]["href"];
    return href.substr(0, href.find("/DEFAULT"));
  };
  const std::string https = "X-Forwarded-Proto: https\r\n";
  CHECK(link("192.0.2.9", https + "X-Forwarded-Host: evil.example\r\n").find("evil") == std::string::npos);
  CHECK(link("10.1.2.3", https + "X-Forwarded-Host: ota.example\r\nX-Forwarded-Port: 443\r\n") == "https://ota.example");
  CHECK(link("10.1.2.3", https + "X-Forwarded-Host: ota.example\r\nX-Forwarded-Port: 8443\r\n") == "https://ota.example:8443");
  CHECK(link("10.1.2.3", https + "X-Forwarded-Host: [2001:db8::1]\r\nX-Forwarded-Port: 8443\r\n") == "https://[2001:db8::1]:8443");
  CHECK(link("10.1.2.3", "X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: ota.example, inner\r\n") == "https://ota.example");
}

TEST_CASE("where nobody needs credentials a wrong one is wrong all the same") {
  auto options = guarded();
  options.device_auth.anonymous = true;
  Known known(std::move(options));
  CHECK(known.poll("") == 200);
  CHECK(known.poll("", "new") == 200);
  CHECK(known.poll(target("0123")) == 401);
  CHECK(known.poll(gateway("a-gateway-of-their-own")) == 401);
}

TEST_CASE("target tokens can be switched off") {
  auto options = guarded();
  options.device_auth.target_token = false;
  Known known(std::move(options));
  CHECK(known.poll(target(known.token())) == 401);
}

TEST_CASE("a signed link is good by itself, for its path and its time") {
  auto options = ApiStage::open_to_devices();
  options.device_auth.signed_links = true;
  options.device_auth.link_life = std::chrono::hours(1);
  ApiStage stage(std::move(options));
  stage.device("d");
  stage.campaign(stage.firmware("2.0.0"), {"d"});
  const auto action = stage.offered("d");
  const auto artifact = stage.ddi("GET", "/d/deploymentBase/" + action).json()["deployment"]["chunks"][0]["artifacts"][0];
  const std::string link = artifact["_links"]["download-http"]["href"];
  const auto path = link.substr(link.find("/DEFAULT"));
  REQUIRE(path.find("?expires=") != std::string::npos);
  // A credential that is wrong shows that it is the link that counts.
  const auto wrong = gateway("a-gateway-of-their-own");
  CHECK(stage.ask_as({"127.0.0.1"}, "HEAD", path, wrong).status == 200);
  CHECK(stage.ask_as({"127.0.0.1"}, "HEAD", path.substr(0, path.find('?')), wrong).status == 401);
  auto other = path;
  other.replace(other.find("/d/"), 3, "/e/");
  CHECK(stage.ask_as({"127.0.0.1"}, "HEAD", other, wrong).status == 401);
  auto later = path;
  later.replace(later.find("expires=") + 8, 1, "9");
  CHECK(stage.ask_as({"127.0.0.1"}, "HEAD", later, wrong).status == 401);
  SUBCASE("the same is said when it is asked again") {
    CHECK(stage.ddi("GET", "/d/deploymentBase/" + action).json()["deployment"]["chunks"][0]["artifacts"][0] == artifact);
  }
  SUBCASE("its time is over") {
    stage.advance(std::chrono::hours(3));
    CHECK(stage.ask_as({"127.0.0.1"}, "HEAD", path, wrong).status == 401);
  }
}

TEST_CASE("where devices alone are let in there is nothing to administer") {
  Known known;
  Peer peer{"192.0.2.1"};
  peer.devices_only = true;
  CHECK(known.stage.ask_as(peer, "GET", kPath, gateway()).status == 200);
  CHECK(known.stage.ask_as(peer, "GET", "/api/v1/ota/devices").status == 404);
  CHECK(known.stage.ask_as(peer, "POST", "/api/v1/ota/devices").status == 404);
  CHECK(known.stage.ask_as(peer, "OPTIONS", "/api/v1/ota/devices").status == 404);
  CHECK(known.stage.ask_as({"192.0.2.1"}, "GET", "/api/v1/ota/devices").status == 200);
}
