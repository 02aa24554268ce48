// Addresses of the REST API: path segments and queries, percent-encoded. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ota::ctl {

// Encodes everything but letters, digits and -._~ (RFC 3986), so that any id is one path segment.
std::string escape(std::string_view text);

// Names and values of a query, in order. An empty value is that of an option that was not given (an empty one that was is
// refused before): it is left out of the address.
using Query = std::vector<std::pair<std::string, std::string>>;

// Answers "path?name=value&..." or the path alone.
std::string with_query(std::string_view path, const Query& query);

}  // namespace ota::ctl
