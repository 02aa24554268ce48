#include "http/audit_record.hpp"

#include <string>
#include <utility>
#include <variant>

#include "http/commands.hpp"
#include "http/text.hpp"

namespace ota::http {

RouteHandler recorded(Api& api, RouteHandler handler) {
  if (!api.options.record_audit_reads) return handler;
  return [&api, handler = std::move(handler)](RequestContext& context) {
    const auto found = meta_of(context, api.service, 200);
    if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
    std::string what(context.path());
    if (!context.query().empty()) what.append("?").append(context.query());
    const auto answer = api.service.record_audit_read(shown(what), std::get<actors::Meta>(found));
    if (!answer) return context.answer(problem_of(answer.error()));
    handler(context);
  };
}

}  // namespace ota::http
