// Device updates: show, cancel, retry, reports by gateways, direct requests (spec/api.md section 5).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/direct_update.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

std::optional<domain::DeviceUpdate> update_of(RequestContext& context, Api& api) {
  const auto& text = context.parameter("update_id");
  const auto id = domain::parse_update_id(text);
  auto update = id ? api.service.views().update_or_pending(*id) : std::nullopt;
  if (!update) context.answer(Problem::not_found("Update not found: " + text));
  return update;
}

void answer_update(RequestContext& context, Api& api, const domain::UpdateId& id, int status,
                   std::string_view message = {}) {
  const auto update = api.service.views().update_or_pending(id);
  if (!update) return context.answer(Problem::not_found("Update not found: " + domain::to_text(id)));
  auto body = api.render.update(*update);
  if (!message.empty()) body["message"] = message;
  answer_resource(context, status, body, update->revision);
}

// The gate that an update waits at: asked of whoever would grant it.
json waiting_for(Api& api, const domain::DeviceUpdate& update) {
  const bool waits = update.status == domain::UpdateStatus::kScheduled || update.status == domain::UpdateStatus::kCreated;
  if (!waits) return nullptr;
  const auto answers = api.service.why(update.device, update.id.campaign());
  if (!answers) return nullptr;
  for (const auto& why : answers.value()) {
    if (why.update != update.id) continue;
    for (const auto& gate : why.gates) {
      if (!gate.open) return domain::to_text(gate.gate);
    }
  }
  return nullptr;
}

void show(RequestContext& context, Api& api, const domain::DeviceUpdate& update) {
  auto body = api.render.update(update);
  body["waiting_for"] = waiting_for(api, update);
  answer_resource(context, 200, body, update.revision);
}

template <class MakeCommand>
void command(RequestContext& context, Api& api, MakeCommand make) {
  const auto update = update_of(context, api);
  if (!update) return;
  auto found = meta_of(context, api.service, 200, update->revision);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_update(context, api, update->id, before.record->status);
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  domain::UpdateCommand made = make(*update, reader);
  if (!errors.empty()) return context.answer(errors.problem());
  const bool cancelling = std::holds_alternative<domain::CancelUpdate>(made);
  const auto answer = api.service.update(update->id, std::move(made), meta, update->device);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
  }
  const auto now = api.service.views().update_or_pending(update->id);
  const bool waits = now && now->cancel.has_value();
  answer_update(context, api, update->id, 200,
                !cancelling ? "" : waits ? "cancellation requested" : "Update cancelled");
}

constexpr const char* kStatuses =
    "in_progress, downloading, verifying, installing, rebooting, completed, failed, cancelled";

