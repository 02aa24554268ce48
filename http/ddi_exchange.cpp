#include "http/ddi_exchange.hpp"

#include <deque>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "domain/failure.hpp"
#include "domain/window.hpp"
#include "http/cbor.hpp"
#include "http/commands.hpp"
#include "http/json_text.hpp"
#include "http/media_type.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"
#include "projections/decoded.hpp"

namespace ota::http::ddi {

using nlohmann::json;

domain::DeviceId device_id(const RequestContext& context) { return {context.parameter("device_id")}; }

Links links_of(const RequestContext& context, const Api& api) {
  Links links;
  links.origin = context.origin();
  links.path = device_path(api.options.tenant, context.parameter("device_id"));
  if (api.auth.options().signed_links) {
    links.sign = [&api, now = api.service.now()](std::string_view path) { return api.auth.signed_query(path, now); };
  }
  return links;
}

// The tag is a hash of the bytes and of what they are: whatever has changed for the device changes it.
void answer_message(RequestContext& context, std::string body) {
  constexpr std::size_t kTagDigits = 32;
  const auto form = json_form(context.head().list("Accept"));
  if (form == JsonForm::kCbor) body = to_cbor_text(json::parse(body));
  const auto hash = hash_of({to_text(form), body});
  const auto tag = domain::to_hex(domain::view_of(hash)).substr(0, kTagDigits);
  context.set_header("ETag", '"' + tag + '"');
  context.set_header("Vary", "Accept");
  if (etag_list_holds(context.head().list("If-None-Match"), tag, true)) return context.answer_empty(304);
  context.answer_text(200, std::move(body), to_text(form));
}

void answer_errors(RequestContext& context, const FieldErrors& errors) {
  const auto problem = errors.problem();
  context.answer(Problem::bad_request(problem.message + ": " + problem.detail.dump()));
}

std::optional<Problem> check_media(const RequestContext& context) {
  const bool reads = context.method() == "GET" || context.is_head();
  const auto accept = context.head().list("Accept");
  if (reads && json_form(accept) == JsonForm::kNone) {
    return Problem::not_acceptable("application/json, application/hal+json and application/cbor are spoken here, not " +
                                   shown(accept));
  }
  const auto type = context.header("Content-Type").value_or("");
  if (!reads && context.head().has_body() && !is_json(type) && !is_cbor(type)) {
    return Problem::unsupported_media("a body of application/json or application/cbor is wanted, not \"" + shown(type) +
                                      "\"");
  }
  return std::nullopt;
}

std::optional<json> body_of(RequestContext& context) {
  const bool cbor = is_cbor(context.header("Content-Type").value_or(""));
  auto parsed = cbor ? parse_cbor(context.body()) : parse_json(context.body());
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    context.answer(*problem);
    return std::nullopt;
  }
  return std::move(std::get<json>(parsed));
}

bool Action::is_cancelled() const {
  return update.attempt == attempt && (update.cancel || update.status == domain::UpdateStatus::kCancelled);
}

bool Action::waits_for_consent() const {
  return update.consent_asked == attempt && !update.consented && !domain::is_terminal(update.status);
}

bool Action::has_result() const {
  return update.attempt == attempt &&
         (update.status == domain::UpdateStatus::kCompleted ||
          (update.status == domain::UpdateStatus::kFailed && update.error_code != "timeout"));
}

std::optional<domain::ActionId> action_id(RequestContext& context) {
  const auto& text = context.parameter("action_id");
  const auto number = number_of(text);
  if (number) return domain::ActionId{*number};
  context.answer(Problem::bad_request("\"" + shown(text) + "\" is not an action id"));
  return std::nullopt;
}

std::optional<Action> find_action(RequestContext& context, Api& api, domain::ActionId id) {
  const auto device = device_id(context);
  const auto ref = api.service.views().action(device, id);
  auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  if (update) return Action{id, ref->attempt, std::move(*update)};
  context.answer(Problem::not_found(fmt::format("Action not found: {} of device {}", shown(context.parameter("action_id")),
                                                device.value)));
  return std::nullopt;
}

std::optional<Action> action_of(RequestContext& context, Api& api) {
  const auto id = action_id(context);
  return id ? find_action(context, api, *id) : std::nullopt;
}

