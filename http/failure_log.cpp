#include "http/failure_log.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "http/request_context.hpp"
#include "http/text.hpp"

namespace ota::http {

void log_failure(const RequestContext& context, std::string_view what) {
  nlohmann::ordered_json line;
  line["event"] = "request_failed";
  line["request_id"] = context.request_id();
  line["method"] = context.method();
  line["path"] = shown(context.path());
  line["route"] = context.route();
  line["error"] = what;
  spdlog::error(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace ota::http
