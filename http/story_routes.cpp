// The story of a campaign, a device or an update in plain sentences, from the log (domain/story.hpp).
//
// A campaign's own events are told one by one. What happened to its devices between two of them is told in one line: how many
// were given the update, succeeded, failed and why; a single device has a story of its own.
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
#include "http/query_reader.hpp"
#include "http/render_parts.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kLinesMax = 1'000;
constexpr std::int64_t kLinesDefault = 200;
constexpr std::size_t kToldAtMost = 200'000;   // events of a page, however few lines they make
constexpr std::size_t kErrorsNamed = 5;        // error codes of a line

std::string plural(std::uint64_t count, std::string_view what, std::string_view did) {
  return fmt::format("{} {}{} {}", count, what, count == 1 ? "" : "s", did);
}

// What happened to a campaign's devices between two events of its own.
class Crowd {
 public:
  void add(const domain::Recorded& event) {
    if (count_ == 0) begin_ = event.time;
    ++count_;
    last_ = event;
    if (std::holds_alternative<domain::AttemptGranted>(event.event)) {
      ++granted_;
    } else if (const auto* ended = std::get_if<domain::AttemptEnded>(&event.event)) {
      ++(ended->success ? succeeded_ : ended->retry_at ? failed_for_now_ : failed_);
      if (!ended->success) ++codes_[ended->error_code.empty() ? std::string("no code") : ended->error_code];
    } else if (std::holds_alternative<domain::UpdateCancelled>(event.event)) {
      ++cancelled_;
    } else if (std::holds_alternative<domain::UpdateSkipped>(event.event)) {
      ++skipped_;
    } else if (std::holds_alternative<domain::GrantLapsed>(event.event)) {
      ++lapsed_;
    } else if (std::holds_alternative<domain::UpdateHeld>(event.event)) {
      ++held_;
    } else if (std::holds_alternative<domain::UpdateUndone>(event.event)) {
      ++undone_;
    } else if (std::holds_alternative<domain::UpdateRefuted>(event.event)) {
      ++refuted_;
    }
  }
  bool empty() const { return count_ == 0; }

  // The line, and a new beginning. Empty: nothing worth a line.
  std::optional<json> take() {
    Crowd told = std::exchange(*this, Crowd());
    std::vector<std::string> parts;
    const auto add = [&](std::uint64_t count, std::string_view what, std::string_view did) {
      if (count > 0) parts.push_back(plural(count, what, did));
    };
    add(told.granted_, "attempt", "granted");
    add(told.succeeded_, "device", "succeeded");
    add(told.failed_for_now_, "attempt", "failed, to be tried again");
    add(told.failed_, "device", "failed");
    add(told.held_, "device", "held");
    add(told.lapsed_, "grant", "lapsed");
    add(told.skipped_, "device", "left out");
    add(told.cancelled_, "device", "cancelled");
    add(told.refuted_, "device", "refuted");
    add(told.undone_, "device", "taken back");
    if (parts.empty()) return std::nullopt;
    auto text = fmt::format("{}", fmt::join(parts, ", "));
    if (!told.codes_.empty()) text += " (" + told.codes() + ")";
    return json{{"position", told.last_->position.value}, {"time", json_of::when(told.begin_)},
                {"until", json_of::when(told.last_->time)}, {"type", nullptr}, {"text", std::move(text)}};
  }

 private:
  // The most frequent ones.
  std::string codes() const {
    std::vector<std::pair<std::uint64_t, std::string>> sorted;
    for (const auto& [code, count] : codes_) sorted.emplace_back(count, code);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> named;
    for (std::size_t i = 0; i < std::min(sorted.size(), kErrorsNamed); ++i) {
      named.push_back(fmt::format("{}: {}", sorted[i].second, sorted[i].first));
    }
    if (sorted.size() > kErrorsNamed) named.push_back("others");
    return fmt::format("{}", fmt::join(named, ", "));
  }

  std::uint64_t count_ = 0, granted_ = 0, succeeded_ = 0, failed_for_now_ = 0, failed_ = 0, held_ = 0, lapsed_ = 0, skipped_ = 0,
                cancelled_ = 0, refuted_ = 0, undone_ = 0;
  std::map<std::string, std::uint64_t> codes_;
  domain::Time begin_{};
  std::optional<domain::Recorded> last_;
};

// One page of a story while it is read.
class Story {
 public:
  Story(Api& api, std::size_t lines_max, bool of_crowd) : api_(api), lines_max_(lines_max), of_crowd_(of_crowd) {}

  // False: the page is full.
  bool take(const eventstore::RecordedEvent& event, bool holds) {
    more_ = lines_.size() >= lines_max_ || looked_at_ == kToldAtMost;
    if (more_) return false;
    ++looked_at_;
    last_ = event.position.value;
    if (!holds) return true;
    const auto recorded = projections::decode(event);
    if (of_crowd_ && std::holds_alternative<domain::UpdateId>(recorded.stream)) {
      crowd_.add(recorded);
    } else {
      end_crowd();
      add_line(recorded);
    }
    return true;
  }
  void answer(RequestContext& context, std::int64_t limit) {
    end_crowd();
    context.answer_json(200, json{{"story", std::move(lines_)}, {"more", more_}, {"next_after", last_}, {"limit", limit}}.dump(
                                 -1, ' ', false, json::error_handler_t::replace));
  }

 private:
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
  const std::size_t lines_max_;
  const bool of_crowd_;
  Crowd crowd_;
  json lines_ = json::array();
  std::map<domain::CampaignId, std::string> names_;
  std::size_t looked_at_ = 0;
  std::uint64_t last_ = 0;
  bool more_ = false;
};

void tell_story(RequestContext& context, Api& api, EventFilter filter, bool of_crowd) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto after = query.integer_or("after", {0, INT64_MAX}, 0);
  const auto limit = query.integer_or("limit", {1, kLinesMax}, kLinesDefault);
  if (!errors.empty()) return context.answer(errors.problem());
  Story story(api, static_cast<std::size_t>(limit), of_crowd);
  read_candidates(api, filter, {static_cast<std::uint64_t>(after)},
                  [&](const eventstore::RecordedEvent& event) { return story.take(event, filter.holds(event)); });
  story.answer(context, limit);
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
