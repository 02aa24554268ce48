#include "gateways/mqtt/topics.hpp"

#include <doctest/doctest.h>

using namespace ota;
using gateways::mqtt::decode_level;
using gateways::mqtt::encode_level;
using gateways::mqtt::Topics;

TEST_CASE("an id is one level of a topic, whatever is in it") {
  const std::pair<const char*, const char*> known[]{
      {"pump-7", "pump-7"},      {"Pump_7", "Pump_7"},       {"pump 7", "pump%207"},   {"a.b", "a%2Eb"},
      {"a/b", "a%2Fb"},          {"a+b#c", "a%2Bb%23c"},     {"*>", "%2A%3E"},         {"50%", "50%25"},
      {"\xC3\xBC", "%C3%BC"},    {"a:b@c~", "a%3Ab%40c%7E"},
  };
  for (const auto& [text, level] : known) {
    CAPTURE(text);
    CHECK(encode_level(text) == level);
    CHECK(decode_level(level) == text);
  }
}

TEST_CASE("an id has one spelling: every other is nobody's") {
  for (const auto* level : {"pump%2d7", "pump%2D7", "%61", "a.b", "a b", "%", "%2", "%2G", "a%20%", "\xC3\xBC", "%c3%bc"}) {
    CAPTURE(level);
    CHECK_FALSE(decode_level(level).has_value());
  }
}

TEST_CASE("a device's topics, and who speaks on a subject") {
  const Topics topics("DEFAULT");
  const domain::DeviceId device{"pump 7/1"};
  CHECK(topics.up(device) == "ota/DEFAULT/pump%207%2F1/up");
  CHECK(topics.down(device) == "ota/DEFAULT/pump%207%2F1/down");
  CHECK(topics.reply(device) == "ota/DEFAULT/pump%207%2F1/reply");
  CHECK(topics.up_subjects() == "ota.DEFAULT.*.up");
  CHECK(topics.speaker("ota.DEFAULT.pump%207%2F1.up") == device);
  for (const auto* subject : {"ota.DEFAULT.pump.down", "ota.OTHER.pump.up", "ota.DEFAULT..up", "ota.DEFAULT.up", "ota.DEFAULT.a.b.up",
                              "ota.DEFAULT.%0A.up", "ota.DEFAULT.%FF.up", "ota.DEFAULT.pump%2D7.up", ""}) {
    CAPTURE(subject);
    CHECK_FALSE(topics.speaker(subject).has_value());
  }
  CHECK_FALSE(topics.speaker("ota.DEFAULT." + std::string(257, 'a') + ".up").has_value());
  CHECK(Topics("MY TENANT").up(device) == "ota/MY%20TENANT/pump%207%2F1/up");
}
