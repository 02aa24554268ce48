#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

TEST_CASE("firmware is found by id, by number, by model and version, and by its bytes") {
  ReadStory t;
  CHECK(t.views().newest_firmware_number() == 0);
  t.story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  t.story.firmware(firmware_id(2), "SF-200", "2.0.0", 2);
  auto& views = t.read();
  CHECK(views.firmware(firmware_id(1))->firmware.record.facts.device_model == "SF-100");
  CHECK_FALSE(views.firmware(firmware_id(3)));
  CHECK(views.firmware_of("SF-200", "2.0.0") == firmware_id(2));
  CHECK_FALSE(views.firmware_of("SF-200", "2.0"));
  CHECK_FALSE(views.firmware_of("SF-200", "2.00.0"));
  CHECK(views.firmware_by_number(1) == firmware_id(1));
  CHECK_FALSE(views.firmware_by_number(3));
  CHECK(views.newest_firmware_number() == 2);
  std::array<std::uint8_t, 32> sha256{};
  sha256.fill(2);
  CHECK(views.refers_to(sha256));
  sha256.fill(3);
  CHECK_FALSE(views.refers_to(sha256));
}

TEST_CASE("decision 3: the firmware that brings a version is found however a device spells it, unless two would be") {
  ReadStory t;
  t.story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  t.story.firmware(firmware_id(2), "SF-100", "3.0.0+a", 2);
  t.story.firmware(firmware_id(3), "SF-100", "3.0.0+b", 3);
  t.story.firmware(firmware_id(4), "SF-1000", "4.0.0", 4);
  auto& views = t.read();
  for (const char* spelled : {"2.0.0", "2.00.0", "2.0.0+build7"}) {
    CHECK(views.firmware_bringing("SF-100", spelled) == firmware_id(1));
  }
  CHECK(views.firmware_bringing("SF-100", "3.0.0+b") == firmware_id(3));
  CHECK_FALSE(views.firmware_bringing("SF-100", "3.0.0"));
  CHECK_FALSE(views.firmware_bringing("SF-100", "4.0.0"));
  CHECK_FALSE(views.firmware_bringing("SF-100", ""));
  CHECK_FALSE(views.firmware_bringing("", "2.0.0"));
}

TEST_CASE("what happens to firmware is folded") {
  ReadStory t;
  t.story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  CHECK_FALSE(t.read().firmware(firmware_id(1))->firmware.content_here);
  t.story.tell({firmware_id(1), domain::FirmwareContentStored{}, {}});
  t.story.tell({firmware_id(1), domain::FirmwareDeprecated{"old"}, {}});
  const auto row = t.read().firmware(firmware_id(1));
  CHECK(row->firmware.content_here);
  CHECK(row->firmware.status == domain::FirmwareStatus::kDeprecated);
  CHECK(row->firmware.revision == 3);
  t.story.tell({firmware_id(1), domain::FirmwareRestored{"again"}, {}});
  CHECK(t.read().firmware(firmware_id(1))->firmware.status == domain::FirmwareStatus::kAvailable);
}

TEST_CASE("firmware whose bytes are to be fetched is known until they are here, or nobody looks for them") {
  ReadStory t;
  const auto register_by_url = [&](std::uint8_t n, bool kept_elsewhere) {
    auto record = firmware_record(firmware_id(n), "SF-100", fmt::format("{}.0.0", n), n);
    record.file_url = "https://files.example/f.bin";
    record.kept_elsewhere = kept_elsewhere;
    t.story.tell({firmware_id(n), record, {}});
  };
  const auto tell = [&](std::uint8_t n, const domain::Event& event) {
    t.story.tell({firmware_id(n), event, {}});
    return t.read().firmware_to_fetch();
  };
  using Ids = std::vector<domain::FirmwareId>;
  for (std::uint8_t n = 1; n <= 4; ++n) register_by_url(n, n == 4);
  t.story.firmware(firmware_id(5), "SF-100", "5.0.0", 5);
  CHECK(t.read().firmware_to_fetch() == Ids{firmware_id(1), firmware_id(2), firmware_id(3)});
  CHECK(tell(1, domain::FirmwareContentStored{}) == Ids{firmware_id(2), firmware_id(3)});
  CHECK(tell(2, domain::FirmwareContentFailed{"HTTP 404"}) == Ids{firmware_id(3)});
  CHECK(tell(3, domain::FirmwareRecalled{"bad"}).empty());
  CHECK(tell(4, domain::FirmwareSourceChanged{"https://files.example/f.bin", false}) == Ids{firmware_id(4)});
  CHECK(tell(2, domain::FirmwareSourceChanged{"https://mirror.example/f.bin", false}) ==
        Ids{firmware_id(2), firmware_id(4)});
  CHECK(tell(2, domain::FirmwareSourceChanged{"https://mirror.example/f.bin", true}) == Ids{firmware_id(4)});

  FirmwareFilter filter;
  filter.content = domain::Content::kPending;
  CHECK(t.views().firmware_list(filter, {50, 0, ""}).rows.size() == 4);
  filter.content = domain::Content::kHere;
  CHECK(t.views().firmware_list(filter, {50, 0, ""}).rows.size() == 1);
  filter.content = domain::Content::kFailed;
  CHECK(t.views().firmware_list(filter, {50, 0, ""}).rows.empty());
}

