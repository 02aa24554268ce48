#include "tools/otactl/json_cells.hpp"

#include <fmt/format.h>

#include "tools/otactl/human.hpp"
#include "tools/otactl/table.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

const json* find(const json& object, std::string_view path) {
  const json* at = &object;
  while (true) {
    const auto dot = path.find('.');
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string{path.substr(0, dot)});
    if (found == at->end()) return nullptr;
    at = &*found;
    if (dot == std::string_view::npos) return at->is_null() ? nullptr : at;
    path.remove_prefix(dot + 1);
  }
}

const json* find_first(const json& object, const Shown& shown) {
  for (const std::string& path : shown.paths)
    if (const json* found = find(object, path)) return found;
  return nullptr;
}

// At most two decimals, none where there is nothing behind the point.
std::string number(double value) {
  std::string result = fmt::format("{:.2f}", value);
  while (result.ends_with('0')) result.pop_back();
  if (result.ends_with('.')) result.pop_back();
  return result;
}

std::int64_t integer(const json& object, std::string_view path) {
  const json* value = find(object, path);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

bool is_empty(const json& value) {
  return (value.is_string() || value.is_array() || value.is_object()) &&
         (value.empty() || value == "");
}

bool is_number(As as) {
  return as == As::kNumber || as == As::kSize || as == As::kPercent || as == As::kMinutes;
}

}  // namespace

std::string value_text(const json& value) {
  if (value.is_string()) return text::printable(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) return number(value.get<double>());
  if (value.is_array()) {
    std::string result;
    for (const json& entry : value) result += (result.empty() ? "" : ", ") + value_text(entry);
    return result;
  }
  return text::printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string cell(const json& object, const Shown& shown) {
  const json* value = find_first(object, shown);
  if (value == nullptr || is_empty(*value)) return "-";
  if (shown.as == As::kTime && value->is_string())
    return text::printable(text::human_time(value->get<std::string>()));
  if (shown.as == As::kSize && value->is_number())
    return text::human_size(value->get<std::int64_t>());
  if (shown.as == As::kPercent && value->is_number())
    return fmt::format("{} %", number(value->get<double>()));
  if (shown.as == As::kMinutes && value->is_number())
    return fmt::format("{} min", number(value->get<double>()));
  return value_text(*value);
}

std::string objects_table(const json& objects, const std::vector<Shown>& columns) {
  std::vector<Heading> headings;
  headings.reserve(columns.size());
  for (const Shown& column : columns) headings.push_back({column.title, is_number(column.as)});
  Table table{headings};
  for (const json& object : objects) {
    std::vector<std::string> row;
    row.reserve(columns.size());
    for (const Shown& column : columns) row.push_back(cell(object, column));
    table.add(std::move(row));
  }
  return table.text();
}

std::string list_text(const json& page, const char* member, const std::vector<Shown>& columns) {
  const json* objects = find(page, member);
  if (objects == nullptr || !objects->is_array())
    return fmt::format("no {} in the answer\n", member);
  if (objects->empty()) return "none\n";
  std::string result = objects_table(*objects, columns);
  const json* cursor = find(page, "next_cursor");
  const std::int64_t shown_before = integer(page, "offset");
  const std::int64_t shown = shown_before + static_cast<std::int64_t>(objects->size());
  if (cursor != nullptr && cursor->is_string())
    result += fmt::format("more with --cursor {}\n", text::printable(cursor->get<std::string>()));
  else if (integer(page, "count") > shown)
    result += fmt::format("{} to {} of {}\n", shown_before + 1, shown, integer(page, "count"));
  return result;
}

std::string object_lines(const json& object, const std::vector<Shown>& lines) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const Shown& line : lines) {
    const json* value = find_first(object, line);
    if (value != nullptr && !is_empty(*value)) fields.emplace_back(line.title, cell(object, line));
  }
  return aligned(fields);
}

}  // namespace ota::ctl
