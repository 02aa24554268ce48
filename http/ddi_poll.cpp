// The poll, and what a device says of itself (spec/ddi.md sections 3.1 and 3.2).
#include <algorithm>

#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/ddi_exchange.hpp"

namespace ota::http::ddi {
namespace {

constexpr std::chrono::seconds kWindowSleepMin{30};

// Also now and then while an update waits for its version to be seen: not at every poll, or a client that answers at
// once and polls again would go round for ever (decision 12).
bool wants_attributes(const projections::PollRecord& record, const std::string& device, Api& api) {
  const auto now = api.service.now();
  return record.wants_attributes_from <= now || (record.awaits_version && api.version_asks.due(device, now));
}

// When this device may be told of its action again; empty: it may be told now. One that does not know how to wait is told
// of nothing that it must not install yet, and none of what it has not downloaded while its window is closed.
std::optional<domain::Time> withheld_until(const RequestContext& context, domain::ActionId id, const Api& api) {
  const auto ref = api.service.views().action(device_id(context), id);
  auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  if (!update) return std::nullopt;
  const auto opens = closed_window_until(*update, api);
  const auto& profile = profile_of(context, api);
  if (opens && !profile.waits_at_skip && update->status < domain::UpdateStatus::kVerifying) return opens;
  const Action action{id, ref->attempt, std::move(*update)};
  if (!profile.skip_is_success || install_of(action, api) != Install::kLater) return std::nullopt;
  return opens.value_or(domain::Time::max());
}

// Some clients would install what is to be downloaded and no more: they cannot do what was asked (decision 33), and are not
// offered it, whether that can be noted now or with a later poll.
bool declines(const RequestContext& context, const projections::PollRecord& record, Api& api) {
  if (record.active.value == 0 || record.cancelling || !record.download_only) return false;
  if (!profile_of(context, api).knows_no_skip) return false;
  const auto ref = api.service.views().action(device_id(context), record.active);
  if (!ref) return true;
  domain::Report report;
  report.attempt = ref->attempt;
  report.kind = domain::Report::Kind::kDeclined;
  report.details = {"its client installs whatever it downloads"};
  api.service.update(ref->update, std::move(report), device_meta(context));
  return true;
}

// A third of what is left, as other servers of the protocol do it: whoever was late still comes in time. Never longer than
// usual: a window may be moved.
domain::Duration sleep_before(domain::Time opens, domain::Duration usual, domain::Time now) {
  return std::clamp<domain::Duration>((opens - now) / 3, std::min<domain::Duration>(usual, kWindowSleepMin), usual);
}

}  // namespace

void poll(RequestContext& context, Api& api) {
  const auto device = device_id(context);
  const auto now = api.service.now();
  const auto usual = api.service.settings().poll_sleep;
  const auto known = api.service.views().polls().find(device.value);
  auto sleep = api.pace.next(device.value, usual, !known || api.service.is_awaited(*known), now,
                             known ? std::optional(known->ordinal) : std::nullopt);
  const auto record = api.service.poll(device, device_meta(context), sleep);
  if (!record) return context.answer(problem_of(record.error()));
  api.last_seen.note(record.value().ordinal, now, context.client_address());
  auto shown = record.value();
  if (stays_elsewhere(context, shown, api)) {
    shown.active = {};
    shown.consent = {};
  }
  if (declines(context, shown, api)) shown.active = {};
  const bool may_wait = shown.has_window || shown.may_hold;
  if (may_wait && shown.active.value != 0 && !shown.cancelling) {
    if (const auto until = withheld_until(context, shown.active, api)) {
      shown.active = {};
      if (*until != domain::Time::max()) sleep = std::max(sleep, sleep_before(*until, usual, now));
    }
  }
  answer_message(context, ddi::poll(links_of(context, api), shown, sleep, wants_attributes(shown, device.value, api)));
}

void config_data(RequestContext& context, Api& api) {
  auto change = said_in(context, read_config_data);
  if (!change) return;
  const auto answer = api.service.device(device_id(context), std::move(*change), device_meta(context));
  if (!answer) {
    if (answer.error().code == domain::ErrorCode::kInvalid) {  // too many attributes: the quota's answer
      return context.answer(Problem::rate_limited(answer.error().message, 0));
    }
    return context.answer(problem_of(answer.error()));
  }
  context.answer_empty(200);
}

}  // namespace ota::http::ddi
