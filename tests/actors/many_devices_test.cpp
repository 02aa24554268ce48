// Many commands at once: answers in their order, and what is remembered of the request as a whole.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "actors/limits.hpp"
#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

TEST_CASE("S3/bulk: many devices are asked at once, and answer in the order asked") {
  Stage stage;
  constexpr std::size_t kDevices = 2 * limits::kDevicesAtOnce + 500;
  std::vector<Service::DeviceAsk> asks;
  for (std::size_t i = 0; i < kDevices; ++i) {
    domain::DeviceCommand command = domain::RegisterDevice{{}, domain::RegisteredVia::kApi, {}, {}, {}};
    if (i % 3 == 0) command = domain::DeleteDevice{"never was"};
    asks.push_back({{std::to_string(i)}, std::move(command), {}});
  }
  const auto answers = stage.service().devices(std::move(asks));
  REQUIRE(answers.size() == kDevices);
  std::size_t right = 0;
  for (std::size_t i = 0; i < kDevices; ++i) {
    const bool is_right = i % 3 == 0 ? !answers[i] && answers[i].error().message.find(std::to_string(i)) != std::string::npos
                                     : answers[i].ok() && answers[i].value().wrote;
    right += is_right ? 1 : 0;
  }
  CHECK(right == kDevices);
  CHECK(stage.service().in_flight() == 0);
  CHECK(stage.service().devices({}).empty());
}

TEST_CASE("S3/bulk: what one device is told several times it hears in that order") {
  Stage stage;
  std::vector<Service::DeviceAsk> asks{{{"d"}, domain::RegisterDevice{{}, domain::RegisteredVia::kApi, {}, {}, {}}, {}}};
  for (int i = 0; i < 50; ++i) {
    domain::ChangeAttributes change;
    change.values = {{"site", std::to_string(i)}};
    asks.push_back({{"d"}, change, {}});
  }
  for (const auto& answer : stage.service().devices(std::move(asks))) CHECK(answer.ok());
  CHECK(stage.service().views().device({"d"})->attribute("site") == "49");
}

TEST_CASE("what a device is told is heard in that order, though it rests in between") {
  Stage stage([](ServiceOptions& options) { options.entities_per_shard = 1; });
  constexpr int kDevices = 100;
  constexpr int kRounds = 40;
  // All of them in turn, again and again: with room for 16, everyone is on the way to its rest when it hears the next.
  std::vector<Service::DeviceAsk> asks;
  for (int i = 0; i < kDevices; ++i) {
    asks.push_back({{std::to_string(i)}, domain::RegisterDevice{{}, domain::RegisteredVia::kApi, {}, {}, {}}, {}});
  }
  for (int round = 0; round < kRounds; ++round) {
    for (const auto* site : {"first", "second"}) {
      for (int i = 0; i < kDevices; ++i) {
        domain::ChangeAttributes change;
        change.values = {{"site", fmt::format("{} {}", round, site)}};
        asks.push_back({{std::to_string(i)}, change, {}});
      }
    }
  }
  for (const auto& answer : stage.service().devices(std::move(asks))) REQUIRE(answer.ok());
  std::map<std::string, std::vector<std::string>> heard;
  for (const auto& event : stage.events()) {
    const auto* changed = std::get_if<domain::DeviceAttributesChanged>(&event.event);
    if (changed) heard[std::get<domain::DeviceId>(event.stream).value].push_back(changed->set.at("site"));
  }
  REQUIRE(heard.size() == kDevices);
  for (const auto& [device, sites] : heard) {
    CAPTURE(device);
    REQUIRE(sites.size() == 2 * kRounds);
    for (int i = 0; i < 2 * kRounds; ++i) {
      REQUIRE(sites[static_cast<std::size_t>(i)] == fmt::format("{} {}", i / 2, i % 2 == 0 ? "first" : "second"));
    }
  }
}

TEST_CASE("S3/bulk: a request of many commands is remembered before the first of them, and writes no event") {
  Stage stage;
  Meta meta;
  meta.command.emplace();
  meta.command->bytes.fill(7);
  meta.repeatable = true;
  meta.request.fill(1);
  const auto head = stage.service().log().head();
  const auto first = stage.service().remember(meta);
  REQUIRE(first.ok());
  CHECK_FALSE(first.value().repeated);
  auto other = meta;
  other.request.fill(2);
  const auto second = stage.service().remember(other);
  REQUIRE(second.ok());
  REQUIRE(second.value().repeated);
  CHECK(second.value().repeated->request == meta.request);
  CHECK(stage.service().log().head() == head);
  CHECK(stage.service().log().command(*meta.command, stage.now())->request == meta.request);
}

}  // namespace
}  // namespace ota::actors::test
