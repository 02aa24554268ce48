// Firmware that is registered by URL: its bytes come later, from elsewhere, or not at all (decision 29).
#include <doctest/doctest.h>

#include "domain/firmware/firmware.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const std::string kUrl = "https://files.example/frame.bin?token=17";
const std::string kOtherUrl = "https://mirror.example/frame.bin";
constexpr std::array<std::uint8_t, 20> kSha1{1, 2, 3};
constexpr std::array<std::uint8_t, 16> kMd5{4, 5, 6};
constexpr std::array<std::uint8_t, 16> kOtherMd5{7};

FirmwareRegistered by_url(const std::string& url = kUrl, bool kept_elsewhere = false) {
  auto record = firmware_record();
  record.file_url = url;
  record.kept_elsewhere = kept_elsewhere;
  return record;
}

FirmwareRegistered with_md5(const std::array<std::uint8_t, 16>& md5) {
  auto record = by_url();
  record.md5 = md5;
  return record;
}

StoreContent brought() {
  const auto record = firmware_record();
  return {kMd5, kSha1, record.sha256, record.facts.file_size};
}

Given pending() { return given({by_url()}); }
Given failed() { return given({by_url(), FirmwareContentFailed{"HTTP 404"}}); }

}  // namespace

TEST_CASE("decision 29: who is registered by URL waits for its bytes, and somebody fetches them") {
  given({}).when(RegisterFirmware{by_url(), {}}).then({by_url()});
  const auto s = pending().firmware();
  CHECK(content_of(s) == Content::kPending);
  CHECK(is_to_fetch(s));
  CHECK(why_not_here(s) ==
        "the content of firmware Smart Frame 2.1.0 is not here yet: it is fetched from https://files.example/frame.bin");
}

TEST_CASE("decision 29: the bytes that were fetched are here, once") {
  pending().when(brought()).then({FirmwareContentStored{kSha1, kMd5}});
  const auto here = given({by_url(), FirmwareContentStored{kSha1, kMd5}});
  here.when(brought()).then_nothing();
  const auto s = here.firmware();
  CHECK(content_of(s) == Content::kHere);
  CHECK_FALSE(is_to_fetch(s));
  CHECK(why_not_here(s).empty());
  CHECK(s.record.md5 == kMd5);
  CHECK(s.sha1 == kSha1);
  given({}).when(brought()).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 29: an MD5 that was given is kept, and is not written again") {
  given({with_md5(kMd5)}).when(brought()).then({FirmwareContentStored{kSha1}});
  CHECK(given({with_md5(kMd5), FirmwareContentStored{kSha1}}).firmware().record.md5 == kMd5);
  // An upload of the bytes tells it too.
  auto upload = firmware_record();
  upload.md5 = kMd5;
  pending().when(RegisterFirmware{upload, kSha1}).then({FirmwareContentStored{kSha1, kMd5}});
}

TEST_CASE("decision 29: other bytes are never stored under its name") {
  auto other = brought();
  other.sha256[0] = 0xcd;
  const auto error = pending().when(other).then_error(ErrorCode::kInvalid);
  CHECK(error.message.find("cd00") != std::string::npos);
  CHECK(error.message.find(to_text(kFirmware)) != std::string::npos);
  other = brought();
  ++other.size;
  pending().when(other).then_error(ErrorCode::kInvalid);
  given({with_md5(kOtherMd5)}).when(brought()).then_error(ErrorCode::kInvalid);
}

TEST_CASE("decision 1: what contradicts a registration by URL is a registration of other bytes") {
  auto longer = by_url();
  ++longer.facts.file_size;
  pending().when(RegisterFirmware{longer, {}}).then_error(ErrorCode::kDuplicate);
  pending().when(RegisterFirmware{longer, kSha1}).then_error(ErrorCode::kDuplicate);
  given({with_md5(kMd5)}).when(RegisterFirmware{with_md5(kOtherMd5), {}}).then_error(ErrorCode::kDuplicate);
  given({with_md5(kMd5)}).when(RegisterFirmware{by_url(), {}}).then_nothing();
}

