// The id that a request, its answer and the events that it causes carry (spec/api.md section 1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ota::http {

// 32 random hex digits: 16 bytes, as the log's command ids.
std::string new_request_id();

// The caller's X-Request-Id, cut after limits::kRequestIdBytes; empty if there is none or it is not
// printable ASCII.
std::optional<std::string_view> usable_request_id(std::optional<std::string_view> header);

}  // namespace ota::http
