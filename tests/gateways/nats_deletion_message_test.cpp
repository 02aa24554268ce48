#include <doctest/doctest.h>

#include "gateways/nats/deletion_listener.hpp"
#include "gateways/nats/deletion_message.hpp"

using namespace ota::gateways::nats;

namespace {

Deletion understood(std::string_view body, const char* field = "device_id") {
  const auto parsed = parse_deletion(body, field);
  REQUIRE(std::holds_alternative<Deletion>(parsed));
  return std::get<Deletion>(parsed);
}

std::string refused(std::string_view body) {
  const auto parsed = parse_deletion(body, "device_id");
  REQUIRE(std::holds_alternative<Malformed>(parsed));
  return std::get<Malformed>(parsed).why;
}

}  // namespace

TEST_CASE("a deletion may come bare") {
  const auto deletion = understood(R"({"device_id": "dev-1"})");
  CHECK(deletion.id == "dev-1");
  CHECK(deletion.event_id.empty());
  CHECK(deletion.correlation.empty());
}

TEST_CASE("a deletion may come in the platform's envelope") {
  const auto deletion = understood(
      R"({"id": "e-1", "type": "device.deleted", "source": "device_service", "data": {"device_id": "dev 1"},)"
      R"("metadata": {"correlation_id": "r-1"}, "version": "1.0.0"})");
  CHECK(deletion.id == "dev 1");
  CHECK(deletion.event_id == "e-1");
  CHECK(deletion.correlation == "r-1");
}

TEST_CASE("what the envelope holds beside the device does not have to be right") {
  const auto deletion =
      understood(R"({"id": 7, "data": {"device_id": "d"}, "metadata": {"correlation_id": null}})");
  CHECK(deletion.event_id.empty());
  CHECK(deletion.correlation.empty());
  CHECK(understood(R"({"device_id": "d", "data": null, "metadata": []})").id == "d");
  const std::string long_text(300, 'x');
  CHECK(understood(R"({"device_id": "d", "id": ")" + long_text + R"("})").event_id.empty());
}

TEST_CASE("of a user the same fields are read") {
  CHECK(understood(R"({"user_id": "anna"})", "user_id").id == "anna");
  CHECK(understood(R"({"id": "e-2", "type": "user.deleted", "data": {"user_id": "bob"}})", "user_id").event_id == "e-2");
}

TEST_CASE("a malformed deletion says what is wrong and shows the value") {
  CHECK(refused("") == R"(not JSON: "")");
  CHECK(refused("{\"device_id\": \"d\"") == R"(not JSON: "{\"device_id\": \"d\"")");
  CHECK(refused("[1]") == R"(not a JSON object: "[1]")");
  CHECK(refused(R"({"data": {}})") == R"(device_id is missing: "{\"data\": {}}")");
  CHECK(refused(R"({"device_id": 7})") == R"(device_id is not a text: "{\"device_id\": 7}")");
  CHECK(refused(R"({"device_id": ""})") ==
        R"(device_id "" is not 1-256 characters without control characters)");
  CHECK(refused(R"({"device_id": "a\nb"})") ==
        R"(device_id "a\nb" is not 1-256 characters without control characters)");
}

TEST_CASE("of a malformed deletion of a user nothing is quoted, which may be a name") {
  for (const auto* body : {"anna", "[\"anna\"]", R"({"user": "anna"})", R"({"user_id": ["anna"]})", R"({"user_id": "anna\n"})"}) {
    const auto parsed = parse_deletion(body, "user_id");
    REQUIRE(std::holds_alternative<Malformed>(parsed));
    const auto& why = std::get<Malformed>(parsed).why;
    CHECK(why.find("anna") == why.npos);
    CHECK(why.find(" bytes)") != why.npos);
  }
}

TEST_CASE("bytes from outside are shown as text, and not all of them") {
  CHECK(shown("a\xff\x01") == "\"a\xef\xbf\xbd\\u0001\"");
  CHECK(shown(std::string(5'000, 'x')) == '"' + std::string(200, 'x') + "\" (5000 bytes in all)");
}

TEST_CASE("a deeply nested message does no harm") {
  CHECK(refused(std::string(100'000, '[') + std::string(100'000, ']'))
            .starts_with("not a JSON object"));
}

TEST_CASE("the durable consumer is named after what it listens to") {
  CHECK(durable_name("device_service.device.deleted") ==
        "ota_service_device_service_device_deleted");
  CHECK(durable_name("*.device.>") == "ota_service_any_device_all");
}

TEST_CASE("a stream is created only for a subject that names its service") {
  CHECK(conventional_service("device_service.device.deleted") == "device_service");
  CHECK(conventional_service("device_service.>") == "device_service");
  CHECK(conventional_service("*.device.deleted").empty());
  CHECK(conventional_service(">").empty());
  CHECK(conventional_service("deleted").empty());
}