std::optional<domain::Firmware> firmware_of(RequestContext& context, Api& api, const Action& action) {
  auto row = api.service.views().firmware(action.update.plan.firmware);
  if (row && row->firmware.content_here) return std::move(row->firmware);
  context.answer(Problem::not_found(row ? "Nothing to download: " + domain::why_not_here(row->firmware)
                                        : "The firmware of this action is not known any more"));
  return std::nullopt;
}

const ClientProfile& profile_of(const RequestContext& context, const Api& api) {
  const auto device = api.service.views().device(device_id(context));
  const auto agent = context.header("User-Agent").value_or("");
  if (!device) return client_profile("", "", agent);
  const auto& models = api.options.client_of_model;
  const auto of_model = models.empty() ? models.end() : models.find(domain::facts_of(*device).model);
  return client_profile(device->attribute(api.options.client_attribute), of_model == models.end() ? "" : of_model->second, agent);
}

bool stays_elsewhere(const RequestContext& context, const projections::PollRecord& record, const Api& api) {
  const auto action = record.active.value != 0 ? record.active : record.consent;
  if (!record.push || record.cancelling || action.value == 0) return false;
  const auto ref = api.service.views().action(device_id(context), action);
  const auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  const auto row = update ? api.service.views().firmware(update->plan.firmware) : std::nullopt;
  return row && !row->firmware.content_here;
}

std::optional<domain::Time> closed_window_until(const domain::DeviceUpdate& update, const Api& api) {
  const auto& window = update.plan.maintenance_window;
  if (!window || update.status >= domain::UpdateStatus::kInstalling) return std::nullopt;
  const auto device = api.service.views().device(update.device);
  const auto zone = device ? domain::facts_of(*device).timezone : std::string();
  const auto now = api.service.now();
  if (domain::is_open(*window, zone, now)) return std::nullopt;
  return domain::opens_at(*window, zone, now);
}

Install install_of(const Action& action, const Api& api) {
  const auto& update = action.update;
  if (update.plan.download_only) return Install::kNever;
  if (!action.is_current()) return Install::kNow;
  const bool waits =
      update.held || (update.hold && !update.released && update.status < domain::UpdateStatus::kInstalling);
  return waits || closed_window_until(update, api) ? Install::kLater : Install::kNow;
}

namespace {

// As the protocol names it.
std::string_view state_of(const Action& action) {
  using enum domain::UpdateStatus;
  const auto& update = action.update;
  if (update.attempt != action.attempt) return action.waits_for_consent() ? "WAIT_FOR_CONFIRMATION" : "ERROR";
  if (update.cancel) return "CANCELING";
  switch (update.status) {
    case kCompleted: return update.plan.download_only ? "DOWNLOADED" : "FINISHED";
    case kRollback: return "FINISHED";
    case kCancelled: return "CANCELED";
    case kFailed: return "ERROR";
    case kScheduled: return action.waits_for_consent() ? "WAIT_FOR_CONFIRMATION" : update.retry_at ? "ERROR" : "RUNNING";
    default: break;
  }
  if (update.cancel_refused) return "CANCEL_REJECTED";
  if (update.artifact_requested && update.status == kDownloading) return "DOWNLOAD";
  return update.started_at ? "RETRIEVED" : "RUNNING";
}

}  // namespace

std::optional<std::size_t> lines_wanted(RequestContext& context) {
  constexpr std::int64_t kLinesMax = 100;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto asked = query.integer_or("actionHistory", {}, 0);
  if (errors.empty()) return static_cast<std::size_t>(asked < 0 ? kLinesMax : std::min(asked, kLinesMax));
  answer_errors(context, errors);
  return std::nullopt;
}

std::optional<History> history_of(const Api& api, const Action& action, std::size_t lines) {
  if (lines == 0) return std::nullopt;
  // The last ones alone are kept on the way: of an attempt there may be 25 MB.
  std::deque<std::string> last;
  api.service.log().read_stream(domain::stream_name(action.update.id), {}, [&](const eventstore::RecordedEvent& event) {
    const auto decoded = domain::decode(event.type, event.payload);
    const auto* said = decoded ? std::get_if<domain::ProgressReported>(&*decoded) : nullptr;
    if (said && said->attempt == action.attempt) {
      last.insert(last.end(), said->details.begin(), said->details.end());
      while (last.size() > lines) last.pop_front();
    }
    return true;
  });
  if (last.empty()) return std::nullopt;
  return History{std::string(state_of(action)), {last.rbegin(), last.rend()}};
}

}  // namespace ota::http::ddi