// What a gateway says on behalf of a device, in the words of the API.
domain::UpdateCommand report(const domain::DeviceUpdate& update, JsonReader& body) {
  using Kind = domain::Report::Kind;
  domain::Report r;
  r.attempt = update.attempt;
  auto word = body.word("status", domain::parse_update_status, kStatuses);
  if (!word && !body.has("status")) body.fail("status", "field required", "missing");
  const auto status = word.value_or(domain::UpdateStatus::kInProgress);
  switch (status) {
    case domain::UpdateStatus::kCompleted: r.kind = Kind::kSuccess; break;
    case domain::UpdateStatus::kFailed: r.kind = Kind::kFailure; break;
    case domain::UpdateStatus::kCancelled: r.kind = Kind::kDeclined; break;
    case domain::UpdateStatus::kCreated:
    case domain::UpdateStatus::kScheduled:
    case domain::UpdateStatus::kRollback:
      body.fail("status", fmt::format("a device cannot report {}; {} it can", domain::to_text(status), kStatuses), "enum");
      break;
    default: r.phase = status; break;
  }
  const auto download = body.number("download_progress", {0, 100});
  const auto within = body.number("phase_progress", {0, 100});
  const auto overall = body.number("progress_percentage", {0, 100});
  if (status == domain::UpdateStatus::kDownloading && (download || overall)) {
    const double percent = download ? *download : std::clamp((*overall - 5.0) / 0.45, 0.0, 100.0);
    r.phase_basis_points = static_cast<std::uint32_t>(percent * 100.0);
  } else if (status == domain::UpdateStatus::kInstalling && (within || overall)) {
    const double percent = within ? *within : std::clamp((*overall - 60.0) / 0.30, 0.0, 100.0);
    r.phase_basis_points = static_cast<std::uint32_t>(percent * 100.0);
  }
  r.bytes_per_second = static_cast<std::uint64_t>(body.number_or("download_speed", {0, 1e12}, 0));
  r.error_code = body.string_or("error_code", {0, 100}, "");
  r.error_message = body.string_or("error_message", {0, 1'000}, "");
  r.signature_verified = body.boolean("signature_verified");
  r.checksum_verified = body.boolean("checksum_verified");
  return r;
}

// Bad health refutes the update that the device said had succeeded (decision 27); it is a word of the device about
// itself. True: answered.
bool report_health(RequestContext& context, Api& api, const domain::DeviceUpdate& update) {
  auto body = json_body(context, false);
  if (!body) return true;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  if (!reader.has("health")) return false;
  const auto health = reader.required_string("health", {1, 20});
  if (!health.empty() && health != "ok" && health != "failed") {
    reader.fail("health", fmt::format("\"{}\" is none of ok, failed", shown(health)), "enum");
  }
  if (reader.has("status")) reader.fail("status", "health is reported by itself: after the status \"completed\"");
  if (!errors.empty()) {
    context.answer(errors.problem());
    return true;
  }
  const auto device = api.service.views().device(update.device);
  if (!device || !device->installed || device->installed->update != update.id) {
    context.answer(Problem::state_transition(
        fmt::format("update is {}: only the health of the newest one that completed can be reported",
                    domain::to_text(update.status)),
        domain::to_text(update.status), "report health", {"completed"}));
    return true;
  }
  domain::ChangeAttributes said;
  said.values["health"] = health;
  said.by_device = true;
  const auto answer = api.service.device(update.device, std::move(said), device_meta(context));
  if (answer) {
    answer_update(context, api, update.id, 200);
  } else {
    context.answer(problem_of(answer.error()));
  }
  return true;
}

void report_status(RequestContext& context, Api& api) {
  const auto update = update_of(context, api);
  if (!update || report_health(context, api, *update)) return;
  if (update->attempt == 0) {
    const auto status = domain::to_text(update->status);
    return context.answer(Problem::state_transition(
        fmt::format("update is {} and was never granted: there is no attempt to report on", status),
        status, "report", {"in_progress", "downloading", "verifying", "installing", "rebooting"}));
  }
  command(context, api, report);
}

void request_update(RequestContext& context, Api& api) {
  const domain::DeviceId id{context.parameter("device_id")};
  const auto known = device_to_update(api.service, id);
  if (const auto* problem = std::get_if<Problem>(&known)) return context.answer(*problem);
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  const auto repeat = [&](const eventstore::CommandRecord& record) {
    const auto stream = stream_at(api.service, record.position);
    const auto* update = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
    if (update) return answer_update(context, api, *update, record.status);
    context.answer(Problem::internal());
  };
  if (before.record) return repeat(*before.record);
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
    if (const auto update = update_of(c, api)) show(c, api, *update);
  });
  admin.add("POST", "/updates/{update_id}/cancel", [&api](RequestContext& c) {
    command(c, api, [](const domain::DeviceUpdate&, JsonReader&) -> domain::UpdateCommand {
      return domain::CancelUpdate{domain::CancelCause::kOperator, domain::CancelUpdate::Reach::kAny};
    });
  });
  admin.add("POST", "/updates/{update_id}/retry", [&api](RequestContext& c) {
    command(c, api, [](const domain::DeviceUpdate&, JsonReader&) -> domain::UpdateCommand { return domain::RetryUpdate{}; });
  });
  admin.add("POST", "/updates/{update_id}/status",
            [&api](RequestContext& c) { report_status(c, api); });
  admin.add("POST", "/devices/{device_id}/update", [&api](RequestContext& c) { request_update(c, api); });
}

}  // namespace ota::http
