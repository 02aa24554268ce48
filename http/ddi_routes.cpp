// The device side: hawkBit DDI v1 as far as a device needs it to update itself (docs/devices.md).
//
// Every accepted write is answered 200 with an empty body, also one that was sent before: clients repeat what they lost
// the answer of.
#include <nlohmann/json.hpp>

#include "domain/failure.hpp"
#include "domain/window.hpp"
#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/ddi_downloads.hpp"
#include "http/ddi_messages.hpp"
#include "http/json_text.hpp"
#include "http/media_type.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using Handle = void (*)(RequestContext&, Api&);

void write_problem(RequestContext& context, const Problem& problem) {
  context.answer_json(problem.status, ddi::error(to_text(problem.kind), problem.message));
  if (!problem.allow.empty()) context.set_header("Allow", problem.allow);
  if (problem.retry_after_s) context.set_header("Retry-After", std::to_string(*problem.retry_after_s));
}
void write_without_body(RequestContext& context, const Problem& problem) {
  context.answer_empty(problem.status);
  if (!problem.allow.empty()) context.set_header("Allow", problem.allow);
}

domain::DeviceId device_id(const RequestContext& context) { return {context.parameter("device_id")}; }

std::string base_of(const RequestContext& context, const Api& api) {
  return ddi::device_base(context.origin(), api.options.tenant, context.parameter("device_id"));
}

// The tag is a hash of the bytes: whatever has changed for the device changes it.
void answer_message(RequestContext& context, std::string body) {
  constexpr std::size_t kTagDigits = 32;
  const auto hash = hash_of({body});
  const auto tag = domain::to_hex(domain::view_of(hash)).substr(0, kTagDigits);
  context.set_header("ETag", '"' + tag + '"');
  const auto known = context.header("If-None-Match");
  if (known && etag_list_holds(*known, tag, true)) return context.answer_empty(304);
  const bool plain = json_form(context.header("Accept").value_or("")) == JsonForm::kPlain;
  context.answer_text(200, std::move(body), plain ? "application/json" : "application/hal+json");
}

// 406 and 415 as section 2 of the protocol has them; an answer without a body suits every Accept.
std::optional<Problem> check_media(const RequestContext& context) {
  const bool reads = context.method() == "GET" || context.is_head();
  const auto accept = context.header("Accept").value_or("");
  if (reads && json_form(accept) == JsonForm::kNone) {
    return Problem::not_acceptable(
        "application/json and application/hal+json are spoken here, not " + shown(accept));
  }
  const auto type = context.header("Content-Type").value_or("");
  if (!reads && context.head().has_body() && !is_json(type)) {
    return Problem::unsupported_media("a body of application/json is wanted, not \"" + shown(type) +
                                      "\"");
  }
  return std::nullopt;
}

// What an action of this device stands for; answered with 400 or 404 otherwise.
struct Action {
  domain::ActionId id;
  std::uint32_t attempt = 0;
  domain::DeviceUpdate update;
  bool is_current() const { return update.attempt == attempt && update.in_progress(); }
  bool is_cancelled() const {
    return update.attempt == attempt &&
           (update.cancel || update.status == domain::UpdateStatus::kCancelled);
  }
  bool waits_for_consent() const {
    return update.consent_asked == attempt && !update.consented && !domain::is_terminal(update.status);
  }
  // The device has said how it ended, and no other attempt follows.
  bool has_result() const {
    return update.attempt == attempt &&
           (update.status == domain::UpdateStatus::kCompleted ||
            (update.status == domain::UpdateStatus::kFailed && update.error_code != "timeout"));
  }
};
std::optional<Action> action_of(RequestContext& context, Api& api) {
  const auto& text = context.parameter("action_id");
  const auto number = ddi::number_of(text);
  if (!number) {
    context.answer(Problem::bad_request("\"" + shown(text) + "\" is not an action id"));
    return std::nullopt;
  }
  const auto device = device_id(context);
  const auto ref = api.service.views().action(device, {*number});
  auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  if (!update) {
    context.answer(Problem::not_found(fmt::format("Action not found: {} of device {}", *number, device.value)));
    return std::nullopt;
  }
  return Action{{*number}, ref->attempt, std::move(*update)};
}

std::optional<json> body_of(RequestContext& context) {
  auto parsed = parse_json(context.body());
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    context.answer(*problem);
    return std::nullopt;
  }
  return std::move(std::get<json>(parsed));
}

// 400 where the administration's side says 422: what the protocol's clients know.
void answer_errors(RequestContext& context, const FieldErrors& errors) {
  const auto problem = errors.problem();
  context.answer(Problem::bad_request(problem.message + ": " + problem.detail.dump()));
}

// Also now and then while an update waits for its version to be seen: not at every poll, or a client that answers at
// once and polls again would go round for ever (decision 12).
bool wants_attributes(const projections::PollRecord& record, const std::string& device, Api& api) {
  const auto now = api.service.now();
  return record.wants_attributes_from <= now || (record.awaits_version && api.version_asks.due(device, now));
}

