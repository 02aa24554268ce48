#include "http/event_filter.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "domain/codec/codec.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kTypesChars = 1'000;   // all that there are, and some more

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
  if (text == "audit") return domain::AuditStream{};
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

void read_types(std::string_view text, QueryReader& query, EventFilter& filter) {
  const auto& names = type_names();
  while (true) {
    const auto type = text.substr(0, text.find(','));
    filter.types.emplace_back(type);
    if (std::find(names.begin(), names.end(), type) == names.end()) {
      query.fail("type", fmt::format("must be one of {}, got '{}'", fmt::join(names, ", "), shown(type)), "enum");
    }
    if (type.size() == text.size()) return;
    text.remove_prefix(type.size() + 1);
  }
}

// Whether a question about a campaign alone asks for more than its tag has.
bool goes_beside_its_tag(const EventFilter& filter) {
  if (!filter.campaign || !filter.stream.empty() || !filter.device.empty() || filter.tags.size() > 1) return false;
  static const std::set<std::string_view> kBeside{
      domain::event_name(domain::event_type(domain::ProgressReported{})), domain::event_name(domain::event_type(domain::LateReportRecorded{})),
      domain::event_name(domain::event_type(domain::CancelRequested{})), domain::event_name(domain::event_type(domain::CancelRefused{})),
      domain::event_name(domain::event_type(domain::ConsentGiven{}))};
  return !filter.actor_name.empty() ||
         std::any_of(filter.types.begin(), filter.types.end(), [](const auto& type) { return kBeside.contains(type); });
}

// Whether the stream that is asked for is an update of the device that is asked for.
bool is_update_of_device(const EventFilter& filter, const Api& api) {
  const auto stream = domain::parse_stream(filter.stream);
  const auto* id = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
  const auto update = id ? api.service.views().update_or_pending(*id) : std::nullopt;
  return update && domain::stream_name(update->device) == filter.device;
}

}  // namespace

bool EventFilter::holds(const eventstore::RecordedEvent& event) const {
  const auto has = [&](const std::string& tag) {
    if (event.stream == tag || std::find(event.tags.begin(), event.tags.end(), tag) != event.tags.end()) return true;
    if (tag == device) return device_updates.contains(std::string(event.stream));
    return campaign && tag == domain::stream_name(*campaign) && reads_updates() && is_of_campaign(event.stream);
  };
  return (stream.empty() || event.stream == stream) && std::all_of(tags.begin(), tags.end(), has) &&
         (types.empty() || std::find(types.begin(), types.end(), domain::event_name(event.type)) != types.end()) &&
         !is_of_nobody() && (!actor || projections::to_domain(event.caller) == *actor);
}

// What a device says on the way, and what is asked of it, stands under its update alone (design 5): of a whole campaign that is
// shown to whoever asks for it, by a type or by who did it.
bool EventFilter::reads_updates() const { return !stream.empty() || !device.empty() || tags.size() > 1 || beside_campaign_tag; }

void EventFilter::learn(const eventstore::RecordedEvent& event) {
  if (device.empty() || std::find(event.tags.begin(), event.tags.end(), device) == event.tags.end()) return;
  const auto parsed = domain::parse_stream(event.stream);
  if (parsed && std::holds_alternative<domain::UpdateId>(*parsed)) device_updates.emplace(event.stream);
}

void EventFilter::look_for_actor(const Api& api) {
  if (is_of_nobody()) actor = api.service.known_user(actor_name);
}

bool EventFilter::is_of_campaign(std::string_view stream_of_event) const {
  const auto parsed = domain::parse_stream(stream_of_event);
  const auto* update = parsed ? std::get_if<domain::UpdateId>(&*parsed) : nullptr;
  return update && update->campaign() == campaign;
}

