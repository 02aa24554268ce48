#include "http/audit_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

// What says which events are wanted; anything else that a query may hold says nothing.
constexpr std::array<std::string_view, 13> kTelling{"stream", "campaign_id", "update_id", "device_id", "type", "from", "to",
                                                    "after",  "until",       "limit",     "format",    "at",   "size"};
constexpr std::string_view kActor = "actor";

// As it may stand in a query: plain text, whatever was in it. The head of the request bounds it.
std::string encoded(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._~:,@").find(c) != std::string_view::npos;
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

domain::AuditRead read_of(const RequestContext& context, const Api& api) {
  domain::AuditRead read{std::string(context.path()), {}};
  FieldErrors unread;                       // the handler says what is wrong with it
  const QueryReader query(context.query(), unread);
  char separator = '?';
  std::set<std::string_view> said;          // of a name that comes twice the first value counts
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!said.insert(name).second) return;
    read.what.append(1, std::exchange(separator, '&')).append(name).append("=").append(value);
  };
  for (const auto& [name, value] : query.parameters()) {
    if (name == kActor) {
      if (!said.contains(name)) read.of_actor = api.service.known_user(value).value_or(domain::Caller{});
      add(name, "*");
    } else if (std::find(kTelling.begin(), kTelling.end(), name) != kTelling.end()) {
      add(name, encoded(value));
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
