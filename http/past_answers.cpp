#include "http/past_answers.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/field_errors.hpp"
#include "http/log_moment.hpp"
#include "http/render_past.hpp"
#include "http/text.hpp"
#include "http/time_format.hpp"
#include "projections/past.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using projections::Past;

constexpr std::uint32_t kPlaceRetry_s = 5;
constexpr std::uint32_t kViewsRetry_s = 1;

// A question about the past: its moment, and the rest of the query.
struct Question {
  explicit Question(RequestContext& context) : query(context.query(), errors) {}
  FieldErrors errors;
  QueryReader query;
};

projections::PageRequest read_page(QueryReader& query) {
  const auto page = query.page();
  return {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset),
          query.string("cursor", {1, 1'000}).value_or("")};
}

Past past_at(const Api& api, domain::Position at) {
  return {api.service.log(), api.service.views(), api.service.settings(), at};
}

Problem not_then(std::string_view what, const std::string& id, const Past& past) {
  const auto when = past.at().value == 0 ? "before the first event" : format_time(past.time());
  return Problem::not_found(fmt::format("{} not found: {} at position {}, {}", what, id, past.at().value, when));
}

template <class Rows>
bool refused(RequestContext& context, const Rows& rows) {
  if (!rows.bad_cursor) return false;
  context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours for this moment", "value_error"));
  return true;
}

void answer(RequestContext& context, json body) {
  context.answer_json(200, body.dump(-1, ' ', false, json::error_handler_t::replace));
}

struct PageAnswer {
  const char* plural;
  json rows;
  const projections::PageRequest& page;
  const std::string& next_cursor;
  json filters = json::object();
};
void answer_page(RequestContext& context, const Past& past, PageAnswer a) {
  const auto count = a.rows.size();
  answer(context, json{{a.plural, std::move(a.rows)},
                       {"count", count},
                       {"limit", a.page.limit},
                       {"offset", a.page.offset},
                       {"next_cursor", a.next_cursor.empty() ? json(nullptr) : json(a.next_cursor)},
                       {"filters", std::move(a.filters)},
                       {"as_of", moment(past)}});
}

// Answers with `work` if the query names a moment that there was.
template <class Work>
bool in_the_past(RequestContext& context, Api& api, const Work& work) {
  Question question(context);
  if (question.query.is_empty("as_of")) question.query.fail("as_of", "is empty: a time or a position is wanted, or no as_of for the present");
  if (!question.query.has("as_of") && !question.query.is_empty("as_of")) return false;
  question.query.allow_once("as_of");
  const auto settled = settle_for_times(context, api, question.query, {"as_of"});
  if (!settled) return true;
  const auto at = read_moment(question.query, "as_of", api, *settled);
  if (!at || !question.errors.empty()) {
    context.answer(question.errors.problem());
    return true;
  }
  if (const auto place = begin_past(context, api, *at)) work(question, past_at(api, *at));
  return true;
}

}  // namespace

std::optional<domain::Position> read_moment(QueryReader& query, const char* name, const Api& api, domain::Time settled) {
  const auto text = query.string(name, {1, 64});
  if (!text) return std::nullopt;
  const auto head = api.service.log().head();
  std::uint64_t position = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), position);
  if (end == text->data() + text->size()) {
    if (error == std::errc() && position <= head.value) return domain::Position{position};
    query.fail(name, fmt::format("the log ends at {}, got {}", head.value, shown(*text)));
    return std::nullopt;
  }
  const auto [time, wrong] = parse_time(*text);
  if (wrong == TimeError::kNoOffset) {
    query.fail(name, fmt::format("'{}' does not say its zone: 'Z' or an offset", shown(*text)));
    return std::nullopt;
  }
  if (wrong != TimeError::kNone) {
    query.fail(name, fmt::format("'{}' is neither a position of the log nor a time (2026-01-31T12:00:00Z)", shown(*text)));
    return std::nullopt;
  }
  if (time >= settled) {
    const auto* why = time == settled ? "is not over yet" : "is in the future";
    query.fail(name, fmt::format("'{}' {}: it is {}", shown(*text), why, format_time(settled)));
    return std::nullopt;
  }
  return projections::to_domain(api.service.log().at_or_before(time));
}

std::optional<Places::Place> begin_past(RequestContext& context, Api& api, domain::Position at) {
  auto place = api.past_questions.take();
  if (!place) {
    context.answer(Problem::unavailable(
        fmt::format("{} questions about the past are being answered already; try again", api.past_questions.places()), kPlaceRetry_s));
  } else if (!api.service.settle(projections::to_store(at), api.options.views_wait)) {
    place.reset();
    context.answer(Problem::unavailable(fmt::format("The views are at event {} yet, and event {} is asked for; try again",
                                                    api.service.views().position().value, at.value), kViewsRetry_s));
  }
  return place;
}

