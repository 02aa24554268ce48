// The log as it is, for auditors and checkers: events in log order (spec/api.md section 6).
//
// Whatever is asked for holds together: campaign_id and device_id are the events that concern both. A page may hold
// fewer than `limit` events although `more` is true; who goes on with next_after until it is false has seen all.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "http/api.hpp"
#include "http/event_json.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kEventsMax = 5'000;     // a page of the log is smaller than a list's rows
constexpr std::int64_t kEventsDefault = 200;
// A page that finds little in a long log ends after so many events, so that no question holds a handler for long:
// `next_after` goes on there.
constexpr std::size_t kEventsLookedAt = 200'000;

// Every type that this version knows, once, in the order of the vocabulary.
const std::vector<std::string_view>& type_names() {
  static const auto names = []<std::size_t... I>(std::index_sequence<I...>) {
    std::vector<std::string_view> all;
    for (const auto type : {domain::event_type(std::variant_alternative_t<I, domain::EventVariant>())...}) {
      const auto name = domain::event_name(type);
      if (name != "unknown") all.push_back(name);
    }
    return all;
  }(std::make_index_sequence<std::variant_size_v<domain::EventVariant>>());
  return names;
}

// "campaign:camp_...", as an event's own `stream` reads.
std::optional<domain::Stream> parse_readable_stream(std::string_view text) {
  const auto of = [&](std::string_view kind) {
    return text.starts_with(kind) ? std::optional(text.substr(kind.size())) : std::nullopt;
  };
  const auto as_stream = [](const auto& id) { return id ? std::optional<domain::Stream>(*id) : std::nullopt; };
  if (text == "directory") return domain::DirectoryStream{};
  if (text == "service") return domain::ServiceStream{};
  if (const auto id = of("campaign:")) return as_stream(domain::parse_campaign_id(*id));
  if (const auto id = of("firmware:")) return as_stream(domain::parse_firmware_id(*id));
  if (const auto id = of("update:")) return as_stream(domain::parse_update_id(*id));
  if (const auto id = of("device:")) {
    if (!domain::is_valid_device_id(*id)) return std::nullopt;
    return domain::DeviceId{std::string(*id)};
  }
  if (const auto id = of("downloads:")) {
    const auto firmware = domain::parse_firmware_id(*id);
    return firmware ? std::optional<domain::Stream>(domain::DownloadsStream{*firmware}) : std::nullopt;
  }
  if (const auto token = of("user:")) {
    const auto bytes = domain::from_hex(*token);
    if (bytes && bytes->size() == sizeof(std::uint64_t)) return domain::parse_stream("p" + *bytes);
  }
  return std::nullopt;
}

// What an event must be to be shown; all of it.
struct Wanted {
  std::string stream;                       // its own; empty: any
  std::vector<std::string> tags;            // each of them, as a tag or as its stream
  std::string type;                         // empty: any
  std::optional<domain::Caller> actor;
  bool nobody = false;                      // the actor asked for never did anything
  std::optional<domain::CampaignId> campaign;
  std::string device;                       // its tag; empty: none was asked for
  std::set<std::string> device_updates;     // their streams: progress and late reports are there alone (design 5)

  bool holds(const eventstore::RecordedEvent& event) const {
    const auto has = [&](const std::string& tag) {
      if (event.stream == tag || std::find(event.tags.begin(), event.tags.end(), tag) != event.tags.end()) return true;
      if (tag == device) return device_updates.contains(std::string(event.stream));
      return campaign && tag == domain::stream_name(*campaign) && is_of_campaign(event.stream);
    };
    return (stream.empty() || event.stream == stream) && std::all_of(tags.begin(), tags.end(), has) &&
           (type.empty() || domain::event_name(event.type) == type) &&
           (!actor || projections::to_domain(event.caller) == *actor);
  }
  bool is_of_campaign(std::string_view stream_of_event) const {
    const auto parsed = domain::parse_stream(stream_of_event);
    const auto* update = parsed ? std::get_if<domain::UpdateId>(&*parsed) : nullptr;
    return update && update->campaign() == campaign;
  }
};

