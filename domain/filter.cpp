#include "domain/filter.hpp"

#include <algorithm>

#include "domain/version.hpp"

namespace ota::domain {
namespace {

bool is_version(FilterField field) {
  return field == FilterField::kFirmwareVersion || field == FilterField::kHardwareVersion;
}

std::weak_ordering compare(const FilterClause& clause, const std::string& a, const std::string& b) {
  return is_version(clause.field) ? compare_versions(a, b) : std::weak_ordering(a <=> b);
}

bool holds(const FilterClause& clause, const std::string& value) {
  const auto is = [&](const std::string& wanted) { return compare(clause, value, wanted) == 0; };
  if (clause.values.empty()) return false;  // `in` of nothing
  const auto& first = clause.values.front();
  switch (clause.op) {
    case FilterOp::kEq: return is(first);
    case FilterOp::kNe: return !is(first);
    case FilterOp::kIn: return std::any_of(clause.values.begin(), clause.values.end(), is);
    case FilterOp::kLt: return compare(clause, value, first) < 0;
    case FilterOp::kLte: return compare(clause, value, first) <= 0;
    case FilterOp::kGt: return compare(clause, value, first) > 0;
    case FilterOp::kGte: return compare(clause, value, first) >= 0;
    case FilterOp::kPrefix: return value.starts_with(first);
  }
  return false;
}

// A device is in several groups: positive clauses ask for one of them, `ne` for none.
bool group_holds(const FilterClause& clause, const std::vector<std::string>& groups) {
  const auto test = [&](const std::string& group) { return holds(clause, group); };
  return clause.op == FilterOp::kNe ? std::all_of(groups.begin(), groups.end(), test)
                                    : std::any_of(groups.begin(), groups.end(), test);
}

std::string value_of(const FilterClause& clause, const Device& device, const DeviceFacts& facts) {
  switch (clause.field) {
    case FilterField::kModel: return facts.model;
    case FilterField::kFirmwareVersion: return facts.firmware_version;
    case FilterField::kHardwareVersion: return facts.hardware_version;
    default: return device.attribute(clause.attribute);
  }
}

}  // namespace

std::optional<FilterField> parse_filter_field(std::string_view word) {
  if (word == "device_model") return FilterField::kModel;
  if (word == "firmware_version") return FilterField::kFirmwareVersion;
  if (word == "hardware_version") return FilterField::kHardwareVersion;
  if (word == "group") return FilterField::kGroup;
  return std::nullopt;
}

std::optional<FilterOp> parse_filter_op(std::string_view word) {
  if (word == "eq") return FilterOp::kEq;
  if (word == "ne") return FilterOp::kNe;
  if (word == "in") return FilterOp::kIn;
  if (word == "lt") return FilterOp::kLt;
  if (word == "lte") return FilterOp::kLte;
  if (word == "gt") return FilterOp::kGt;
  if (word == "gte") return FilterOp::kGte;
  if (word == "prefix") return FilterOp::kPrefix;
  return std::nullopt;
}

bool matches(const Filter& filter, const Device& device) { return matches(filter, device, facts_of(device)); }

bool matches(const Filter& filter, const Device& device, const DeviceFacts& facts) {
  return std::all_of(filter.begin(), filter.end(), [&](const FilterClause& clause) {
    if (clause.field == FilterField::kGroup) return group_holds(clause, device.groups);
    const auto value = value_of(clause, device, facts);
    if (value.empty()) return clause.op == FilterOp::kNe;
    return holds(clause, value);
  });
}

}  // namespace ota::domain