projections::CampaignFilter read_campaign_filter(QueryReader& query, json& shown_filters) {
  projections::CampaignFilter filter;
  filter.status = query.word("status", domain::parse_campaign_status,
                             "created, scheduled, in_progress, paused, rollback, completed, failed, cancelled");
  filter.priority = query.word("priority", domain::parse_priority, "low, normal, high, critical, emergency");
  if (const auto firmware = query.string("firmware_id", {1, 100})) {
    filter.firmware = domain::parse_firmware_id(*firmware);
    if (!filter.firmware) query.fail("firmware_id", "\"" + *firmware + "\" is not a firmware id");
    shown_filters["firmware_id"] = *firmware;
  }
  if (filter.status) shown_filters["status"] = domain::to_text(*filter.status);
  if (filter.priority) shown_filters["priority"] = domain::to_text(*filter.priority);
  return filter;
}

std::optional<domain::UpdateStatus> read_update_status(QueryReader& query) {
  return query.word("status", domain::parse_update_status,
                    "created, scheduled, in_progress, downloading, verifying, installing, rebooting, completed, failed, "
                    "cancelled, rollback");
}

bool answer_past_campaign(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question&, const Past& past) {
    const auto& text = context.parameter("campaign_id");
    const auto id = domain::parse_campaign_id(text);
    const auto row = id ? past.campaign(*id) : std::nullopt;
    if (!row) return context.answer(not_then("Campaign", text, past));
    auto body = past_campaign(api.render, past, *row);
    if (row->status == domain::CampaignStatus::kRollback) body["rollbacks"] = row->completed - row->undone;
    answer(context, std::move(body));
  });
}

bool answer_past_campaigns(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question& question, const Past& past) {
    json shown_filters = json::object();
    const auto filter = read_campaign_filter(question.query, shown_filters);
    const auto page = read_page(question.query);
    if (!question.errors.empty()) return context.answer(question.errors.problem());
    const auto rows = past.campaign_list(filter, page);
    if (refused(context, rows)) return;
    json items = json::array();
    std::size_t targets = Renderer::kTargetsShown;
    for (const auto& row : rows.rows) {
      items.push_back(past_campaign(api.render, past, row, targets));
      targets -= items.back()["targeted_devices"].size();
    }
    answer_page(context, past, {"campaigns", std::move(items), page, rows.next_cursor, std::move(shown_filters)});
  });
}

bool answer_past_campaign_updates(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question& question, const Past& past) {
    const auto& text = context.parameter("campaign_id");
    const auto id = domain::parse_campaign_id(text);
    const auto status = read_update_status(question.query);
    const auto page = read_page(question.query);
    if (!question.errors.empty()) return context.answer(question.errors.problem());
    if (!id || !past.campaign(*id)) return context.answer(not_then("Campaign", text, past));
    const auto rows = past.campaign_updates(*id, status, page);
    if (refused(context, rows)) return;
    json items = json::array();
    for (const auto& update : rows.rows) items.push_back(past_update(api.render, past, update));
    json filters = json::object();
    if (status) filters["status"] = domain::to_text(*status);
    answer_page(context, past, {"updates", std::move(items), page, rows.next_cursor, std::move(filters)});
  });
}

bool answer_past_update(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question&, const Past& past) {
    const auto& text = context.parameter("update_id");
    const auto id = domain::parse_update_id(text);
    const auto update = id ? past.update(*id) : std::nullopt;
    if (!update) return context.answer(not_then("Update", text, past));
    auto body = past_update(api.render, past, *update);
    body["as_of"] = moment(past);
    answer(context, std::move(body));
  });
}

bool answer_past_device(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question&, const Past& past) {
    const auto& id = context.parameter("device_id");
    const auto device = past.device({id});
    if (!device) return context.answer(not_then("Device", id, past));
    answer(context, past_device(api.render, past, *device));
  });
}

bool answer_past_device_updates(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question& question, const Past& past) {
    const auto& id = context.parameter("device_id");
    const auto page = read_page(question.query);
    if (!question.errors.empty()) return context.answer(question.errors.problem());
    if (!past.device({id})) return context.answer(not_then("Device", id, past));
    const auto rows = past.device_updates({id}, page);
    if (refused(context, rows)) return;
    json items = json::array();
    for (const auto& update : rows.rows) items.push_back(past_update(api.render, past, update));
    answer_page(context, past, {"updates", std::move(items), page, rows.next_cursor});
  });
}

bool answer_past_statistics(RequestContext& context, Api& api) {
  return in_the_past(context, api, [&](Question& question, const Past& past) {
    for (const auto* name : {"from", "to"}) {
      if (question.query.has(name)) question.query.fail(name, "a period is shown as it is now alone: as_of goes without it");
    }
    if (!question.errors.empty()) return context.answer(question.errors.problem());
    answer(context, api.render.past_statistics(past));
  });
}

}  // namespace ota::http
