// The log as it grows: GET /events/stream (spec/api.md section 6).
//
// Events as GET /audit/events shows them, with the same filters, for an EventSource: `id` is the position, so that whoever
// comes back with it as Last-Event-ID goes on where it was.
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/event_filter.hpp"
#include "http/event_stream.hpp"
#include "http/field_bounds.hpp"
#include "http/field_errors.hpp"
#include "http/live_events.hpp"
#include "http/log_moment.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::uint32_t kComeAgainAfter_s = 5;

// Where the client was; what is wrong with it is an error of its place.
std::optional<std::uint64_t> last_event_id(const RequestContext& context, const FieldPlace& place) {
  const auto text = context.header("Last-Event-ID").value_or("");
  if (text.empty()) return std::nullopt;
  std::uint64_t position = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error == std::errc() && stop == text.data() + text.size()) return position;
  place.fail(fmt::format("must be the id of an event, a whole number, got '{}'", shown(text)), "int_parsing");
  return std::nullopt;
}

// What is to have been seen already.
std::optional<eventstore::Position> read_start(const RequestContext& context, QueryReader& query, FieldErrors& errors,
                                               eventstore::Position head) {
  const FieldPlace of_header{errors, {"header", "Last-Event-ID"}};
  const FieldPlace of_query{errors, {"query", "after"}};
  const auto asked = query.integer("after", {0, INT64_MAX});
  if (const auto id = last_event_id(context, of_header)) {
    return is_in_log(of_header, *id, head) ? std::optional(eventstore::Position{*id}) : std::nullopt;
  }
  if (!asked || !is_in_log(of_query, static_cast<std::uint64_t>(*asked), head)) return std::nullopt;
  return eventstore::Position{static_cast<std::uint64_t>(*asked)};
}

void begin_stream(RequestContext& context, const Api& api, LiveEvents& live) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto start = read_start(context, query, errors, api.service.log().head());
  query.allow_only({"after", "stream", "campaign_id", "update_id", "device_id", "type", "actor"});  // a part of the log is at /audit/events
  auto filter = read_event_filter(query, api);
  if (!errors.empty()) return context.answer(errors.problem());
  std::unique_ptr<AnswerSource> stream;
  if (!context.is_head()) {
    auto place = live.follow();
    if (!place) {
      return context.answer(Problem::unavailable(
          fmt::format("The service has {} streams of events open already", live.followers().places()), kComeAgainAfter_s));
    }
    const auto after = start.value_or(newest_visible(api, live));
    stream = std::make_unique<EventStream>(api, live, std::move(*place), std::move(filter), after);
  }
  context.set_header("X-Accel-Buffering", "no");  // nginx would gather what is to be seen at once
  context.answer_endlessly("text/event-stream; charset=utf-8", std::move(stream));
}

}  // namespace

void add_event_stream_routes(Router::Group& admin, Api& api) {
  if (!api.options.live_events) return;
  admin.add("GET", "/events/stream", recorded(api, [&api](RequestContext& c) { begin_stream(c, api, *api.options.live_events); }));
}

}  // namespace ota::http
