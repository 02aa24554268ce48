// Which devices a target filter means (spec/api.md section 4). All clauses must hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/device/device.hpp"

namespace ota::domain {

enum class FilterField { kModel, kFirmwareVersion, kHardwareVersion, kGroup, kAttribute };
enum class FilterOp { kEq, kNe, kIn, kLt, kLte, kGt, kGte, kPrefix };

struct FilterClause {
  FilterField field = FilterField::kModel;
  std::string attribute;                  // kAttribute: its name
  FilterOp op = FilterOp::kEq;
  std::vector<std::string> values;        // one, but for kIn
};
using Filter = std::vector<FilterClause>;

std::optional<FilterField> parse_filter_field(std::string_view word);   // not kAttribute
std::optional<FilterOp> parse_filter_op(std::string_view word);

// Versions compare as versions, everything else as text; a device without the value matches only `ne`.
bool matches(const Filter& filter, const Device& device);
// The same for whoever has the device's facts already.
bool matches(const Filter& filter, const Device& device, const DeviceFacts& facts);

}  // namespace ota::domain
