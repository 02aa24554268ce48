// Devices taken in by the thousand: batches past the device actors, and what happens when the two meet.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <atomic>
#include <set>
#include <thread>

#include "actors/device_import.hpp"
#include "actors/limits.hpp"
#include "tests/actors/barrier.hpp"
#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

ImportLine line(std::uint64_t number, const std::string& id, domain::Attributes values = {}) {
  ImportLine said;
  said.number = number;
  said.device = {id};
  said.change.values = std::move(values);
  return said;
}

struct Imported {
  ImportCounts counts;
  std::vector<std::string> failures;      // "3: why"
};

Imported import(Service& service, std::vector<ImportLine> lines, Meta meta = {}) {
  Imported result;
  const auto importing = service.begin_import(std::move(meta), [&](std::uint64_t number, const domain::DomainError& error) {
    result.failures.push_back(std::to_string(number) + ": " + error.message);
  });
  for (auto& said : lines) importing->add(std::move(said));
  result.counts = importing->finish();
  return result;
}

template <class Event>
std::vector<Event> events_of(Stage& stage) {
  std::vector<Event> found;
  for (const auto& recorded : stage.events()) {
    if (const auto* event = std::get_if<Event>(&recorded.event)) found.push_back(*event);
  }
  return found;
}

TEST_CASE("api 5, import: new devices are registered some hundred an append, each with an ordinal of its own") {
  Stage stage;
  constexpr std::size_t kDevices = 3'000;
  std::vector<ImportLine> lines;
  for (std::size_t i = 0; i < kDevices; ++i) {
    lines.push_back(line(i + 2, "frame-" + std::to_string(i), {{"device_model", "SF-100"}}));
  }
  Meta meta;
  meta.caller = stage.service().caller_of("ada");
  const auto result = import(stage.service(), std::move(lines), meta);
  CHECK(result.counts == ImportCounts{kDevices, 0, 0, 0, 0});
  const auto registered = events_of<domain::DeviceRegistered>(stage);
  REQUIRE(registered.size() == kDevices);
  std::set<std::uint32_t> ordinals;
  for (const auto& event : registered) {
    CHECK(event.via == domain::RegisteredVia::kImport);
    ordinals.insert(event.ordinal.value);
  }
  CHECK(ordinals.size() == kDevices);
  CHECK(*ordinals.rbegin() == kDevices - 1);
  CHECK(stage.events().front().caller == meta.caller);
  CHECK(stage.service().journal().metrics().groups <= kDevices / limits::kImportLines + 1);
  // Visible when finish() returns, in every view.
  CHECK(stage.service().views().statistics().devices == kDevices);
  CHECK(stage.service().views().device({"frame-2999"})->attribute("device_model") == "SF-100");
  CHECK(stage.service().poll({"frame-0"}, {}).ok());
  CHECK(events_of<domain::DeviceRegistered>(stage).size() == kDevices);
}

TEST_CASE("api 5, import: an import that is repeated writes nothing, one that differs writes what differs") {
  Stage stage;
  std::vector<ImportLine> lines;
  for (std::size_t i = 0; i < 600; ++i) lines.push_back(line(i, std::to_string(i), {{"site", "ams"}, {"name", "x"}}));
  REQUIRE(import(stage.service(), lines).counts == ImportCounts{600, 0, 0, 0, 0});
  const auto head = stage.service().log().head();
  CHECK(import(stage.service(), lines).counts == ImportCounts{0, 0, 600, 0, 0});
  CHECK(stage.service().log().head() == head);
  lines[17].change.values["site"] = "fra";
  lines[18].change.values.erase("site");            // what a line does not say stays
  lines[19].change.removed = {"name"};
  lines[19].change.values.erase("name");
  lines[20].change.groups = std::vector<std::string>{"beta"};
  CHECK(import(stage.service(), lines).counts == ImportCounts{0, 3, 597, 0, 0});
  CHECK(stage.service().log().head().value == head.value + 3);
  auto& views = stage.service().views();
  CHECK(views.device({"17"})->attribute("site") == "fra");
  CHECK(views.device({"18"})->attribute("site") == "ams");
  CHECK(views.device({"19"})->attribute("name").empty());
  CHECK(views.device({"20"})->groups == std::vector<std::string>{"beta"});
}

