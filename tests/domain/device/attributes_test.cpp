// What a device says of itself, and what operators say of it.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

using Mode = ChangeAttributes::Mode;

const DeviceRegistered kRegistered{
    kOrdinal, RegisteredVia::kPoll, {{"site", "ams"}, {"name", "Rahmen"}}, {"beta"}};

// Known, and not asked for its attributes any more.
Given known() {
  DeviceAttributesChanged answered;
  answered.by_device = true;
  return given({kRegistered, answered});
}

// Known, and it has said so much of itself.
Given said(Attributes values) {
  DeviceAttributesChanged answered;
  answered.set = std::move(values);
  answered.by_device = true;
  return given({kRegistered, answered});
}

ChangeAttributes change(Mode mode, Attributes values, std::vector<std::string> removed = {}) {
  ChangeAttributes c;
  c.mode = mode;
  c.values = std::move(values);
  c.removed = std::move(removed);
  return c;
}

DeviceAttributesChanged changed(Attributes set, std::vector<std::string> removed = {}) {
  DeviceAttributesChanged e;
  e.set = std::move(set);
  e.removed = std::move(removed);
  return e;
}

Given with_attributes(std::size_t count) {
  DeviceRegistered full = kRegistered;
  full.attributes.clear();
  for (std::size_t i = 0; i < count; ++i) full.attributes["key" + std::to_string(i)] = "v";
  return given({full});
}

}  // namespace

TEST_CASE("merge sets what is new or other, and leaves the rest") {
  known()
      .when(change(Mode::kMerge, {{"site", "fra"}, {"name", "Rahmen"}, {"slot", "B"}}))
      .then({changed({{"site", "fra"}, {"slot", "B"}})});
}

TEST_CASE("merge removes what is said to be null, if it was there") {
  known()
      .when(change(Mode::kMerge, {{"slot", "B"}}, {"site", "nothing", "site"}))
      .then({changed({{"slot", "B"}}, {"site"})});
}

TEST_CASE("replace sets what is given and removes all else that the device said") {
  said({{"slot", "A"}, {"kernel", "6.1"}})
      .when(change(Mode::kReplace, {{"slot", "B"}, {"uptime", "7"}}))
      .then({changed({{"slot", "B"}, {"uptime", "7"}}, {"kernel"})});
  said({{"slot", "A"}, {"kernel", "6.1"}}).when(change(Mode::kReplace, {}, {"name"})).then({changed({}, {"kernel", "name", "slot"})});
}

TEST_CASE("replace leaves what an operator said of the device, whoever said it first") {
  known().when(change(Mode::kReplace, {{"slot", "B"}})).then({changed({{"slot", "B"}})});
  said({{"name", "frame"}}).when(change(Mode::kReplace, {{"slot", "B"}})).then({changed({{"slot", "B"}}, {"name"})});
  DeviceAttributesChanged first = changed({{"slot", "A"}});
  first.by_device = true;
  given({kRegistered, first, changed({{"slot", "left"}})})
      .when(change(Mode::kReplace, {{"kernel", "6.1"}}))
      .then({changed({{"kernel", "6.1"}})});
}

TEST_CASE("replace leaves the version that a success has shown") {
  const Attributes runs{{"firmware_version", "1.0.0"}, {"slot", "A"}};
  DeviceAttributesChanged before = changed(runs);
  before.by_device = true;
  given({kRegistered, before}).when(change(Mode::kReplace, {{"slot", "A"}})).then({changed({}, {"firmware_version"})});
  given({kRegistered, before, in(kUpdate, first_grant()), in(kUpdate, started()), in(kUpdate, at(kBefore, succeeded()))})
      .when(change(Mode::kReplace, {{"slot", "B"}}))
      .then({changed({{"slot", "B"}})});
}

TEST_CASE("remove takes keys and looks at no values") {
  known()
      .when(change(Mode::kRemove, {{"slot", "B"}}, {"site", "nothing"}))
      .then({changed({}, {"site"})});
}

TEST_CASE("design 5: nothing new writes nothing") {
  known().when(change(Mode::kMerge, {{"site", "ams"}})).then_nothing();
  known().when(change(Mode::kMerge, {})).then_nothing();
  known().when(change(Mode::kRemove, {}, {"nothing"})).then_nothing();
  known().when(change(Mode::kReplace, {{"site", "ams"}, {"name", "Rahmen"}})).then_nothing();
}

