// The header of a CSV file of devices, and what a record under it says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/device_import.hpp"
#include "http/field_errors.hpp"
#include "http/problem.hpp"

namespace ota::http {

class ImportColumns {
 public:
  // All that is wrong with a header: a column that is unknown or there twice, no device_id.
  static std::variant<ImportColumns, Problem> read(std::span<const std::string_view> header);

  std::size_t count() const { return columns_.size(); }
  // What was refused is in `errors`, each under the name of its column; then nothing of the answer may be used.
  actors::ImportLine line(std::uint64_t number, std::span<const std::string_view> fields, FieldErrors& errors) const;

 private:
  enum class Kind : std::uint8_t { kDevice, kText, kAttribute, kGroups, kPerson };
  struct Column {
    Kind kind = Kind::kText;
    std::string name;                     // as the header has it
    std::string attribute;                // of kText and kAttribute; else empty
  };
  static std::optional<Column> column_of(std::string_view name);

  std::vector<Column> columns_;
};

}  // namespace ota::http