TEST_CASE("decision 22: an import brings a deleted device back with a new ordinal, and its history goes on") {
  Stage stage;
  auto& service = stage.service();
  stage.device("back", "1.0.0");
  stage.device("stays", "1.0.0");
  const auto before = service.views().device({"back"})->ordinal;
  REQUIRE(service.device({"back"}, domain::DeleteDevice{"sold"}, {}).ok());
  REQUIRE_FALSE(service.poll({"back"}, {}).ok());
  auto said = line(1, "back", {{"site", "ams"}});
  said.change.removed = {"device_model"};
  said.change.groups.emplace();
  CHECK(import(service, {said, line(2, "new")}).counts == ImportCounts{1, 0, 0, 1, 0});
  const auto device = service.views().device({"back"});
  REQUIRE(device);
  CHECK_FALSE(device->deleted);
  CHECK(device->ordinal != before);
  CHECK(device->attribute("firmware_version") == "1.0.0");
  CHECK(device->attribute("site") == "ams");
  CHECK(device->attribute("device_model").empty());
  CHECK(events_of<domain::DeviceReturned>(stage).front().via == domain::RegisteredVia::kImport);
  CHECK(service.poll({"back"}, {}).ok());
}

TEST_CASE("api 5, import: lines of one device take effect in their order, however far apart they are") {
  Stage stage;
  std::vector<ImportLine> lines{line(1, "twice", {{"site", "a"}}), line(2, "twice", {{"site", "a"}}),
                                line(3, "twice", {{"site", "b"}})};
  for (std::size_t i = 0; i < 5'000; ++i) lines.push_back(line(4 + i, "other-" + std::to_string(i)));
  lines.push_back(line(5'004, "twice", {{"site", "c"}}));
  lines.push_back(line(5'005, "twice", {{"site", "d"}, {"name", "last"}}));
  CHECK(import(stage.service(), std::move(lines)).counts == ImportCounts{5'001, 3, 1, 0, 0});
  CHECK(stage.service().views().device({"twice"})->attributes == domain::Attributes{{"site", "d"}, {"name", "last"}});

  // More of them than are decided at once.
  std::vector<ImportLine> many;
  for (std::size_t i = 0; i < 1'000; ++i) many.push_back(line(i, "often", {{"site", std::to_string(i)}}));
  CHECK(import(stage.service(), std::move(many)).counts == ImportCounts{1, 999, 0, 0, 0});
  CHECK(stage.service().views().device({"often"})->attribute("site") == "999");
}

TEST_CASE("api 5, import: a line that the rules refuse fails alone, and the lines behind it count") {
  Stage stage;
  const auto many = [](char letter, std::size_t count) {
    domain::Attributes values;
    for (std::size_t i = 0; i < count; ++i) values[letter + std::to_string(i)] = "x";
    return values;
  };
  REQUIRE(import(stage.service(), {line(1, "full", many('a', 60))}).counts.registered == 1);
  const auto result = import(stage.service(), {line(2, "full", many('b', 60)), line(3, "full", many('c', 40)),
                                               line(4, "new", many('d', 101)), line(5, "new")});
  CHECK(result.counts == ImportCounts{1, 1, 0, 0, 2});
  REQUIRE(result.failures.size() == 2);
  CHECK(result.failures[0] == "2: a device has at most 100 attributes; this would make 120");
  CHECK(result.failures[1].starts_with("4: a device has at most 100 attributes"));
  CHECK(stage.service().views().device({"full"})->attributes.size() == 100);
}

TEST_CASE("design 4: an id that a target list has reserved keeps its ordinal when it is imported") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("known", "1.0.0");
  domain::CampaignPolicy policy;
  policy.strategy = domain::Strategy::kImmediate;
  const auto campaign = stage.campaign(firmware, {"known", "announced"}, policy);
  const auto reserved = stage.service().views().ordinal_of({"announced"});
  REQUIRE(reserved);
  CHECK(import(stage.service(), {line(1, "announced", {{"device_model", "SF-100"}}), line(2, "fresh")}).counts ==
        ImportCounts{2, 0, 0, 0, 0});
  CHECK(stage.service().views().device({"announced"})->ordinal == *reserved);
  stage.start(campaign);
  CHECK(stage.poll_until_offered("announced").has_value());
}

TEST_CASE("api 5, import: owners are tokens, one a person, made for many at once") {
  Stage stage;
  std::vector<ImportLine> lines;
  for (std::size_t i = 0; i < 500; ++i) {
    lines.push_back(line(i, std::to_string(i)));
    lines.back().person = "person-" + std::to_string(i % 7);
  }
  REQUIRE(import(stage.service(), lines).counts.registered == 500);
  std::set<domain::Caller> owners;
  stage.service().views().each_device([&](const domain::Device& device) {
    owners.insert(device.owner);
    return true;
  });
  CHECK(owners.size() == 7);
  CHECK(stage.service().known_user("person-3") == stage.service().views().device({"3"})->owner);
  auto nobodys = line(1, "3");
  nobodys.change.owner = domain::Caller{};
  CHECK(import(stage.service(), {nobodys, lines[4]}).counts == ImportCounts{0, 1, 1, 0, 0});
  CHECK(stage.service().views().device({"3"})->owner == domain::Caller{});
}

TEST_CASE("api 5, import: a device that polls while it is imported is one device, with what the import says of it") {
  Stage stage;
  constexpr std::size_t kDevices = 4'000;
  std::vector<ImportLine> lines;
  for (std::size_t i = 0; i < kDevices; ++i) lines.push_back(line(i, std::to_string(i), {{"site", "ams"}}));
  std::vector<std::thread> fleet;
  std::atomic<std::size_t> answered{0};
  for (std::size_t first = 0; first < 2; ++first) {
    fleet.emplace_back([&stage, &answered, first] {
      for (std::size_t i = kDevices - 1 - first; i < kDevices; i -= 2) {
        answered += stage.service().poll({std::to_string(i)}, {}).ok() ? 1 : 0;
      }
    });
  }
  const auto result = import(stage.service(), std::move(lines));
  for (auto& devices : fleet) devices.join();
  CHECK(answered == kDevices);
  CHECK(result.failures.empty());
  CHECK(result.counts.registered + result.counts.changed == kDevices);
  std::set<std::uint32_t> ordinals;
  for (const auto& event : events_of<domain::DeviceRegistered>(stage)) ordinals.insert(event.ordinal.value);
  CHECK(events_of<domain::DeviceRegistered>(stage).size() == kDevices);
  CHECK(ordinals.size() == kDevices);
  std::size_t with_site = 0;
  stage.service().views().each_device([&](const domain::Device& device) {
    with_site += device.attribute("site") == "ams" ? 1 : 0;
    return true;
  });
  CHECK(with_site == kDevices);
}

TEST_CASE("api 5, import: what was registered behind the import's back is decided by the device itself") {
  std::string directory = (std::filesystem::temp_directory_path() / "ota-actors-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  Barrier barrier;
  ServiceOptions options;
  options.data_directory = directory;
  options.tails = {&barrier};
  auto service = Service::open(std::move(options));
  barrier.set(false);
  service->count_download({});
  REQUIRE(Stage::eventually([&] { return service->views().position().value == 1; }));
  std::thread device([&] { service->poll({"polls"}, {}); });
  REQUIRE(Stage::eventually([&] { return service->log().head().value == 2; }));
  // The views do not know the device, the log does.
  REQUIRE_FALSE(service->views().device({"polls"}));
  Imported result;
  std::thread importer([&] {
    result = import(*service, {line(1, "before"), line(2, "polls", {{"site", "ams"}}), line(3, "behind")});
  });
  REQUIRE(Stage::eventually([&] { return service->journal().metrics().conflicts == 1; }));
  barrier.set(true);
  importer.join();
  device.join();
  CHECK(result.failures.empty());
  CHECK(result.counts == ImportCounts{2, 1, 0, 0, 0});
  CHECK(service->views().device({"polls"})->attribute("site") == "ams");
  CHECK(service->views().device({"behind"}));
  service.reset();
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ota::actors::test
