#include "gateways/nats/message.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace ota;
using gateways::nats::iso_time;
using gateways::nats::make_message;
using gateways::nats::message_id;
using nlohmann::ordered_json;

namespace {

domain::Time at_us(std::int64_t us) { return domain::Time(std::chrono::microseconds(us)); }

}  // namespace

TEST_CASE("times are ISO 8601 in UTC with microseconds") {
  CHECK(iso_time(at_us(1'765'792'800'678'901)) == "2025-12-15T10:00:00.678901Z");
  CHECK(iso_time(at_us(0)) == "1970-01-01T00:00:00.000000Z");
  CHECK(iso_time(at_us(951'782'399'000'005)) == "2000-02-28T23:59:59.000005Z");
}

TEST_CASE("the id of a message is the UUID version 5 of its event's position and time, for ever") {
  CHECK(message_id({7}, at_us(1'765'792'800'678'901)) == "65ae8a25-604c-56ec-b3dd-1f2440daa55e");
}

TEST_CASE("another position, or another log with the same positions, has other message ids") {
  const auto id = message_id({7}, at_us(1));
  CHECK(message_id({8}, at_us(1)) != id);
  CHECK(message_id({7}, at_us(2)) != id);
  CHECK(message_id({7}, at_us(1)) == id);
}

TEST_CASE("a message is the envelope of the platform around its data") {
  const auto message = make_message({7}, at_us(1'765'792'800'678'901), "campaign.created", "req-1",
                                    ordered_json{{"campaign_id", "camp_1"}});
  CHECK(message.position == domain::Position{7});
  CHECK(message.id == "65ae8a25-604c-56ec-b3dd-1f2440daa55e");
  CHECK(message.subject == "ota_service.campaign.created");
  CHECK(
      message.body ==
      R"({"id":"65ae8a25-604c-56ec-b3dd-1f2440daa55e","type":"campaign.created","source":"ota_service",)"
      R"("subject":"ota_service.campaign.created","timestamp":"2025-12-15T10:00:00.678901Z",)"
      R"("data":{"campaign_id":"camp_1"},"metadata":{"correlation_id":"req-1","position":7},"version":"1.0.0"})");
}

TEST_CASE("an event that nobody asked for has no correlation id") {
  const auto message = make_message({1}, at_us(0), "update.cancelled", "", ordered_json::object());
  CHECK(ordered_json::parse(message.body)["metadata"]["correlation_id"].is_null());
}

TEST_CASE("text that is not UTF-8 is replaced, not a reason to stop") {
  const auto message =
      make_message({1}, at_us(0), "campaign.created", "", ordered_json{{"name", "a\xff"}});
  CHECK(ordered_json::parse(message.body)["data"]["name"] == "a\xef\xbf\xbd");
}
