// Device updates: show, cancel, retry, reports by gateways, direct requests (spec/api.md section 5).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/direct_update.hpp"
#include "http/field_errors.hpp"
#include "http/gateway_report.hpp"
#include "http/json_reader.hpp"
#include "http/past_answers.hpp"
#include "http/text.hpp"
#include "http/waiting.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

std::optional<domain::DeviceUpdate> update_of(RequestContext& context, Api& api) {
  const auto& text = context.parameter("update_id");
  const auto id = domain::parse_update_id(text);
  auto update = id ? api.service.views().update_or_pending(*id) : std::nullopt;
  if (!update && id) update = api.service.views().rollback(*id);  // of a campaign in rollback, not begun yet
  if (!update) context.answer(Problem::not_found("Update not found: " + text));
  return update;
}

void answer_update(RequestContext& context, Api& api, const domain::UpdateId& id, int status,
                   std::string_view message = {}) {
  const auto update = api.service.views().update_or_pending(id);
  if (!update) return context.answer(Problem::not_found("Update not found: " + domain::to_text(id)));
  auto body = shown_update(api, *update);
  if (!message.empty()) body["message"] = message;
  answer_resource(context, status, body, update->revision);
}

// What became of a command, in a sentence.
using Sentence = std::string_view (*)(const domain::DeviceUpdate& now, bool wrote);

std::string_view of_cancel(const domain::DeviceUpdate& now, bool wrote) {
  if (now.cancel) return "cancellation requested";
  return wrote ? "Update cancelled" : "Update was cancelled already";
}
std::string_view of_retry(const domain::DeviceUpdate&, bool wrote) {
  return wrote ? "Update will be tried again" : "Update was to be tried again already";
}
std::string_view of_report(const domain::DeviceUpdate&, bool) { return {}; }

void answer_command(RequestContext& context, Api& api, const domain::UpdateId& id, int status, bool wrote,
                    Sentence sentence) {
  const auto now = api.service.views().update_or_pending(id);
  answer_update(context, api, id, status, now ? sentence(*now, wrote) : std::string_view{});
}

// Somebody asks something of the update of the path.
struct Asked {
  domain::DeviceUpdate update;
  actors::Meta meta;
  json body;
};
// Empty: answered, also as it was answered before.
std::optional<Asked> asked_of(RequestContext& context, Api& api, Sentence sentence) {
  auto update = update_of(context, api);
  if (!update) return std::nullopt;
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) {
    context.answer(*problem);
    return std::nullopt;
  }
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.record) answer_command(context, api, update->id, before.record->status, true, sentence);
  if (before.answered || before.record) return std::nullopt;
  auto body = json_body(context, false);
  if (!body) return std::nullopt;
  return Asked{std::move(*update), std::move(meta), std::move(*body)};
}

void answer_done(RequestContext& context, Api& api, const domain::UpdateId& id, const actors::Answer& answer,
                 const actors::Meta& meta, Sentence sentence) {
  if (!answer) return context.answer(problem_of(answer.error()));
  const auto& done = answer.value();
  if (done.repeated) {
    if (const auto problem = other_request(*done.repeated, meta)) return context.answer(*problem);
  }
  answer_command(context, api, id, 200, done.wrote || done.repeated, sentence);
}

void carry_out(RequestContext& context, Api& api, const Asked& asked, domain::UpdateCommand command,
               Sentence sentence) {
  const auto& update = asked.update;
  const auto answer = api.service.update(update.id, std::move(command), asked.meta, update.device);
  answer_done(context, api, update.id, answer, asked.meta, sentence);
}

// Bad health refutes the update that the device said had succeeded (decision 27); it is a word of the device about
// itself.
void report_health(RequestContext& context, Api& api, Asked& asked) {
  const auto& update = asked.update;
  FieldErrors errors;
  JsonReader reader(asked.body, errors);
  const auto attempt = read_attempt(update, reader);
  const auto health = reader.required_string("health", {1, 20});
  if (!health.empty() && health != "ok" && health != "failed") {
    reader.fail("health", fmt::format("\"{}\" is none of ok, failed", shown(health)), "enum");
  }
  if (reader.has("status")) reader.fail("status", "health is reported by itself: after the status \"completed\"");
  if (!errors.empty()) return context.answer(errors.problem());
  if (attempt != update.attempt) return answer_update(context, api, update.id, 200);  // late: it changes nothing
  const auto device = api.service.views().device(update.device);
  // Said again by a client that lost our answer.
  const bool was_said = health == "failed" && update.status == domain::UpdateStatus::kFailed && update.error_code == "health_check";
  if (was_said) return answer_update(context, api, update.id, 200);
  if (!device || !device->installed || device->installed->update != update.id) {
    return context.answer(Problem::state_transition(
        fmt::format("update is {}: only the health of the newest one that completed can be reported",
                    domain::to_text(update.status)),
        domain::to_text(update.status), "report health", {"completed"}));
  }
  // The device is told, and an If-Match is of its update.
  if (!asked.meta.allows(update.revision)) {
    return context.answer(problem_of(actors::wrong_revision(asked.meta, update.revision)));
  }
  asked.meta.if_match.reset();
  domain::ChangeAttributes said;
  said.values["health"] = health;
  said.by_device = true;
  const auto answer = api.service.device(update.device, std::move(said), asked.meta);
  answer_done(context, api, update.id, answer, asked.meta, of_report);
}

