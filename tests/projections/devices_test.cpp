#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

std::vector<std::string> ids_of(const std::vector<domain::Device>& devices) {
  std::vector<std::string> ids;
  for (const auto& d : devices) ids.push_back(d.id.value);
  return ids;
}

TEST_CASE("a registered device is found by id and by ordinal, and its poll record is there") {
  ReadStory t;
  t.story.device(3, {{"device_model", "SF-100"}}, {"beta"});
  auto& views = t.read();
  const auto device = views.device(device_id(3));
  REQUIRE(device);
  CHECK(device->ordinal.value == 3);
  CHECK(device->groups == std::vector<std::string>{"beta"});
  CHECK(views.device_of({3}) == device_id(3));
  CHECK(views.ordinal_of(device_id(3)) == domain::Ordinal{3});
  CHECK(views.ordinals_given() == 4);
  CHECK(views.polls().find(device_id(3).value)->ordinal.value == 3);
  CHECK_FALSE(views.device(device_id(4)));
  CHECK_FALSE(views.device_of({4}));
  CHECK_FALSE(views.ordinal_of(device_id(4)));
}

TEST_CASE("a reserved id has its ordinal, both ways, and is no device until it registers") {
  ReadStory t;
  t.story.tell(
      {domain::DirectoryStream{}, domain::IdsReserved{{10}, {"pump-010", "pump-011"}}, {}});
  CHECK(t.read().ordinals_given() == 12);
  CHECK(t.views().device_of({11}) == device_id(11));
  CHECK(t.views().ordinal_of(device_id(11)) == domain::Ordinal{11});
  CHECK_FALSE(t.views().device(device_id(11)));
  CHECK(t.views().polls().size() == 0);
  CHECK(t.views().device_list({}, {}).rows.empty());
  t.story.device(11);
  CHECK(t.read().device(device_id(11))->ordinal.value == 11);
  CHECK(t.views().ordinals_given() == 12);
  CHECK(t.views().statistics().devices == 1);
}

TEST_CASE("a deleted device keeps its record, gives up its ordinal, and returns under a new one") {
  ReadStory t;
  t.story.devices(0, 3);
  t.story.tell({device_id(1), domain::DeviceDeleted{"sold", {1}}, device_id(1)});
  CHECK(t.read().device(device_id(1))->deleted);
  CHECK(t.views().polls().find("pump-001")->deleted);
  CHECK_FALSE(t.views().ordinal_of(device_id(1)));
  CHECK(t.views().device_of({1}) == device_id(1));
  CHECK(ids_of(t.views().device_list({}, {}).rows) ==
        std::vector<std::string>{"pump-000", "pump-002"});
  CHECK(t.views().statistics().devices == 2);

  t.story.tell({domain::DirectoryStream{}, domain::IdsReserved{{3}, {"pump-001"}}, {}});
  CHECK(t.read().ordinal_of(device_id(1)) == domain::Ordinal{3});
  CHECK(t.views().device(device_id(1))->deleted);

  t.story.tell(
      {device_id(1), domain::DeviceReturned{{3}, domain::RegisteredVia::kApi}, device_id(1)});
  const auto back = t.read().device(device_id(1));
  REQUIRE(back);
  CHECK_FALSE(back->deleted);
  CHECK(back->ordinal.value == 3);
  CHECK(back->attribute("device_model") == "SF-100");
  CHECK(t.views().device_of({1}) == device_id(1));
  CHECK(t.views().device_of({3}) == device_id(1));
  CHECK(t.views().ordinals_given() == 4);
  std::vector<std::uint32_t> visited;
  t.views().each_device([&](const domain::Device& d) {
    visited.push_back(d.ordinal.value);
    return true;
  });
  CHECK(visited == std::vector<std::uint32_t>{0, 2, 3});
}