EventFilter read_event_filter(QueryReader& query, const Api& api) {
  EventFilter filter;
  if (const auto text = query.string("stream", {1, 300})) {
    const auto stream = parse_readable_stream(*text);
    if (stream) filter.stream = domain::stream_name(*stream);
    if (!stream) {
      query.fail("stream", fmt::format("'{}' is no stream: campaign:, firmware:, device:, update:, downloads: or user: "
                                       "and an id, audit, directory or service", shown(*text)));
    }
  }
  const auto add = [&](const char* name, Length length, const auto& parse, const char* what) {
    const auto text = query.string(name, length);
    auto id = text ? parse(*text) : std::nullopt;
    if (id) filter.tags.push_back(domain::stream_name(*id));
    if (text && !id) query.fail(name, fmt::format("'{}' is not {}", shown(*text), what));
    return id;
  };
  filter.campaign = add("campaign_id", {1, 100}, domain::parse_campaign_id, "a campaign id");
  add("update_id", {1, 100}, domain::parse_update_id, "an update id");
  const auto device = add("device_id", {1, 256}, [](const std::string& text) {
    return domain::is_valid_device_id(text) ? std::optional(domain::DeviceId{text}) : std::nullopt;
  }, "a device id");
  if (device) filter.device = domain::stream_name(*device);
  if (const auto text = query.string("type", {1, kTypesChars})) read_types(*text, query, filter);
  filter.actor_name = query.string("actor", {1, limits::kUserIdBytes}).value_or("");
  filter.look_for_actor(api);
  filter.beside_campaign_tag = goes_beside_its_tag(filter);
  return filter;
}

bool is_of_filter(const Api& api, std::string_view field, std::string_view value) {
  const auto is_known = [&](std::string_view id) { return domain::is_valid_device_id(id) && api.service.views().device({std::string(id)}).has_value(); };
  if (field == "campaign_id") return domain::parse_campaign_id(value).has_value();
  if (field == "update_id") return domain::parse_update_id(value).has_value();
  if (field == "device_id") return is_known(value);
  if (field == "stream") return value.starts_with("device:") ? is_known(value.substr(7)) : parse_readable_stream(value).has_value();
  if (field != "type") return false;
  const auto& names = type_names();
  while (std::find(names.begin(), names.end(), value.substr(0, value.find(','))) != names.end()) {
    if (value.find(',') == std::string_view::npos) return true;
    value.remove_prefix(value.find(',') + 1);
  }
  return false;
}

// They are under its tag, and in the streams of the updates that are named there.
std::vector<eventstore::Position> events_of_device(const eventstore::Log& log, EventFilter& filter,
                                                   eventstore::Position after) {
  std::vector<eventstore::Position> found;
  log.read_tag(filter.device, {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position > after) found.push_back(event.position);
    filter.learn(event);
    return true;
  });
  for (const auto& update : filter.device_updates) {
    log.read_stream(update, after, [&](const eventstore::RecordedEvent& event) {
      found.push_back(event.position);
      return true;
    });
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void read_candidates(const Api& api, EventFilter& filter, eventstore::Position from, const eventstore::Visitor& visit) {
  const auto& log = api.service.log();
  if (filter.is_of_nobody()) return;
  if (!filter.stream.empty()) {
    if (is_update_of_device(filter, api)) filter.device_updates.insert(filter.stream);
    return log.read_stream(filter.stream, from, visit);
  }
  if (!filter.device.empty()) {
    bool goes_on = true;
    for (const auto position : events_of_device(log, filter, from)) {
      log.read_one(position, [&](const eventstore::RecordedEvent& event) { return goes_on = visit(event); });
      if (!goes_on) return;
    }
    return;
  }
  if (filter.beside_campaign_tag) {
    auto first = log.head();                // nothing of it is before its first event
    log.read_stream(domain::stream_name(*filter.campaign), {}, [&](const eventstore::RecordedEvent& event) {
      first = {event.position.value - 1};
      return false;
    });
    return log.scan(std::max(from, first), visit);
  }
  // A device or an update has fewer events than a campaign.
  if (!filter.tags.empty()) return log.read_tag(filter.tags.back(), from, visit);
  log.scan(from, visit);
}

}  // namespace ota::http
