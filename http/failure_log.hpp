// The line in the log when a handler failed: what the answer must not tell.
#pragma once

#include <string_view>

namespace ota::http {

class RequestContext;

// Logs one JSON line with method, path, route and request id.
void log_failure(const RequestContext& context, std::string_view what);

}  // namespace ota::http