void report_status(RequestContext& context, Api& api) {
  auto asked = asked_of(context, api, of_report);
  if (!asked) return;
  if (asked->body.is_object() && asked->body.contains("health") && !asked->body["health"].is_null()) {
    return report_health(context, api, *asked);
  }
  const auto& update = asked->update;
  if (update.attempt == 0) {
    const auto status = domain::to_text(update.status);
    return context.answer(Problem::state_transition(
        fmt::format("update is {} and was never granted: there is no attempt to report on", status),
        status, "report", {"in_progress", "downloading", "verifying", "installing", "rebooting"}));
  }
  FieldErrors errors;
  JsonReader reader(asked->body, errors);
  auto report = read_gateway_report(update, reader);
  if (!errors.empty()) return context.answer(errors.problem());
  carry_out(context, api, *asked, std::move(report), of_report);
}

void cancel(RequestContext& context, Api& api) {
  using Reach = domain::CancelUpdate::Reach;
  const domain::CancelUpdate command{domain::CancelCause::kOperator, Reach::kAny};
  if (const auto asked = asked_of(context, api, of_cancel)) carry_out(context, api, *asked, command, of_cancel);
}

void retry(RequestContext& context, Api& api) {
  const auto asked = asked_of(context, api, of_retry);
  if (asked) carry_out(context, api, *asked, domain::RetryUpdate{}, of_retry);
}

void request_update(RequestContext& context, Api& api) {
  const domain::DeviceId id{context.parameter("device_id")};
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  meta.if_match.reset();  // a device has no revision
  auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  const auto repeat = [&](const eventstore::CommandRecord& record) {
    const auto stream = stream_at(api.service, record.position);
    const auto* update = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
    if (update) return answer_update(context, api, *update, record.status);
    context.answer(Problem::internal());
  };
  if (before.record) return repeat(*before.record);
  const auto known = device_to_update(api.service, id);
  if (const auto* problem = std::get_if<Problem>(&known)) return context.answer(*problem);
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  DirectRequest asked;
  const auto no_firmware = no_such_firmware(*body);
  asked.plan = read_update_request(*body, errors, asked.allow_beta);
  if (!errors.empty()) return context.answer(errors.problem());
  if (no_firmware) return context.answer(*no_firmware);
  const auto firmware = firmware_for(api.service, asked);
  if (const auto* problem = std::get_if<Problem>(&firmware)) return context.answer(*problem);
  auto plan = plan_for(api.service, asked, std::get<projections::FirmwareRow>(firmware), std::get<domain::Device>(known));
  if (const auto* problem = std::get_if<Problem>(&plan)) return context.answer(*problem);
  const auto update = domain::UpdateId::direct(actors::new_uuid(api.service.now()));
  const auto answer =
      api.service.device(id, domain::RequestUpdate{update, id, std::move(std::get<domain::UpdatePlan>(plan))}, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
    return repeat(*answer.value().repeated);
  }
  answer_update(context, api, update, 201);
}

}  // namespace

void add_update_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/updates/{update_id}", [&api](RequestContext& c) {
    if (answer_past_update(c, api)) return;
    if (const auto update = update_of(c, api)) answer_resource(c, 200, shown_update(api, *update), update->revision);
  }, admin.unchecked());
  admin.add("POST", "/updates/{update_id}/cancel", [&api](RequestContext& c) { cancel(c, api); });
  admin.add("POST", "/updates/{update_id}/retry", [&api](RequestContext& c) { retry(c, api); });
  admin.add("POST", "/updates/{update_id}/status", [&api](RequestContext& c) { report_status(c, api); });
  admin.add("POST", "/devices/{device_id}/update", [&api](RequestContext& c) { request_update(c, api); });
}

}  // namespace ota::http
