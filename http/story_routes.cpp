// The story of a campaign, a device or an update in plain sentences, from the log (domain/story.hpp).
//
// A campaign's own events are told one by one. What happened to its devices between two of them is told in one line
// (story_crowd.hpp); a single device has a story of its own.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "domain/story.hpp"
#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/event_filter.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/log_moment.hpp"
#include "http/query_reader.hpp"
#include "http/render_parts.hpp"
#include "http/story_crowd.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kLinesMax = 1'000;
constexpr std::int64_t kLinesDefault = 200;
constexpr std::size_t kToldAtMost = 200'000;   // events of a page, however few lines they make

// One page of a story while it is read.
class Story {
 public:
  // `until`: the end of the log, as it is when the reading begins.
  struct Asked {
    domain::Position after;
    domain::Position until;
    std::size_t lines_max = 0;
    bool of_crowd = false;
  };
  Story(Api& api, const Asked& asked) : api_(api), asked_(asked), last_(asked.after) {}

  // False: the page is full; the next one begins with this event.
  bool take(const eventstore::RecordedEvent& event, bool holds) {
    if (is_full() || looked_at_ == kToldAtMost) return stop();
    ++looked_at_;
    if (holds) {
      const auto recorded = projections::decode(event);
      if (asked_.of_crowd && std::holds_alternative<domain::UpdateId>(recorded.stream)) {
        crowd_.add(recorded);
      } else {
        end_crowd();
        if (is_full()) return stop();
        add_line(recorded);
      }
    }
    last_ = {event.position.value};
    return true;
  }
  void answer(RequestContext& context) {
    end_crowd();
    // At the end nothing before it needs to be looked at again.
    const auto next = more_ ? last_ : std::max(last_, asked_.until);
    context.answer_json(
        200, json{{"story", std::move(lines_)}, {"more", more_}, {"next_after", next.value}, {"limit", asked_.lines_max}}.dump(
                 -1, ' ', false, json::error_handler_t::replace));
  }

 private:
  bool is_full() const { return lines_.size() >= asked_.lines_max; }
  bool stop() {
    more_ = true;
    return false;
  }
  // A crowd is begun only where its line has room.
  void end_crowd() {
    if (crowd_.empty()) return;
    if (auto line = crowd_.take()) lines_.push_back(std::move(*line));
  }
  void add_line(const domain::Recorded& event) {
    const auto actor = api_.service.person_of(event.caller);
    json line{{"position", event.position.value},
              {"time", json_of::when(event.time)},
              {"type", domain::event_name(domain::event_type(event.event))},
              {"actor", actor ? json(*actor) : json(nullptr)},
              {"text", domain::tell(event, actor.value_or(""))}};
    if (const auto* update = std::get_if<domain::UpdateId>(&event.stream)) {
      line["update_id"] = domain::to_text(*update);
      const auto campaign = update->campaign();
      if (campaign) line["campaign_id"] = domain::to_text(*campaign);
      if (campaign) line["campaign"] = name_of(*campaign);
    }
    lines_.push_back(std::move(line));
  }
  const std::string& name_of(domain::CampaignId id) {
    auto& name = names_[id];
    if (name.empty()) {
      const auto row = api_.service.views().campaign_summary(id);
      name = row ? row->record.name : "unknown";
    }
    return name;
  }

  Api& api_;
  const Asked asked_;
  Crowd crowd_;
  json lines_ = json::array();
  std::map<domain::CampaignId, std::string> names_;
  std::size_t looked_at_ = 0;
  domain::Position last_;                 // of what was told
  bool more_ = false;
};

void tell_story(RequestContext& context, Api& api, EventFilter filter, bool of_crowd) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  query.allow_only({"after", "limit"});
  const auto from = projections::to_domain(read_after(query, api.service.log().head()));
  const auto limit = query.integer_or("limit", {1, kLinesMax}, kLinesDefault);
  if (!errors.empty()) return context.answer(errors.problem());
  Story story(api, {from, projections::to_domain(api.service.log().head()), static_cast<std::size_t>(limit), of_crowd});
  read_candidates(api, filter, projections::to_store(from),
                  [&](const eventstore::RecordedEvent& event) { return story.take(event, filter.holds(event)); });
  story.answer(context);
}

void of_campaign(RequestContext& context, Api& api) {
  const auto& text = context.parameter("campaign_id");
  const auto id = domain::parse_campaign_id(text);
  if (!id || !api.service.views().campaign_summary(*id)) {
    return context.answer(Problem::not_found("Campaign not found: " + text));
  }
  EventFilter filter;
  filter.tags = {domain::stream_name(*id)};
  filter.campaign = id;
  tell_story(context, api, std::move(filter), true);
}

void of_device(RequestContext& context, Api& api) {
  const auto& id = context.parameter("device_id");
  if (!api.service.views().device({id})) return context.answer(Problem::not_found("Device not found: " + id));
  EventFilter filter;
  filter.device = domain::stream_name(domain::DeviceId{id});
  filter.tags = {filter.device};
  tell_story(context, api, std::move(filter), false);
}

void of_update(RequestContext& context, Api& api) {
  const auto& text = context.parameter("update_id");
  const auto id = domain::parse_update_id(text);
  if (!id || !api.service.views().update_or_pending(*id)) {
    return context.answer(Problem::not_found("Update not found: " + text));
  }
  EventFilter filter;
  filter.stream = domain::stream_name(*id);
  tell_story(context, api, std::move(filter), false);
}

}  // namespace

void add_story_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kAuditPagesAtOnce;
  const auto add = [&](std::string_view path, void (*answer)(RequestContext&, Api&)) {
    admin.add("GET", path, recorded(api, [&api, answer](RequestContext& c) { answer(c, api); }), pages);
  };
  add("/campaigns/{campaign_id}/story", of_campaign);
  add("/devices/{device_id}/story", of_device);
  add("/updates/{update_id}/story", of_update);
}

}  // namespace ota::http
