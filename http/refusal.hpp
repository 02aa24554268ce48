// The whole text of an answer that refuses a request before any handler has seen it, and ends the
// connection.
#pragma once

#include <string>
#include <string_view>

namespace ota::http {

// Head and body; the error shape with a request id of its own. A 503 asks to come again soon.
std::string refusal(int status, std::string_view message);

}  // namespace ota::http
