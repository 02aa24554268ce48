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
  // Names of persons stand in the log's subjects alone, where they can be erased.
  const bool names_a_person = context.path().find("/users/") != std::string_view::npos;
  if (!names_a_person) line["path"] = shown(context.path());
  line["route"] = context.route();
  line["error"] = what;
  spdlog::error(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace ota::http