TEST_CASE("downloads by administrators and by devices, and how updates ended, are counted") {
  ReadStory t;
  t.story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  t.story.tell(
      {domain::DownloadsStream{firmware_id(1)}, domain::DownloadCompleted{firmware_id(1)}, {}});
  CHECK(t.read().firmware(firmware_id(1))->download_count == 1);

  t.story.devices(0, 3);
  t.story.campaign(campaign_id(1), set_of({0, 1, 2}));
  t.story.start(campaign_id(1));
  const auto update = [](std::uint32_t n) {
    return domain::UpdateId::in_campaign(campaign_id(1), {n});
  };
  for (std::uint32_t n = 0; n < 3; ++n) {
    t.story.grant(update(n), n, 100 + n);
    t.story.begin(update(n), n);
  }
  t.story.progress(update(0), 0, domain::UpdateStatus::kDownloading);
  CHECK(t.read().firmware(firmware_id(1))->download_count == 1);
  t.story.progress(update(0), 0, domain::UpdateStatus::kVerifying);
  t.story.progress(update(0), 0, domain::UpdateStatus::kInstalling);
  t.story.succeed(update(0), 0);
  t.story.succeed(update(1), 1);  // said nothing on the way
  t.story.fail(update(2), 2, "flash");
  auto row = t.read().firmware(firmware_id(1));
  CHECK(row->download_count == 3);
  CHECK(row->completed == 2);
  CHECK(row->failed == 1);

  t.story.tell({update(2), domain::RetryAsked{1, 1, {}}, device_id(2)});
  row = t.read().firmware(firmware_id(1));
  CHECK(row->completed == 2);
  CHECK(row->failed == 0);
}

TEST_CASE("firmware is listed newest first, by any filter, page by page") {
  ReadStory t;
  for (std::uint8_t n = 0; n < 12; ++n) {
    auto record = firmware_record(firmware_id(n), n % 2 ? "SF-100" : "SF-200",
                                  fmt::format("{}.0.0", n), n + 1U);
    record.manufacturer = n % 3 ? "Acme" : "Emca";
    record.facts.is_beta = n % 4 == 0;
    record.facts.is_security_update = n % 6 == 0;
    if (n > 6) record.labels = {"stable"};
    t.story.tell({firmware_id(n), record, {}});
  }
  t.story.tell({firmware_id(5), domain::FirmwareDeprecated{""}, {}});
  auto& views = t.read();
  const auto check = [&](const FirmwareFilter& filter, const std::vector<int>& numbers) {
    const auto ask = [&](const PageRequest& page) { return views.firmware_list(filter, page); };
    const auto shown = [](const std::vector<FirmwareRow>& rows) {
      std::vector<int> found;
      for (const auto& row : rows)
        found.push_back(static_cast<int>(row.firmware.record.facts.number) - 1);
      return found;
    };
    CHECK(shown(by_cursor(ask, 2)) == numbers);
    CHECK(shown(by_offset(ask, 2)) == numbers);
    CHECK(shown(ask({50, 0, ""}).rows) == numbers);
  };
  check({}, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  FirmwareFilter filter;
  filter.device_model = "SF-100";
  check(filter, {11, 9, 7, 5, 3, 1});
  filter.manufacturer = "Acme";
  check(filter, {11, 7, 5, 1});
  filter.status = domain::FirmwareStatus::kAvailable;
  check(filter, {11, 7, 1});
  filter = {};
  filter.label = "stable";
  filter.is_beta = false;
  check(filter, {11, 10, 9, 7});
  filter = {};
  filter.is_security_update = true;
  check(filter, {6, 0});
  filter = {};
  for (const char* spelled : {"3.0.0", "03.0.0", "3.0.0+build7"}) {   // decision 3
    filter.version = spelled;
    check(filter, {3});
  }
  CHECK(views.firmware_list({}, {2, 0, "f12"}).bad_cursor);
}

}  // namespace
}  // namespace ota::projections
