// Conditional requests: If-Match and If-None-Match. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ota::http {

// Whether a list of entity tags holds `etag` (given without quotes) or is "*". Items may be quoted,
// bare (as some devices send them) or weak; a weak one matches only where `weak_counts`
// (If-None-Match does).
bool etag_list_holds(std::string_view list, std::string_view etag, bool weak_counts);

// The If-Match of a mutation: the revisions that the caller will have changed (spec/api.md section 1).
// Empty: any, as without the header or with "*". What is no number, or a weak tag, is no revision.
std::optional<std::vector<std::uint32_t>> revisions_of(std::optional<std::string_view> if_match);

}  // namespace ota::http
