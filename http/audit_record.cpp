#include "http/audit_record.hpp"

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "http/commands.hpp"
#include "http/event_filter.hpp"
#include "http/event_text.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

// What says which events are wanted; anything else that a query may hold says nothing.
constexpr std::array<std::string_view, 5> kFilters{"stream", "campaign_id", "update_id", "device_id", "type"};
constexpr std::array<std::string_view, 7> kParts{"from", "to", "after", "until", "limit", "at", "size"};
constexpr std::string_view kActor = "actor";
constexpr std::string_view kFormat = "format";
constexpr std::string_view kNotSaid = "?";

// A number or a time.
bool is_moment(std::string_view value) { return value.find_first_not_of("0123456789TZtz:.+- ") == std::string_view::npos; }

// As it may stand in a query: plain text, whatever was in it. The head of the request bounds it.
std::string encoded(std::string_view value) { return percent_encode(value, "-._~:,"); }

// The path, with ids that are some. In the place of anything else somebody may have written a name.
std::string path_of(const RequestContext& context, const Api& api) {
  static constexpr std::array<std::string_view, 12> kWords{"api", "v1", "ota", "audit", "events", "stream", "proof", "story", "devices",
                                                           "campaigns", "updates", "diff"};
  std::string path;
  std::string_view before;
  for (std::string_view left = context.path(); !left.empty();) {
    left.remove_prefix(1);
    const auto step = left.substr(0, left.find('/'));
    left.remove_prefix(step.size());
    const auto value = percent_decode(step, PlusSign::kItself).value_or("");
    const bool is_id = (before == "devices" && is_of_filter(api, "device_id", value)) ||
                       (before == "campaigns" && is_of_filter(api, "campaign_id", value)) ||
                       (before == "updates" && is_of_filter(api, "update_id", value)) || is_moment(value);
    path.append("/").append(is_id ? encoded(value) : std::string(is_among(kWords, step) ? step : kNotSaid));
    before = step;
  }
  return path;
}

domain::AuditRead read_of(const RequestContext& context, const Api& api) {
  domain::AuditRead read{path_of(context, api), {}};
  FieldErrors unread;                       // the handler says what is wrong with it
  const QueryReader query(context.query(), unread);
  char separator = '?';
  std::set<std::string_view> said;          // of a name that comes twice the first value counts
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!said.insert(name).second) return;
    read.what.append(1, std::exchange(separator, '&')).append(name).append("=").append(value);
  };
  // Of a stream it says where the reading begins, whatever the query says.
  if (const auto seen = context.header("Last-Event-ID").value_or(""); !seen.empty() && read.what.ends_with("/stream")) {
    add("after", is_moment(seen) ? encoded(seen) : kNotSaid);
  }
  for (const auto& [name, value] : query.parameters()) {
    if (name == kActor) {
      if (!said.contains(name)) read.of_actor = api.service.known_user(value).value_or(domain::Caller{});
      add(name, "*");
    } else if (is_among(kFilters, name)) {
      add(name, is_of_filter(api, name, value) ? encoded(value) : kNotSaid);
    } else if (is_among(kParts, name)) {
      add(name, is_moment(value) ? encoded(value) : kNotSaid);
    } else if (name == kFormat) {
      add(name, parse_event_format(value) ? std::string_view(value) : kNotSaid);
    }
  }
  return read;
}

}  // namespace

RouteHandler recorded(Api& api, RouteHandler handler) {
  if (!api.options.record_audit_reads) return handler;
  return [&api, handler = std::move(handler)](RequestContext& context) {
    const auto found = meta_of(context, api.service, 200);
    if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
    const auto answer = api.service.record_audit_read(read_of(context, api), std::get<actors::Meta>(found));
    if (!answer) return context.answer(problem_of(answer.error()));
    handler(context);
  };
}

}  // namespace ota::http