// Its maintenance window is closed, and it does not install yet (decision 14).
bool is_out_of_window(const domain::DeviceUpdate& update, const Api& api) {
  const auto& window = update.plan.maintenance_window;
  if (!window || update.status >= domain::UpdateStatus::kInstalling) return false;
  const auto device = api.service.views().device(update.device);
  const auto zone = device ? domain::facts_of(*device).timezone : std::string();
  return !domain::is_open(*window, zone, api.service.now());
}

// One that has not downloaded it is not told of it either: many clients know no windows, or take "skip" for the end.
bool is_withheld(const domain::DeviceId& device, domain::ActionId action, const Api& api) {
  const auto ref = api.service.views().action(device, action);
  const auto update = ref ? api.service.views().update(ref->update) : std::nullopt;
  return update && update->status < domain::UpdateStatus::kVerifying && is_out_of_window(*update, api);
}

void poll(RequestContext& context, Api& api) {
  const auto device = device_id(context);
  const auto record = api.service.poll(device, device_meta(context));
  if (!record) return context.answer(problem_of(record.error()));
  api.last_seen.note(record.value().ordinal, api.service.now(), context.peer_address());
  auto shown = record.value();
  if (shown.has_window && !shown.cancelling && is_withheld(device, shown.active, api)) shown.active = {};
  answer_message(context, ddi::poll(base_of(context, api), shown, api.service.settings().poll_sleep,
                                    wants_attributes(shown, device.value, api)));
}

void config_data(RequestContext& context, Api& api) {
  auto body = body_of(context);
  if (!body) return;
  FieldErrors errors;
  auto change = ddi::read_config_data(*body, errors);
  if (!errors.empty()) return answer_errors(context, errors);
  const auto answer = api.service.device(device_id(context), std::move(change), device_meta(context));
  if (!answer) {
    if (answer.error().code == domain::ErrorCode::kInvalid) {  // too many attributes: the quota's answer
      return context.answer(Problem::rate_limited(answer.error().message, 0));
    }
    return context.answer(problem_of(answer.error()));
  }
  context.answer_empty(200);
}

// Answered with 404 if there is nothing to download.
std::optional<domain::Firmware> firmware_of(RequestContext& context, Api& api, const Action& action) {
  auto row = api.service.views().firmware(action.update.plan.firmware);
  if (row && row->firmware.content_here) return std::move(row->firmware);
  context.answer(Problem::not_found("The firmware of this action has no content here"));
  return std::nullopt;
}

ddi::Install install_of(const Action& action, const Api& api) {
  const auto& update = action.update;
  if (update.plan.download_only) return ddi::Install::kNever;
  if (!action.is_current()) return ddi::Install::kNow;
  const bool waits = update.held || (update.hold && !update.released && update.status < domain::UpdateStatus::kInstalling);
  return waits || is_out_of_window(update, api) ? ddi::Install::kLater : ddi::Install::kNow;
}

void answer_deployment(RequestContext& context, Api& api, const Action& action) {
  const auto firmware = firmware_of(context, api, action);
  if (!firmware) return;
  answer_message(context, ddi::deployment(base_of(context, api), action.id, *firmware, action.update.plan,
                                          install_of(action, api)));
}

// The first fetch starts the attempt, durably, before the device learns what to do (decision 7).
// What came in between (a lapse, a cancellation) is seen behind it: nobody is told to install what
// is not counted.
void deployment(RequestContext& context, Api& api) {
  auto action = action_of(context, api);
  if (!action) return;
  if (action->is_current() && !action->is_cancelled() && !action->update.started_at) {
    const auto answer = api.service.update(action->update.id, domain::StartAttempt{action->attempt}, device_meta(context));
    if (!answer) return context.answer(problem_of(answer.error()));
    action = action_of(context, api);
    if (!action) return;
  }
  if (action->is_cancelled()) {
    return context.answer(
        Problem::not_found(fmt::format("Action {} is cancelled", action->id.value)));
  }
  if (!action->is_current() && !action->has_result()) {
    return context.answer(Problem::not_found(fmt::format("Action {} is over", action->id.value)));
  }
  answer_deployment(context, api, *action);
}

void installed(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  if (action->update.attempt != action->attempt || action->update.status != domain::UpdateStatus::kCompleted) {
    return context.answer(Problem::not_found(fmt::format("Action {} is not installed", action->id.value)));
  }
  answer_deployment(context, api, *action);
}

void feedback(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  const auto body = body_of(context);
  if (!body) return;
  FieldErrors errors;
  const auto said = ddi::read_feedback(*body, errors);
  if (!errors.empty()) return answer_errors(context, errors);
  const auto& device = action->update.device.value;
  auto report = ddi::report_of(said, action->attempt);
  domain::name_kind(report, action->update.status, api.download_faults.find(device, action->id));
  const auto answer = api.service.update(action->update.id, std::move(report), device_meta(context));
  if (!answer) return context.answer(problem_of(answer.error()));
  if (said.execution == "closed") api.download_faults.forget(device, action->id);
  context.answer_empty(200);
}

