// Target filters (spec: api, section 4): all clauses must hold.
#include "domain/filter.hpp"

#include <doctest/doctest.h>

using namespace ota::domain;

namespace {

Device frame() {
  Device d;
  d.attributes = {{"device_model", "SF-100"},
                  {"firmware_version", "2.9.0"},
                  {"hardware_version", "1.2"},
                  {"site", "ams"}};
  d.version = "2.9.0";   // what it runs counts, not what it last said of it
  d.groups = {"beta", "lobby"};
  return d;
}

bool holds(FilterField field, FilterOp op, std::vector<std::string> values,
           const std::string& attribute = "", const Device& device = frame()) {
  return matches({{field, attribute, op, std::move(values)}}, device);
}

}  // namespace

TEST_CASE("a filter without clauses means every device") { CHECK(matches({}, frame())); }

TEST_CASE("all clauses must hold") {
  const FilterClause model{FilterField::kModel, "", FilterOp::kEq, {"SF-100"}};
  const FilterClause site{FilterField::kAttribute, "site", FilterOp::kEq, {"ams"}};
  const FilterClause elsewhere{FilterField::kAttribute, "site", FilterOp::kEq, {"fra"}};
  CHECK(matches({model, site}, frame()));
  CHECK_FALSE(matches({model, elsewhere}, frame()));
}

TEST_CASE("versions compare as versions") {
  using enum FilterOp;
  const auto version = [](FilterOp op, std::vector<std::string> values) {
    return holds(FilterField::kFirmwareVersion, op, std::move(values));
  };
  CHECK(version(kLt, {"2.10.0"}));
  CHECK_FALSE(version(kLt, {"2.9.0"}));
  CHECK(version(kLte, {"2.9.0"}));
  CHECK(version(kGt, {"2.8.9"}));
  CHECK_FALSE(version(kGt, {"2.10.0"}));
  CHECK(version(kGte, {"02.9.0"}));
  CHECK(version(kEq, {"2.09.0"}));
  CHECK_FALSE(version(kNe, {"2.9.0"}));
  CHECK(version(kIn, {"1.0.0", "2.9.0"}));
  CHECK_FALSE(version(kIn, {"1.0.0"}));
  CHECK_FALSE(version(kIn, {}));
  CHECK(version(kPrefix, {"2.9"}));
  CHECK(holds(FilterField::kHardwareVersion, kLt, {"1.10"}));
}

TEST_CASE("everything else compares as text") {
  CHECK(holds(FilterField::kAttribute, FilterOp::kLt, {"b"}, "site"));
  CHECK(holds(FilterField::kModel, FilterOp::kPrefix, {"SF-"}));
  CHECK_FALSE(holds(FilterField::kModel, FilterOp::kEq, {"sf-100"}));
  CHECK(holds(FilterField::kModel, FilterOp::kNe, {"SF-200"}));
}

TEST_CASE("a device in several groups: one of them is enough, and `ne` is about all of them") {
  CHECK(holds(FilterField::kGroup, FilterOp::kEq, {"beta"}));
  CHECK(holds(FilterField::kGroup, FilterOp::kIn, {"x", "lobby"}));
  CHECK_FALSE(holds(FilterField::kGroup, FilterOp::kEq, {"x"}));
  CHECK(holds(FilterField::kGroup, FilterOp::kNe, {"x"}));
  CHECK_FALSE(holds(FilterField::kGroup, FilterOp::kNe, {"beta"}));
  CHECK(holds(FilterField::kGroup, FilterOp::kNe, {"beta"}, "", Device{}));
  CHECK_FALSE(holds(FilterField::kGroup, FilterOp::kEq, {"beta"}, "", Device{}));
}

TEST_CASE("a device without the value matches only `ne`") {
  using enum FilterOp;
  for (const auto op : {kEq, kIn, kLt, kLte, kGt, kGte, kPrefix}) {
    CHECK_FALSE(holds(FilterField::kFirmwareVersion, op, {"1"}, "", Device{}));
    CHECK_FALSE(holds(FilterField::kAttribute, op, {""}, "site", Device{}));
  }
  CHECK(holds(FilterField::kFirmwareVersion, kNe, {"1"}, "", Device{}));
  CHECK(holds(FilterField::kAttribute, kNe, {"ams"}, "site", Device{}));
}

TEST_CASE("a version is what counts as the device's, not what it last reported") {
  Device d;
  d.attributes = {{"firmware_version", "2.0.0"}};
  d.version = "3.0.0";
  CHECK(matches({{FilterField::kFirmwareVersion, "", FilterOp::kEq, {"3.0.0"}}}, d));
}

TEST_CASE("the words of fields and operators; unknown ones are none") {
  CHECK(parse_filter_field("device_model") == FilterField::kModel);
  CHECK(parse_filter_field("firmware_version") == FilterField::kFirmwareVersion);
  CHECK(parse_filter_field("hardware_version") == FilterField::kHardwareVersion);
  CHECK(parse_filter_field("group") == FilterField::kGroup);
  for (const char* word : {"", "attributes", "model", "Group"}) {
    CHECK_FALSE(parse_filter_field(word));
  }
  const std::pair<const char*, FilterOp> ops[] = {
      {"eq", FilterOp::kEq},   {"ne", FilterOp::kNe},        {"in", FilterOp::kIn},
      {"lt", FilterOp::kLt},   {"lte", FilterOp::kLte},      {"gt", FilterOp::kGt},
      {"gte", FilterOp::kGte}, {"prefix", FilterOp::kPrefix}};
  for (const auto& [word, op] : ops) CHECK(parse_filter_op(word) == op);
  for (const char* word : {"", "=", "EQ", "regex"}) CHECK_FALSE(parse_filter_op(word));
}