// Where the events of a device are: under its tag, and in the streams of the updates that are named there.
std::vector<eventstore::Position> events_of_device(const eventstore::Log& log, Wanted& wanted, eventstore::Position after) {
  std::vector<eventstore::Position> found;
  log.read_tag(wanted.device, {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position > after) found.push_back(event.position);
    const auto stream = domain::parse_stream(event.stream);
    if (stream && std::holds_alternative<domain::UpdateId>(*stream)) wanted.device_updates.emplace(event.stream);
    return true;
  });
  for (const auto& update : wanted.device_updates) {
    log.read_stream(update, after, [&](const eventstore::RecordedEvent& event) {
      found.push_back(event.position);
      return true;
    });
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// Whether the stream that is asked for is an update of the device that is asked for.
bool is_update_of_device(const Wanted& wanted, const Api& api) {
  const auto stream = domain::parse_stream(wanted.stream);
  const auto* id = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
  const auto update = id ? api.service.views().update_or_pending(*id) : std::nullopt;
  return update && domain::stream_name(update->device) == wanted.device;
}

// The fields of `query` that say what is wanted.
Wanted read_wanted(QueryReader& query, const Api& api) {
  Wanted wanted;
  if (const auto text = query.string("stream", {1, 300})) {
    const auto stream = parse_readable_stream(*text);
    if (stream) wanted.stream = domain::stream_name(*stream);
    if (!stream) {
      query.fail("stream", fmt::format("'{}' is no stream: campaign:, firmware:, device:, update:, downloads: or user: "
                                       "and an id, directory or service", shown(*text)));
    }
  }
  const auto add = [&](const char* name, Length length, const auto& parse, const char* what) {
    const auto text = query.string(name, length);
    auto id = text ? parse(*text) : std::nullopt;
    if (id) wanted.tags.push_back(domain::stream_name(*id));
    if (text && !id) query.fail(name, fmt::format("'{}' is not {}", shown(*text), what));
    return id;
  };
  wanted.campaign = add("campaign_id", {1, 100}, domain::parse_campaign_id, "a campaign id");
  add("update_id", {1, 100}, domain::parse_update_id, "an update id");
  const auto device = add("device_id", {1, 256}, [](const std::string& text) {
    return domain::is_valid_device_id(text) ? std::optional(domain::DeviceId{text}) : std::nullopt;
  }, "a device id");
  if (device) wanted.device = domain::stream_name(*device);
  if (const auto type = query.string("type", {1, 100})) {
    const auto& names = type_names();
    wanted.type = *type;
    if (std::find(names.begin(), names.end(), *type) == names.end()) {
      query.fail("type", fmt::format("must be one of {}, got '{}'", fmt::join(names, ", "), shown(*type)), "enum");
    }
  }
  if (const auto actor = query.string("actor", {1, limits::kUserIdBytes})) {
    wanted.actor = api.service.known_user(*actor);
    wanted.nobody = !wanted.actor;
  }
  return wanted;
}

void events(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto after = query.integer_or("after", {0, INT64_MAX}, 0);
  const auto limit = query.integer_or("limit", {1, kEventsMax}, kEventsDefault);
  auto wanted = read_wanted(query, api);
  if (!errors.empty()) return context.answer(errors.problem());
  const auto& log = api.service.log();
  const auto head = log.head();
  const eventstore::Position from{static_cast<std::uint64_t>(after)};
  json items = json::array();
  auto last = from;
  std::size_t looked_at = 0;
  bool more = false;                        // it stopped before the end
  const auto visit = [&](const eventstore::RecordedEvent& event) {
    more = items.size() == static_cast<std::size_t>(limit) || looked_at == kEventsLookedAt;
    if (more) return false;
    ++looked_at;
    last = event.position;
    if (wanted.holds(event)) items.push_back(event_json(api, event));
    return true;
  };
  if (wanted.nobody) {
    last = std::max(from, head);
  } else if (!wanted.stream.empty()) {
    if (is_update_of_device(wanted, api)) wanted.device_updates.insert(wanted.stream);
    log.read_stream(wanted.stream, from, visit);
  } else if (!wanted.device.empty()) {
    for (const auto position : events_of_device(log, wanted, from)) {
      log.read_one(position, visit);
      if (more) break;
    }
  } else if (!wanted.tags.empty()) {
    log.read_tag(wanted.tags.back(), from, visit);   // a device or an update has fewer events than a campaign
  } else {
    log.scan(from, visit);
  }
  // At the end nothing before the head needs to be looked at again.
  if (!more) last = std::max(last, head);
  context.answer_json(200, json{{"events", std::move(items)},
                                {"next_after", last.value},
                                {"more", more},
                                {"head", log.head().value},
                                {"limit", limit}}
                               .dump());
}

}  // namespace

void add_audit_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kAuditPagesAtOnce;
  admin.add("GET", "/audit/events", [&api](RequestContext& c) { events(c, api); }, pages);
}

}  // namespace ota::http