void cancel(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  if (!action->is_cancelled())
    return context.answer(
        Problem::not_found(fmt::format("Action {} is not cancelled", action->id.value)));
  answer_message(context, ddi::cancel(action->id));
}

void cancel_feedback(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  const auto body = body_of(context);
  if (!body) return;
  FieldErrors errors;
  const auto said = ddi::read_feedback(*body, errors);
  if (!errors.empty()) return answer_errors(context, errors);
  // An answer that is said again is none to refuse: only where nobody ever asked it has no place.
  const auto& update = action->update;
  if (update.attempt == action->attempt && !action->is_cancelled() && !update.cancel_requested_at) {
    auto problem = Problem::method_not_allowed(context.method(), "OPTIONS");
    problem.message =
        fmt::format("Action {} is neither being cancelled nor cancelled", action->id.value);
    return context.answer(problem);
  }
  domain::UpdateCommand command = ddi::report_of(said, action->attempt);
  if (const auto accepted = ddi::accepts_cancel(said)) {
    command = domain::AnswerCancel{action->attempt, *accepted, said.details};
  } else {
    std::get<domain::Report>(command).kind = domain::Report::Kind::kNote;
  }
  const auto answer = api.service.update(action->update.id, std::move(command), device_meta(context));
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_empty(200);
}

void confirmations(RequestContext& context, Api& api) {
  const auto record = api.service.poll(device_id(context), device_meta(context));
  if (!record) return context.answer(problem_of(record.error()));
  const bool waits = record.value().active.value == 0;
  answer_message(context, ddi::confirmation_state(base_of(context, api),
                                                  waits ? record.value().consent : domain::ActionId{}));
}

void confirmation(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  if (!action->waits_for_consent()) {
    return context.answer(Problem::not_found(fmt::format("Action {} does not wait for consent", action->id.value)));
  }
  const auto firmware = firmware_of(context, api, *action);
  if (!firmware) return;
  answer_message(context, ddi::confirmation(base_of(context, api), action->id, *firmware, action->update.plan));
}

void confirmation_feedback(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  const auto body = body_of(context);
  if (!body) return;
  FieldErrors errors;
  const auto said = ddi::read_consent(*body, errors);
  if (!errors.empty()) return answer_errors(context, errors);
  const auto answer = api.service.update(
      action->update.id, domain::AnswerConsent{action->attempt, said.agreed, said.details}, device_meta(context));
  const bool is_over = domain::is_terminal(action->update.status);
  if (!answer && is_over && answer.error().code == domain::ErrorCode::kStateTransition) {
    return context.answer(Problem::gone(fmt::format("Action {} is over: {}", action->id.value, answer.error().message)));
  }
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_empty(200);
}

void artifact_list(RequestContext& context, Api& api) {
  const auto firmware = ddi::module_of(context, api);
  if (!firmware) return context.answer(Problem::not_found("Module not found: " + context.parameter("module_id")));
  answer_message(context, ddi::artifacts(base_of(context, api), *firmware));
}

// Whatever a device asks, it was here; a poll notes it by itself.
void see(const RequestContext& context, Api& api) {
  const auto record = api.service.views().polls().find(context.parameter("device_id"));
  if (record && !record->deleted) api.last_seen.note(record->ordinal, api.service.now(), context.peer_address());
}

RouteHandler for_tenant(Api& api, Handle handle) {
  return [&api, handle](RequestContext& context) {
    if (!equals_ignoring_case(context.parameter("tenant"), api.options.tenant)) {
      return context.answer(Problem::not_found("Tenant not found: " + shown(context.parameter("tenant"))));
    }
    handle(context, api);
    if (handle != poll) see(context, api);
  };
}

}  // namespace

void add_ddi_routes(Router& router, Api& api) {
  RouteOptions messages;
  messages.check = check_media;
  messages.problem_writer = write_problem;
  RouteOptions bytes;
  bytes.problem_writer = write_without_body;
  const std::string base = "/{tenant}/controller/v1/{device_id}";
  const auto add = [&](const char* method, const std::string& path, Handle handle, const RouteOptions& options) {
    router.add(method, base + path, for_tenant(api, handle), options);
  };
  add("GET", "", poll, messages);
  add("PUT", "/configData", config_data, messages);
  add("GET", "/deploymentBase/{action_id}", deployment, messages);
  add("POST", "/deploymentBase/{action_id}/feedback", feedback, messages);
  add("GET", "/cancelAction/{action_id}", cancel, messages);
  add("POST", "/cancelAction/{action_id}/feedback", cancel_feedback, messages);
  add("GET", "/confirmationBase", confirmations, messages);
  add("GET", "/confirmationBase/{action_id}", confirmation, messages);
  add("POST", "/confirmationBase/{action_id}/feedback", confirmation_feedback, messages);
  add("GET", "/installedBase/{action_id}", installed, messages);
  add("GET", "/softwaremodules/{module_id}/artifacts", artifact_list, messages);
  add("GET", "/softwaremodules/{module_id}/artifacts/{file_name}", ddi::download, bytes);
}

}  // namespace ota::http
