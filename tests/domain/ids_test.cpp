// The text forms are on the wire and the binary forms in the log: both are for ever.
#include "domain/ids.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/domain/samples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr const char* kHex = "505152535455565758595a5b5c5d5e5f";  // kCampaign's bytes

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

std::string filled(std::string_view pattern) {
  std::string text;
  for (const char c : pattern) {
    if (c == '#' || c == '-') {
      text.append(kHex, c == '#' ? 32 : 31);
    } else {
      text.push_back(c);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("ids have these texts") {
  CHECK(to_text(kFirmware) == "101112131415161718191a1b1c1d1e1f");
  CHECK(to_text(kCampaign) == filled("camp_#"));
  CHECK(to_text(UpdateId::direct(kCampaign.bytes)) == filled("upd_#"));
  CHECK(to_text(UpdateId::in_campaign(kCampaign, {0xdeadbeef})) == filled("upd_#deadbeef0"));
  CHECK(to_text(UpdateId::in_campaign(kCampaign, {7}, 15)) == filled("upd_#00000007f"));
}

TEST_CASE("an id that was written is read back") {
  CHECK(parse_firmware_id(to_text(kFirmware)) == kFirmware);
  CHECK(parse_campaign_id(to_text(kCampaign)) == kCampaign);
  for (const auto& id : {kDirect, kUpdate, UpdateId::in_campaign(kCampaign, {0}),
                         UpdateId::in_campaign(kCampaign, {0xffffffff}, 15)}) {
    CHECK(parse_update_id(to_text(id)) == id);
    CHECK(update_id_from_binary(to_binary(id)) == id);
  }
}

TEST_CASE("a rollback is named after the suffix of its update, and is read back") {
  CHECK(to_rollback_text(UpdateId::direct(kCampaign.bytes)) == filled("rb_#"));
  CHECK(to_rollback_text(UpdateId::in_campaign(kCampaign, {7}, 15)) == filled("rb_#00000007f"));
  for (const auto& id : {kDirect, UpdateId::in_campaign(kCampaign, {0xffffffff}, 1)}) {
    CHECK(parse_rollback_id(to_rollback_text(id)) == id);
  }
  for (const char* text : {"", "rb_", "#", "upd_#", "RB_#", "rb_-", "rb_#0", "rb_-z", "rb_upd_#", "rb_#00000007g"}) {
    CHECK_FALSE(parse_rollback_id(filled(text)));
  }
}

TEST_CASE("upper-case hex means the same id") {
  CHECK(parse_firmware_id("101112131415161718191A1B1C1D1E1F") == kFirmware);
  CHECK(parse_campaign_id("camp_505152535455565758595A5B5C5D5E5F") == kCampaign);
}

TEST_CASE("an update of a campaign is told from its id alone, before it exists as events") {
  const auto id = parse_update_id(filled("upd_#000000070"));
  REQUIRE(id);
  CHECK(id->campaign() == kCampaign);
  CHECK(id->ordinal == kOrdinal);
  CHECK(id->kind == UpdateId::kDeployment);
  CHECK_FALSE(kDirect.campaign());
}

TEST_CASE("what is not an id is refused") {
  // # stands for the 32 digits, - for 31 of them.
  for (const char* text : {"", "-", "#0", "-z", "- ", "fw_#"}) {
    CHECK_FALSE(parse_firmware_id(filled(text)));
  }
  for (const char* text : {"camp_", "#", "CAMP_#", "camp #", "camp_#0", "upd_#", "camp_-g"}) {
    CHECK_FALSE(parse_campaign_id(filled(text)));
  }
  for (const char* text : {"upd_", "#", "rb_#", "upd_#0", "upd_#00000007", "upd_#0000000700",
                           "upd_#0000000g0", "upd_#00000007g", "upd_-z", "upd_-z000000070"}) {
    CHECK_FALSE(parse_update_id(filled(text)));
  }
}

TEST_CASE("the binary form of an update is 16 bytes, or 21 in a campaign, big endian") {
  CHECK(to_hex(to_binary(UpdateId::direct(kCampaign.bytes))) == kHex);
  CHECK(to_hex(to_binary(UpdateId::in_campaign(kCampaign, {0x01020304}, 5))) ==
        filled("#0102030405"));
  for (const std::size_t size : {0, 1, 15, 17, 20, 22}) {
    CHECK_FALSE(update_id_from_binary(std::string(size, 'x')));
  }
}

TEST_CASE("hex is two digits a byte, and nothing else is read as hex") {
  CHECK(to_hex(std::string("\x00\x7f\xff", 3)) == "007fff");
  CHECK(from_hex("007fFF") == std::string("\x00\x7f\xff", 3));
  CHECK(from_hex("") == "");
  for (const char* text : {"0", "0g", "g0", " 0", "0x"}) CHECK_FALSE(from_hex(text));
}

TEST_CASE("decision 20: a device id is 1 to 256 characters without control characters") {
  for (const auto& id : {std::string("a"), std::string("pump 7/ä"), repeated("x", 256),
                         repeated("ä", 256), std::string("\xF0\x9F\x9A\x80")}) {
    CHECK(is_valid_device_id(id));
  }
  for (const auto& id : {std::string(), repeated("x", 257), repeated("ä", 257), std::string("a\nb"),
                         std::string("a\0b", 3), std::string("\x7f"), std::string("\x1f"), std::string("\xc2\x80"),
                         std::string("a\xc2\x85"), std::string("\xc2\x9f"), std::string("."), std::string("..")}) {
    CHECK_FALSE(is_valid_device_id(id));
  }
  for (const auto& id : {std::string("\xc2\xa0"), std::string("\xc3\x85"), std::string("..."), std::string(".a")}) {
    CHECK(is_valid_device_id(id));
  }
}

TEST_CASE("decision 20: a device id is UTF-8, or it has no characters to count") {
  for (const char* broken :
       {"\x80", "\xC3", "a\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    CHECK_FALSE(is_valid_device_id(broken));
  }
}

TEST_CASE("a device id fits into a stream's name, however wide its characters") {
  CHECK(is_valid_device_id(repeated("\xE2\x82\xAC", 170)));        // 510 bytes
  CHECK(is_valid_device_id(repeated("\xF0\x9F\x9A\x80", 256)));  // 1,024 bytes
  CHECK_FALSE(is_valid_device_id(repeated("\xF0\x9F\x9A\x80", 257)));
}

TEST_CASE("decision 21: actions count on from the first, and skip every d x 10^k") {
  const auto after = [](std::uint32_t current) {
    return next_action(ActionId{current}, {1'000'001}).value;
  };
  CHECK(next_action(std::nullopt, {1'000'001}).value == 1'000'001);
  CHECK(next_action(std::nullopt, {1'000'000}).value == 1'000'001);
  CHECK(next_action(std::nullopt, {1}).value == 11);
  CHECK(after(1'000'001) == 1'000'002);
  CHECK(after(1'000'009) == 1'000'010);  // two digits that are not zero
  CHECK(after(1'999'999) == 2'000'001);
  CHECK(after(9'999'999) == 10'000'001);
  CHECK(after(19) == 21);
  CHECK(after(99) == 101);
  CHECK(after(0) == 11);
}

TEST_CASE("a device id hashes as its text") {
  CHECK(std::hash<DeviceId>{}({"a"}) == std::hash<std::string>{}("a"));
}
