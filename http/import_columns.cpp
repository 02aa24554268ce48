#include "http/import_columns.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "domain/limits.hpp"
#include "http/device_request.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kAttributePrefix = "attribute.";
constexpr const char* kKnown =
    "device_id, name, device_model, hardware_version, firmware_version, groups, user_id and attribute.<key>";

// One value, and the name that its errors go under.
struct Cell {
  std::string_view column;
  std::string_view text;
  FieldErrors& errors;

  FieldPlace place() const { return {errors, nlohmann::json::array({column})}; }
  // Most values are short and ASCII: they pass every check of a text, whatever its bounds are counted in.
  bool is_surely_fine(std::size_t max) const {
    return text.size() <= max && is_printable_ascii(text) && text.find_first_not_of(' ') != std::string_view::npos;
  }
  bool has_characters(std::size_t max) const { return is_surely_fine(max) || check_length(place(), text, {1, max}); }
  bool has_bytes(std::size_t max) const { return is_surely_fine(max) || check_bytes(place(), text, max); }
};

bool is_device_id(const Cell& cell) {
  if (cell.text.empty()) {
    cell.place().fail("field required", "missing");
    return false;
  }
  const bool may_be_dots = cell.text.front() == '.';
  return (cell.is_surely_fine(limits::kPathParameterChars) && !may_be_dots) || check_device_id(cell.place(), cell.text);
}

std::vector<std::string> groups_in(const Cell& cell) {
  std::vector<std::string> groups;
  std::string_view rest = cell.text;
  while (!rest.empty()) {
    const auto group = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), group.size() + 1));
    if (group.empty()) continue;
    if (Cell{cell.column, group, cell.errors}.has_characters(kDeviceGroupChars)) groups.emplace_back(group);
  }
  if (groups.size() > kDeviceGroups) {
    cell.place().fail(fmt::format("must have at most {} groups, got {}", kDeviceGroups, groups.size()), "too_long");
  }
  return groups;
}

}  // namespace

std::variant<ImportColumns, Problem> ImportColumns::read(std::span<const std::string_view> header) {
  ImportColumns read;
  FieldErrors errors;
  std::set<std::pair<bool, std::string>> said;   // attributes, and the other columns
  for (const auto name : header) {
    const auto fail = [&](const std::string& message, std::string_view type) {
      errors.add({"body", shown(name)}, message, type);
    };
    auto column = column_of(name);
    if (!column) {
      fail(fmt::format("the column '{}' is unknown; known are {}", shown(name), kKnown), "extra_forbidden");
      continue;
    }
    const auto& key = column->attribute;
    const bool is_attribute = !key.empty();
    if (is_attribute) check_attribute_name({errors, {"body", shown(name)}}, key);
    if (!said.emplace(is_attribute, is_attribute ? key : column->name).second) {
      fail(fmt::format("the column '{}' says again what another one says", shown(name)), "value_error");
    }
    read.columns_.push_back(std::move(*column));
  }
  if (!said.contains({false, "device_id"})) {
    errors.add({"body", "device_id"}, "the header has no column device_id", "missing");
  }
  if (!errors.empty()) return errors.problem();
  return read;
}

std::optional<ImportColumns::Column> ImportColumns::column_of(std::string_view name) {
  const auto is = [&](std::string_view known) { return name == known; };
  if (name == "device_id") return Column{Kind::kDevice, std::string(name), {}};
  if (name == "groups") return Column{Kind::kGroups, std::string(name), {}};
  if (name == "user_id") return Column{Kind::kPerson, std::string(name), {}};
  if (std::any_of(std::begin(kDeviceTexts), std::end(kDeviceTexts), is)) {
    return Column{Kind::kText, std::string(name), std::string(name)};
  }
  if (!name.starts_with(kAttributePrefix) || name.size() == kAttributePrefix.size()) return std::nullopt;
  return Column{Kind::kAttribute, std::string(name), std::string(name.substr(kAttributePrefix.size()))};
}

actors::ImportLine ImportColumns::line(std::uint64_t number, std::span<const std::string_view> fields,
                                       FieldErrors& errors) const {
  constexpr auto kMost = domain::limits::kAttributeBytes;
  actors::ImportLine line;
  line.number = number;
  auto& change = line.change;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& column = columns_[i];
    const Cell cell{column.name, fields[i], errors};
    if (column.kind == Kind::kDevice) {
      if (is_device_id(cell)) line.device.value = cell.text;
      continue;
    }
    if (cell.text.empty()) continue;      // nothing is said
    switch (column.kind) {
      case Kind::kDevice: break;
      case Kind::kText:
        if (cell.has_characters(kMost)) change.values.emplace(column.attribute, cell.text);
        break;
      case Kind::kAttribute:
        if (cell.has_bytes(kMost)) change.values.emplace(column.attribute, cell.text);
        break;
      case Kind::kGroups: change.groups = groups_in(cell); break;
      case Kind::kPerson:
        if (!cell.has_bytes(limits::kUserIdBytes)) break;
        if (auto why = why_not_in_paths(cell.text); !why.empty()) cell.place().fail(std::move(why), "string_pattern_mismatch");
        line.person = cell.text;
        break;
    }
  }
  if (change.values.size() > domain::limits::kDeviceAttributes) {
    errors.add(nlohmann::json::array(), fmt::format("a device has at most {} attributes, got {}",
                                                    domain::limits::kDeviceAttributes, change.values.size()), "too_long");
  }
  return line;
}

}  // namespace ota::http
