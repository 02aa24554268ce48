// The log as it is, for auditors and checkers: events in log order (spec/api.md section 6).
//
// A page may hold fewer than `limit` events although `more` is true; who goes on with next_after until it is false has
// seen all. A file (format=jsonl or csv) has all of them, up to the end of the log as it was when it began. `until` is the last
// position that is wanted.
#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/event_filter.hpp"
#include "http/event_json.hpp"
#include "http/event_text.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/log_moment.hpp"
#include "http/places.hpp"
#include "http/query_reader.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kEventsMax = 5'000;     // a page of the log is smaller than a list's rows
constexpr std::int64_t kEventsDefault = 200;
// A page that finds little in a long log ends after so many events, so that no question holds a handler for long:
// `next_after` goes on there.
constexpr std::size_t kEventsLookedAt = 200'000;
constexpr std::size_t kPieceBytes = 64 * 1024;   // of a file at once
constexpr std::uint32_t kExportRetry = 30;

// What is asked for: a filter, and a part of the log.
struct Asked {
  EventFilter filter;
  eventstore::Position after;
  eventstore::Position until;               // with it
  std::optional<std::int64_t> limit;
  EventFormat format = EventFormat::kJson;
};

Asked read_asked(QueryReader& query, const Api& api) {
  const auto& log = api.service.log();
  Asked asked;
  asked.format = query.word("format", parse_event_format, "json, jsonl, csv").value_or(EventFormat::kJson);
  query.allow_only({"stream", "campaign_id", "update_id", "device_id", "type", "actor", "from", "to", "after", "until", "limit", "format"});
  asked.after = read_after(query, log.head());
  const bool in_pages = asked.format == EventFormat::kJson;
  asked.limit = query.integer("limit", {1, in_pages ? kEventsMax : INT64_MAX});
  if (in_pages && !asked.limit) asked.limit = kEventsDefault;
  const auto from = query.time("from");
  const auto to = query.time("to");
  if (from && to && *from > *to) {
    query.fail("to", fmt::format("'{}' is before from, '{}'", format_time(*to), format_time(*from)));
  }
  asked.filter = read_event_filter(query, api);
  const auto before = [&log](domain::Time time) { return log.at_or_before(time - domain::Duration(1)); };
  if (from) asked.after = std::max(asked.after, before(*from));
  asked.until = to ? before(*to) : log.head();
  if (const auto until = query.integer("until", {0, INT64_MAX})) {
    asked.until = std::min(asked.until, eventstore::Position{static_cast<std::uint64_t>(*until)});
  }
  return asked;
}

void answer_page(RequestContext& context, Api& api, Asked& asked) {
  json items = json::array();
  auto last = asked.after;
  std::size_t looked_at = 0;
  bool more = false;                        // it stopped before the end
  const auto visit = [&](const eventstore::RecordedEvent& event) {
    if (event.position > asked.until) return false;
    more = items.size() == static_cast<std::size_t>(*asked.limit) || looked_at == kEventsLookedAt;
    if (more) return false;
    ++looked_at;
    last = event.position;
    if (asked.filter.holds(event)) items.push_back(event_json(api, event));
    return true;
  };
  read_candidates(api, asked.filter, asked.after, visit);
  // At the end nothing before it needs to be looked at again.
  if (!more) last = std::max(last, asked.until);
  context.answer_json(200, json{{"events", std::move(items)},
                                {"next_after", last.value},
                                {"more", more},
                                {"head", api.service.log().head().value},
                                {"limit", *asked.limit}}
                               .dump(-1, ' ', false, json::error_handler_t::replace));
}

// Writes the lines of a file while they are read; false if the client is gone, or the log cannot be read: an answer without
// its end tells the client.
bool write_file(const Api& api, Asked& asked, httplib::DataSink& sink) {
  std::string piece(first_line(asked.format));
  std::int64_t lines = 0;
  std::size_t looked_at = 0;
  bool taken = true;
  try {
    read_candidates(api, asked.filter, asked.after, [&](const eventstore::RecordedEvent& event) {
      if (event.position > asked.until || (asked.limit && lines == *asked.limit)) return false;
      // Who finds little in a long log may have gone meanwhile.
      if (++looked_at % kEventsLookedAt == 0) taken = sink.is_writable();
      if (!taken || !asked.filter.holds(event)) return taken;
      ++lines;
      piece += line_of(api, event, asked.format);
      if (piece.size() < kPieceBytes) return true;
      taken = sink.write(piece.data(), piece.size());
      piece.clear();
      return taken;
    });
  } catch (const eventstore::LogError& error) {
    spdlog::error(R"({{"event":"export_broken_off","why":{}}})", json(error.what()).dump());
    return false;
  }
  if (!taken || (!piece.empty() && !sink.write(piece.data(), piece.size()))) return false;
  sink.done();
  return true;
}

void answer_file(RequestContext& context, Api& api, Asked asked) {
  if (context.head().is_http_1_0) {
    return context.answer(Problem::not_acceptable("A file of events is sent in pieces, of which HTTP/1.0 knows no end; take format=json"));
  }
  static Places places{limits::kExportsAtOnce};
  auto place = places.take();
  if (!place) {
    return context.answer(Problem::unavailable(
        fmt::format("{} files of events are being sent; try again", limits::kExportsAtOnce), kExportRetry));
  }
  context.set_header("Content-Disposition", fmt::format("attachment; filename=\"events-{}.{}\"", asked.until.value,
                                                        extension_of(asked.format)));
  struct Export {
    Asked asked;
    Places::Place place;
  };
  const auto kept = std::make_shared<Export>(Export{std::move(asked), std::move(*place)});
  context.response().status = 200;
  context.response().set_chunked_content_provider(
      std::string(content_type_of(kept->asked.format)),
      [&api, kept](std::size_t, httplib::DataSink& sink) { return write_file(api, kept->asked, sink); });
}

void events(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  if (!settle_for_times(context, api, query, {"from", "to"})) return;
  auto asked = read_asked(query, api);
  if (!errors.empty()) return context.answer(errors.problem());
  if (asked.format != EventFormat::kJson) return answer_file(context, api, std::move(asked));
  answer_page(context, api, asked);
}

}  // namespace

void add_audit_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kAuditPagesAtOnce;
  admin.add("GET", "/audit/events", recorded(api, [&api](RequestContext& c) { events(c, api); }), pages);
}

}  // namespace ota::http
