// Stories over HTTP: what happened to a campaign, a device, an update, in sentences.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

std::vector<std::string> sentences_of(const json& answer) {
  std::vector<std::string> all;
  for (const auto& line : answer["story"]) all.push_back(line["text"]);
  return all;
}

struct Teller : Story {
  Teller() {
    for (const char* device : {"a", "b", "c"}) stage.device(device);
    campaign = started({"a", "b", "c"}, {{"max_retries", 0}, {"failure_threshold_percent", 50}});
    update("a", kSucceeded);
    update("b", kFailed);
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch"})", "X-User-Id: ada\r\n").status == 200);
    REQUIRE(stage.admin("POST", campaign + "/resume", "", "X-User-Id: bob\r\n").status == 200);
    update("c", kSucceeded);
  }
  std::vector<std::string> told(const std::string& path) { return sentences_of(get(path + "/story")); }
  std::string campaign;
};

TEST_CASE("the story of a campaign tells its own events one by one, and its devices in numbers") {
  Teller t;
  REQUIRE(t.becomes(t.campaign, "completed"));
  const auto told = t.told(t.campaign);
  REQUIRE(told.size() == 7);
  CHECK(told[0].find("campaign \"story\"") != std::string::npos);
  CHECK(told[0].find("for 3 devices, immediate") != std::string::npos);
  CHECK(told[2] == "2 attempts granted, 1 device succeeded, 1 device failed (device_17: 1)");
  CHECK(told[3] == "ada paused the campaign: lunch");
  CHECK(told[4] == "bob resumed the campaign");
  CHECK(told[5] == "1 attempt granted, 1 device succeeded");
  CHECK(told[6].starts_with("The campaign is over and has succeeded: 1 of 3 devices failed (33.33 %)"));
}

TEST_CASE("the story of a device has its updates, each with its campaign") {
  Teller t;
  const auto answer = t.get("/devices/b/story");
  CHECK(sentences_of(answer).front().starts_with("The device was registered at its first poll"));
  const auto& last = answer["story"].back();
  CHECK(last["campaign"] == "story");
  CHECK(last["update_id"] == t.update_of(t.campaign, "b")["update_id"]);
  CHECK(last["text"].get<std::string>().starts_with("Attempt 1 failed, the device failed: device_17"));
  CHECK(last["actor"].is_null());
  const auto of_update = t.get("/updates/" + t.update_of(t.campaign, "b")["update_id"].get<std::string>() + "/story");
  CHECK(of_update["story"].back() == last);
}

TEST_CASE("a story is told page by page, and loses nothing") {
  Teller t;
  const auto whole = t.told("/devices/a");
  std::vector<std::string> paged;
  json page;
  std::uint64_t after = 0;
  do {
    page = t.get("/devices/a/story?limit=2&after=" + std::to_string(after));
    for (auto& text : sentences_of(page)) paged.push_back(std::move(text));
    after = page["next_after"];
  } while (page["more"] == true);
  CHECK(paged == whole);
  CHECK(whole.size() > 4);
}

TEST_CASE("a page is no longer than its limit, and the next one begins where it ended, also at the end") {
  Teller t;
  REQUIRE(t.becomes(t.campaign, "completed"));
  const auto whole = t.told(t.campaign);
  for (std::size_t limit = 1; limit < 5; ++limit) {
    CAPTURE(limit);
    std::vector<std::string> paged;
    json page;
    std::uint64_t after = 0;
    do {
      page = t.get(fmt::format("{}/story?limit={}&after={}", t.campaign, limit, after));
      CHECK(page["story"].size() <= limit);
      CHECK(page["next_after"].get<std::uint64_t>() > after);
      for (auto& text : sentences_of(page)) paged.push_back(std::move(text));
      after = page["next_after"];
    } while (page["more"] == true);
    CHECK(paged == whole);
    const auto head = t.get("/audit/events?limit=1")["head"].get<std::uint64_t>();
    CHECK(after == head);
    const auto nothing = t.get(fmt::format("/devices/a/story?limit={}&after={}", limit, head));
    CHECK(nothing["story"].empty());
    CHECK(nothing["more"] == false);
    CHECK(nothing["next_after"] == head);
  }
}

TEST_CASE("who asks for what is behind the end of the log, or for what nobody understands, is told so") {
  Teller t;
  const auto head = t.get("/audit/events?limit=1")["head"].get<std::uint64_t>();
  for (const std::string path : {"/devices/a/story", "/audit/events"}) {
    CAPTURE(path);
    const auto faults = [&](const std::string& query) { return t.stage.admin("GET", path + "?" + query).faults(); };
    CHECK(t.stage.admin("GET", fmt::format("{}?after={}", path, head)).status == 200);
    CHECK(faults(fmt::format("after={}", head + 1'000)) == "after: less_than_equal\n");
    CHECK(faults("after=") == "after: string_too_short\n");
    CHECK(faults("after=1&after=2") == "after: value_error\n");
    CHECK(faults("campain_id=x") == "campain_id: extra_forbidden\n");
  }
}

TEST_CASE("a campaign's rollbacks are told as such, and what nobody put their name to is an operator's all the same") {
  Teller t;
  REQUIRE(t.becomes(t.campaign, "completed"));
  REQUIRE(t.post(t.campaign + "/rollback", {{"reason", "battery drain"}}).status == 200);
  t.update("a", kSucceeded);
  t.update("c", kFailed);
  REQUIRE(t.becomes(t.campaign, "cancelled"));
  const auto told = t.told(t.campaign);
  REQUIRE(told.size() == 10);
  CHECK(told[1] == "The campaign started");
  CHECK(told[7] == "An operator began to roll the campaign back: battery drain");
  CHECK(told[8] == "1 device taken back, 2 rollbacks granted, 1 rollback succeeded, 1 rollback failed (device_17: 1)");
}

TEST_CASE("there is no story of what there is not") {
  Teller t;
  CHECK(t.stage.admin("GET", "/devices/nobody/story").status == 404);
  CHECK(t.stage.admin("GET", "/campaigns/camp_1/story").status == 404);
  CHECK(t.stage.admin("GET", "/updates/upd_1/story").status == 404);
  CHECK(t.stage.admin("GET", t.campaign + "/story?limit=0").faults() == "limit: greater_than_equal\n");
}

}  // namespace
}  // namespace ota::http::test
