#include "projections/schema.hpp"

#include <fmt/format.h>

#include <charconv>

namespace ota::projections {

std::string schema_of(const domain::Settings& settings) {
  return fmt::format("{}\n{}", kSchemaNumber, domain::fold_settings(settings));
}

std::optional<domain::Settings> settings_in(std::string_view schema) {
  const auto text = schema;
  const auto line = [&schema] {
    const auto end = schema.find('\n');
    const auto found = schema.substr(0, end);
    schema.remove_prefix(end == std::string_view::npos ? schema.size() : end + 1);
    return found;
  };
  (void)line();  // the number
  domain::Settings settings;
  settings.version_attribute = line();
  const auto grace = line();
  domain::Duration::rep count = 0;
  std::from_chars(grace.data(), grace.data() + grace.size(), count);
  settings.success_grace = domain::Duration(count);
  // Read back: whatever else stands in it, or stood before, is of another version.
  return schema_of(settings) == text ? std::optional(settings) : std::nullopt;
}

}  // namespace ota::projections