TEST_CASE("devices are listed by id, by any filter, page by page") {
  ReadStory t;
  for (std::uint32_t n = 0; n < 30; ++n) {
    t.story.device(n,
                   {{"device_model", n % 2 ? "SF-100" : "SF-200"},
                    {"firmware_version", n % 3 ? "1.0.0" : "2.0.0"}},
                   n % 5 ? std::vector<std::string>{} : std::vector<std::string>{"beta", "site-a"});
  }
  t.story.tell({device_id(15), domain::DeviceDeleted{"", {15}}, device_id(15)});
  auto& views = t.read();
  const auto expected = [](const auto& holds) {
    std::vector<std::string> ids;
    for (std::uint32_t n = 0; n < 30; ++n) {
      if (n != 15 && holds(n)) ids.push_back(device_id(n).value);
    }
    return ids;
  };
  const auto check = [&](const DeviceFilter& filter, const auto& holds) {
    const auto ask = [&](const PageRequest& page) { return views.device_list(filter, page); };
    CHECK(ids_of(by_cursor(ask, 4)) == expected(holds));
    CHECK(ids_of(by_offset(ask, 4)) == expected(holds));
    CHECK(ids_of(ask({1'000, 0, ""}).rows) == expected(holds));
    CHECK(ask({1'000, 0, ""}).next_cursor.empty());
  };
  check({}, [](auto) { return true; });
  check({"SF-100", {}, {}, {}}, [](auto n) { return n % 2 == 1; });
  check({{}, "2.0.0", {}, {}}, [](auto n) { return n % 3 == 0; });
  check({{}, {}, "beta", {}}, [](auto n) { return n % 5 == 0; });
  check({"SF-200", "2.0.0", "site-a", {}}, [](auto n) { return n % 30 == 0; });
  check({{}, {}, {}, "pump-01"}, [](auto n) { return n / 10 == 1; });
  check({"SF-100", {}, {}, "pump-02"}, [](auto n) { return n / 10 == 2 && n % 2 == 1; });
  check({"SF-1", {}, {}, {}}, [](auto) { return false; });
}

TEST_CASE("decision 3: a version is found however a device spells it, and no other one beside it") {
  ReadStory t;
  const std::vector<std::string> versions{"2.0.0", "2.00.0", "2.0.0+build7", "02.0.0",     "2.0.1",
                                          "2.0.0-rc01", "2.0.0-rc1", "a+1",   "a+2",        "", "2", "+1"};
  std::uint32_t n = 0;
  for (const auto& version : versions) t.story.device(n++, {{"device_model", "SF-100"}, {"firmware_version", version}});
  t.story.device(n, {{"device_model", "SF-200"}, {"firmware_version", "2.0.0"}});
  auto& views = t.read();
  const auto running = [&](const std::string& version) {
    const auto found = by_cursor([&](const PageRequest& page) {
      return views.device_list({"SF-100", version, {}, {}}, page);
    }, 2);
    CHECK(views.devices_running("SF-100", version) == found.size());
    std::vector<std::string> texts;
    for (const auto& device : found) texts.push_back(device.attribute("firmware_version"));
    return texts;
  };
  using Texts = std::vector<std::string>;
  const Texts two{"2.0.0", "2.00.0", "2.0.0+build7", "02.0.0"};
  for (const auto& spelled : two) CHECK(running(spelled) == two);
  CHECK(running("2.0.0+other") == two);
  CHECK(running("2.0.0-rc01") == Texts{"2.0.0-rc01"});
  CHECK(running("2.0.0-rc1") == Texts{"2.0.0-rc1"});
  CHECK(running("a+1") == Texts{"a+1"});
  CHECK(running("+01") == Texts{"+1"});
  CHECK(running("02") == Texts{"2"});
  CHECK(running("3").empty());
  CHECK(views.device_list({{}, "2.0.0", {}, {}}, {}).rows.size() == 5);
  // A device that changes to another spelling stays where it is, and goes when it runs another version.
  const auto change = [&](const std::string& version) {
    domain::DeviceAttributesChanged changed;
    changed.set["firmware_version"] = version;
    t.story.tell({device_id(0), changed, device_id(0)});
    t.read();
  };
  change("2.0.0+x");
  CHECK(running("2.0.0") == Texts{"2.0.0+x", "2.00.0", "2.0.0+build7", "02.0.0"});
  change("3");
  CHECK(running("2.0.0") == Texts{"2.00.0", "2.0.0+build7", "02.0.0"});
  CHECK(running("3") == Texts{"3"});
}

TEST_CASE("the ids of a set are had in one walk, in its order, the first of them if it is large") {
  ReadStory t;
  t.story.devices(0, 60);
  t.story.tell({device_id(20), domain::DeviceDeleted{"sold", {20}}, device_id(20)});
  auto& views = t.read();
  const auto texts = [&](const domain::Bitmap& set, std::size_t most) {
    std::vector<std::string> ids;
    for (const auto& id : views.devices_of(set, most)) ids.push_back(id.value);
    return ids;
  };
  using Texts = std::vector<std::string>;
  CHECK(texts(set_of({3, 4, 20, 59}), 10) == Texts{"pump-003", "pump-004", "pump-020", "pump-059"});
  CHECK(texts(set_of({3, 4, 20, 59}), 2) == Texts{"pump-003", "pump-004"});
  CHECK(texts(set_of({7, 60, 1'000'000}), 10) == Texts{"pump-007"});
  CHECK(texts(set_of({}), 10).empty());
  CHECK(texts(set_of({1}), 0).empty());
}

TEST_CASE("decision 18: devices are listed by their owner, who may change") {
  ReadStory t;
  constexpr domain::Caller kAnna{0xa};
  constexpr domain::Caller kBert{0xb};
  for (std::uint32_t n = 0; n < 6; ++n) {
    t.story.device(n, {});
    domain::DeviceAttributesChanged owned;
    owned.owner = n % 2 ? kAnna : kBert;
    t.story.tell({device_id(n), owned, device_id(n)});
  }
  domain::DeviceAttributesChanged sold;
  sold.owner = kBert;
  t.story.tell({device_id(1), sold, device_id(1)});
  sold.owner = domain::Caller{};
  t.story.tell({device_id(3), sold, device_id(3)});
  auto& views = t.read();
  const auto of = [&](domain::Caller owner) {
    DeviceFilter filter;
    filter.owner = owner;
    return ids_of(by_cursor([&](const PageRequest& page) { return views.device_list(filter, page); }, 2));
  };
  CHECK(of(kAnna) == std::vector<std::string>{device_id(5).value});
  CHECK(of(kBert) == std::vector<std::string>{device_id(0).value, device_id(1).value, device_id(2).value, device_id(4).value});
}

TEST_CASE("what devices change moves them from list to list") {
  ReadStory t;
  t.story.device(1, {{"device_model", "SF-100"}}, {"a", "b"});
  t.read();
  domain::DeviceAttributesChanged change;
  change.set = {{"device_model", "SF-200"}, {"firmware_version", "1.0.0"}};
  change.groups_changed = true;
  change.groups = {"b", "c"};
  t.story.tell({device_id(1), change, device_id(1)});
  auto& views = t.read();
  const auto in = [&](const DeviceFilter& filter) {
    return views.device_list(filter, {}).rows.size();
  };
  CHECK(in({"SF-100", {}, {}, {}}) == 0);
  CHECK(in({"SF-200", {}, {}, {}}) == 1);
  CHECK(in({{}, "1.0.0", {}, {}}) == 1);
  CHECK(in({{}, {}, "a", {}}) == 0);
  CHECK(in({{}, {}, "b", {}}) == 1);
  CHECK(in({{}, {}, "c", {}}) == 1);
  using Versions = std::map<std::string, std::map<std::string, std::uint64_t>>;
  CHECK(views.statistics().devices_by_model_version == Versions{{"SF-200", {{"1.0.0", 1}}}});
}

TEST_CASE("a success moves its device to the list of the new version") {
  ReadStory t;
  t.story.devices(0, 2);
  t.story.campaign(campaign_id(1), set_of({0, 1}));
  t.story.start(campaign_id(1));
  const auto update = domain::UpdateId::in_campaign(campaign_id(1), {1});
  t.story.grant(update, 1, 100);
  t.story.begin(update, 1);
  t.read();
  CHECK(t.views().polls().find("pump-001")->active.value == 100);
  t.story.succeed(update, 1);
  auto& views = t.read();
  CHECK(ids_of(views.device_list({{}, "2.0.0", {}, {}}, {}).rows) ==
        std::vector<std::string>{"pump-001"});
  const auto versions = views.statistics().devices_by_model_version;
  CHECK(versions.at("SF-100").at("1.0.0") == 1);
  CHECK(versions.at("SF-100").at("2.0.0") == 1);
  const auto poll = views.polls().find("pump-001");
  CHECK(poll->active.value == 0);
  CHECK(poll->installed.value == 100);
}

TEST_CASE("visiting devices stops when it is told to") {
  ReadStory t;
  t.story.devices(0, 5);
  int visited = 0;
  t.read().each_device([&](const domain::Device&) { return ++visited < 2; });
  CHECK(visited == 2);
}

TEST_CASE("some devices are visited without the others, near ones and far ones") {
  ReadStory t;
  t.story.devices(0, 60);
  t.story.tell({device_id(20), domain::DeviceDeleted{"", {20}}, device_id(20)});
  const auto visited = [&](const domain::Bitmap& ordinals) {
    std::vector<std::uint32_t> found;
    t.read().each_device_of(ordinals, [&](const domain::Device& device) {
      CHECK(device.id == device_id(device.ordinal.value));
      CHECK(device.attribute("device_model") == "SF-100");
      found.push_back(device.ordinal.value);
      return true;
    });
    return found;
  };
  CHECK(visited(set_of({})).empty());
  CHECK(visited(set_of({0, 1, 3, 20, 21, 59, 60, 1'000})) == std::vector<std::uint32_t>{0, 1, 3, 21, 59});
  CHECK(visited(set_of({5})) == std::vector<std::uint32_t>{5});
  CHECK(visited(set_of({60, 1'000'000})).empty());
  int stopped_after = 0;
  t.read().each_device_of(set_of({1, 2, 3, 40}), [&](const domain::Device&) { return ++stopped_after < 2; });
  CHECK(stopped_after == 2);
}

TEST_CASE("the names of devices cannot reach into each other's lists") {
  ReadStory t;
  const auto tell = [&](const std::string& id, std::uint32_t ordinal, const std::string& group) {
    t.story.tell({domain::DeviceId{id},
                  domain::DeviceRegistered{{ordinal}, domain::RegisteredVia::kApi, {}, {group}},
                  domain::DeviceId{id}});
  };
  tell("xa", 0, "g");
  tell("a", 1, "gx");
  tell(std::string("a\x00z", 3), 2, "g");
  auto& views = t.read();
  CHECK(views.device_list({{}, {}, "gx", {}}, {}).rows.size() == 1);
  CHECK(views.device_list({{}, {}, "g", {}}, {}).rows.size() == 2);
  CHECK(by_cursor([&](const PageRequest& page) { return views.device_list({}, page); }, 1).size() ==
        3);
}

TEST_CASE("a cursor of another list is refused") {
  ReadStory t;
  t.story.devices(0, 3);
  auto& views = t.read();
  CHECK(views.device_list({}, {1, 0, "c00"}).bad_cursor);
  CHECK(views.device_list({}, {1, 0, "dxyz"}).bad_cursor);
  CHECK(
      views
          .device_list({{}, {}, {}, "valve"}, {1, 0, views.device_list({}, {1, 0, ""}).next_cursor})
          .bad_cursor);
}

}  // namespace
}  // namespace ota::projections