TEST_CASE("groups are replaced as a whole, and only if they differ") {
  auto c = change(Mode::kMerge, {});
  c.groups = {"beta"};
  known().when(c).then_nothing();
  c.groups = {"lobby", "beta"};
  DeviceAttributesChanged expected;
  expected.groups_changed = true;
  expected.groups = {"lobby", "beta"};
  known().when(c).then({expected});
  c.groups = std::vector<std::string>{};
  expected.groups.clear();
  known().when(c).then({expected});
}

TEST_CASE("a device that was asked for its attributes has answered, even with nothing new") {
  auto same = change(Mode::kMerge, {{"site", "ams"}});
  same.by_device = true;
  DeviceAttributesChanged answer;
  answer.by_device = true;
  given({kRegistered}).when(same).then({answer});
  CHECK_FALSE(known().device().wants_attributes_from);
  known().when(same).then_nothing();
}

TEST_CASE("an operator's word does not answer for the device") {
  const auto s = given({kRegistered, changed({{"site", "fra"}})}).device();
  CHECK(s.wants_attributes_from);
  given({kRegistered}).when(change(Mode::kMerge, {{"site", "ams"}})).then_nothing();
}

TEST_CASE("decision 12: after a success attributes are wanted only once the grace is over") {
  const std::vector<Fact> updated = {kRegistered, in(kUpdate, first_grant()),
                                     in(kUpdate, started()), in(kUpdate, at(kBefore, succeeded()))};
  const auto s = given(updated).device();
  CHECK(s.wants_attributes_from == kBefore + minutes(15));
  auto same = change(Mode::kMerge, {{"site", "ams"}});
  same.by_device = true;
  given(updated).now(kBefore + minutes(14)).when(same).then_nothing();
  DeviceAttributesChanged answer;
  answer.by_device = true;
  given(updated).now(kBefore + minutes(15)).when(same).then({answer});
}

TEST_CASE("a device has at most 100 attributes") {
  const auto error = with_attributes(100)
                         .when(change(Mode::kMerge, {{"one", "1"}, {"two", "2"}}))
                         .then_error(ErrorCode::kInvalid);
  CHECK(error.field == "attributes");
  CHECK(error.message == "a device has at most 100 attributes; this would make 102");
  with_attributes(99).when(change(Mode::kMerge, {{"one", "1"}})).then({changed({{"one", "1"}})});
  with_attributes(100)
      .when(change(Mode::kMerge, {{"one", "1"}}, {"key0"}))
      .then({changed({{"one", "1"}}, {"key0"})});
}

TEST_CASE("a device with all of its 100 attributes may still change them") {
  with_attributes(100).when(change(Mode::kMerge, {{"key7", "w"}})).then({changed({{"key7", "w"}})});
}

TEST_CASE("nobody changes what is unknown or deleted") {
  given({}).when(change(Mode::kMerge, {{"a", "b"}})).then_error(ErrorCode::kNotFound);
  given({kRegistered, DeviceDeleted{}})
      .when(change(Mode::kMerge, {{"a", "b"}}))
      .then_error(ErrorCode::kNotFound);
}

TEST_CASE("the rules read a device's facts from its attributes") {
  Device device;
  device.attributes = {{"device_model", "SF-100"}, {"hardware_version", "1.2"}, {"can_hold", "true"}};
  device.version = "2.0.0";
  const auto f = facts_of(device);
  CHECK(f.model == "SF-100");
  CHECK(f.hardware_version == "1.2");
  CHECK(f.firmware_version == "2.0.0");
  CHECK(f.can_hold);
  CHECK(facts_of(Device{}).model.empty());
  CHECK_FALSE(facts_of(Device{}).can_hold);
}

TEST_CASE("the attribute that holds the version is a setting") {
  Settings settings;
  settings.version_attribute = "sw";
  Device device;
  Recorded registered;
  registered.stream = DeviceId{"frame-1"};
  registered.device = DeviceId{"frame-1"};
  registered.event = DeviceRegistered{{}, {}, {{"sw", "2.0.0"}, {"firmware_version", "1.0.0"}}, {}};
  evolve(device, registered, settings);
  CHECK(facts_of(device).firmware_version == "2.0.0");
}

TEST_CASE("folding attributes: set, removed, groups") {
  DeviceAttributesChanged e = changed({{"site", "fra"}, {"slot", "B"}}, {"name"});
  e.groups_changed = true;
  e.groups = {"lobby"};
  const auto s = given({kRegistered, e}).device();
  CHECK(s.attributes == Attributes{{"site", "fra"}, {"slot", "B"}});
  CHECK(s.groups == std::vector<std::string>{"lobby"});
  CHECK(given({kRegistered, changed({{"a", "b"}})}).device().groups ==
        std::vector<std::string>{"beta"});
}
