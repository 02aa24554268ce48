// The schema of the rows, as it stands in them: their form, and everything outside the log that a fold depends on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/settings.hpp"

namespace ota::projections {

// Raise it on any change of rows, keys or of what an event does to them: the views are then built anew.
inline constexpr int kSchemaNumber = 12;

// The name of its row among those about the rows.
inline constexpr std::string_view kSchemaRow = "schema";

std::string schema_of(const domain::Settings& settings);
// The settings that rows of this schema were folded with, so that a tool folds as the service did; those that no fold looks
// at are left as they are by default. Empty: it is the schema of another version.
std::optional<domain::Settings> settings_in(std::string_view schema);

}  // namespace ota::projections