TEST_CASE("decision 29: that the bytes cannot be had is said once, and ends the search") {
  const GiveUpContent give_up{kUrl, "HTTP 404"};
  pending().when(give_up).then({FirmwareContentFailed{"HTTP 404"}});
  failed().when(GiveUpContent{kUrl, "HTTP 410"}).then_nothing();
  given({by_url(), FirmwareContentStored{kSha1}}).when(give_up).then_nothing();
  given({}).when(give_up).then_error(ErrorCode::kNotFound);
  const auto s = failed().firmware();
  CHECK(content_of(s) == Content::kFailed);
  CHECK_FALSE(is_to_fetch(s));
  CHECK(why_not_here(s) == "the content of firmware Smart Frame 2.1.0 could not be fetched: HTTP 404");
}

TEST_CASE("decision 29: what is found out about an earlier source says nothing about the present one") {
  const auto moved = given({by_url(), FirmwareSourceChanged{kOtherUrl}});
  moved.when(GiveUpContent{kUrl, "HTTP 404"}).then_nothing();
  moved.when(GiveUpContent{kOtherUrl, "HTTP 404"}).then({FirmwareContentFailed{"HTTP 404"}});
}

TEST_CASE("decision 29: registered once more by URL, the bytes are looked for there, and anew") {
  pending().when(RegisterFirmware{by_url(), {}}).then_nothing();
  pending().when(RegisterFirmware{by_url(kOtherUrl), {}}).then({FirmwareSourceChanged{kOtherUrl}});
  failed().when(RegisterFirmware{by_url(), {}}).then({FirmwareSourceChanged{kUrl}});
  const auto s = given({by_url(), FirmwareContentFailed{"HTTP 404"}, FirmwareSourceChanged{kOtherUrl}}).firmware();
  CHECK(content_of(s) == Content::kPending);
  CHECK(is_to_fetch(s));
  CHECK(s.record.file_url == kOtherUrl);
  // Once they are here nobody asks where they came from.
  given({by_url(), FirmwareContentStored{kSha1}}).when(RegisterFirmware{by_url(kOtherUrl), {}}).then_nothing();
  given({firmware_record(), FirmwareContentStored{kSha1}}).when(RegisterFirmware{by_url(), {}}).then_nothing();
}

TEST_CASE("decision 29: with fetch false the bytes stay where they are, and may still be uploaded or fetched later") {
  const auto elsewhere = given({by_url(kUrl, true)});
  const auto s = elsewhere.firmware();
  CHECK(content_of(s) == Content::kPending);
  CHECK_FALSE(is_to_fetch(s));
  CHECK(why_not_here(s).find("stays at https://files.example/frame.bin (\"fetch\": false)") != std::string::npos);
  elsewhere.when(GiveUpContent{kUrl, "HTTP 404"}).then_nothing();
  elsewhere.when(RegisterFirmware{firmware_record(), kSha1}).then({FirmwareContentStored{kSha1}});
  elsewhere.when(RegisterFirmware{by_url(), {}}).then({FirmwareSourceChanged{kUrl, false}});
  CHECK(is_to_fetch(given({by_url(kUrl, true), FirmwareSourceChanged{kUrl, false}}).firmware()));
  pending().when(RegisterFirmware{by_url(kUrl, true), {}}).then({FirmwareSourceChanged{kUrl, true}});
  CHECK_FALSE(is_to_fetch(given({by_url(), FirmwareSourceChanged{kUrl, true}}).firmware()));
}

TEST_CASE("decision 2, 29: for recalled firmware nobody looks any more") {
  const auto recalled = given({by_url(), FirmwareRecalled{"bad"}});
  CHECK_FALSE(is_to_fetch(recalled.firmware()));
  recalled.when(RegisterFirmware{by_url(kOtherUrl), {}}).then_nothing();
  recalled.when(GiveUpContent{kUrl, "HTTP 404"}).then_nothing();
}

TEST_CASE("the words of a firmware's content") {
  for (const auto content : {Content::kHere, Content::kPending, Content::kFailed}) {
    CHECK(parse_content(to_text(content)) == content);
  }
  CHECK(to_text(Content::kFailed) == "failed");
  CHECK_FALSE(parse_content("elsewhere"));
}
