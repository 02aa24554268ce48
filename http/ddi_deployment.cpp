// What to install, how it goes, and what was installed last (spec/ddi.md sections 3.3, 3.4 and 3.7).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/failure.hpp"
#include "domain/version.hpp"
#include "http/commands.hpp"
#include "http/ddi_exchange.hpp"
#include "http/firmware_request.hpp"

namespace ota::http::ddi {
namespace {

void answer_deployment(RequestContext& context, Api& api, const Action& action, std::size_t lines) {
  const auto firmware = firmware_of(context, api, action);
  if (!firmware) return;
  answer_message(context, ddi::deployment(links_of(context, api), action.id, *firmware, action.update.plan,
                                          install_of(action, api), history_of(api, action, lines)));
}

// How it goes, of the attempt that its device is at: whose that is is in memory, and nothing else of it is looked at.
std::optional<projections::ActionRef> progress_of(const domain::Report& report, const std::string& device,
                                                  domain::ActionId id, const Api& api) {
  const bool tells_how_it_goes = report.kind == domain::Report::Kind::kProgress || report.kind == domain::Report::Kind::kNote;
  return tells_how_it_goes ? api.service.views().polls().underway(device, id) : std::nullopt;
}

// Some clients answer "skip" with success and have done nothing at all: they cannot do what was asked (decision 33).
void take_at_its_word(domain::Report& report, const Action& action, const ClientProfile& profile) {
  const bool skipped = action.update.plan.download_only && profile.skip_is_success && !action.update.artifact_requested;
  if (report.kind == domain::Report::Kind::kSuccess && skipped) report.kind = domain::Report::Kind::kDeclined;
}

// What the device says, in the light of what is known of its update. False: its action is over, which it was told.
bool take(domain::Report& report, const Action& action, RequestContext& context, Api& api) {
  const bool is_over = !action.is_current();
  if (is_over || report.kind == domain::Report::Kind::kSuccess) {
    const auto& profile = profile_of(context, api);
    take_at_its_word(report, action, profile);
    // What it has said itself it may say again.
    if (is_over && api.options.late_feedback_gone && !profile.loops_at_gone && !action.has_result()) {
      context.answer(Problem::gone(fmt::format("Action {} is over", action.id.value)));
      return false;
    }
  }
  domain::name_kind(report, action.update.status, api.download_faults.find(action.update.device.value, action.id));
  return true;
}

}  // namespace

// The first fetch starts the attempt, durably, before the device learns what to do (decision 7).
// What came in between (a lapse, a cancellation) is seen behind it: nobody is told to install what
// is not counted.
void deployment(RequestContext& context, Api& api) {
  const auto lines = lines_wanted(context);
  if (!lines) return;
  auto action = action_of(context, api);
  if (!action) return;
  if (action->is_current() && !action->is_cancelled() && !action->update.started_at) {
    if (!firmware_of(context, api, *action)) return;  // an attempt that cannot be is none
    const auto answer =
        api.service.update(action->update.id, domain::StartAttempt{action->attempt, true}, device_meta(context));
    if (!answer) return context.answer(problem_of(answer.error()));
    action = action_of(context, api);
    if (!action) return;
  }
  if (action->is_cancelled()) {
    return context.answer(Problem::not_found(fmt::format("Action {} is cancelled", action->id.value)));
  }
  if (action->waits_for_consent()) {
    return context.answer(Problem::not_found(fmt::format("Action {} waits for its user's consent, see confirmationBase", action->id.value)));
  }
  if (!action->is_current() && !action->has_result()) {
    return context.answer(Problem::not_found(fmt::format("Action {} is over", action->id.value)));
  }
  answer_deployment(context, api, *action, *lines);
}

void feedback(RequestContext& context, Api& api) {
  const auto id = action_id(context);
  if (!id) return;
  const auto said = said_in(context, read_feedback);
  if (!said) return;
  const auto& device = context.parameter("device_id");
  auto report = report_of(*said, 0);
  report.downloads_here = true;
  auto ref = progress_of(report, device, *id, api);
  if (!ref) {
    const auto action = find_action(context, api, *id);
    if (!action || !take(report, *action, context, api)) return;
    ref = {action->update.id, action->attempt};
  }
  report.attempt = ref->attempt;
  const auto problem_after = [&api, id = *id, device, is_closed = said->execution == "closed"](
                                 const actors::Answer& answer) -> std::optional<Problem> {
    if (!answer) return problem_of(answer.error());
    if (is_closed) api.download_faults.forget(device, id);
    return std::nullopt;
  };
  context.answer_empty(200);
  // Nobody waits for the commit, where the door can send the answer behind it.
  if (const auto tell = context.answer_later()) {
    return api.service.update(ref->update, std::move(report), device_meta(context),
                              [problem_after, tell](const actors::Answer& answer) { tell(problem_after(answer)); });
  }
  const auto answer = api.service.update(ref->update, std::move(report), device_meta(context));
  if (const auto problem = problem_after(answer)) context.answer(*problem);
}

void installed(RequestContext& context, Api& api) {
  const auto lines = lines_wanted(context);
  if (!lines) return;
  const auto action = action_of(context, api);
  if (!action) return;
  if (action->update.attempt != action->attempt || action->update.status != domain::UpdateStatus::kCompleted) {
    return context.answer(Problem::not_found(fmt::format("Action {} is not installed", action->id.value)));
  }
  answer_deployment(context, api, *action, *lines);
}

// The device says what it runs: no update of ours, and yet its version from now on.
void declare_installed(RequestContext& context, Api& api) {
  const auto declared = said_in(context, read_declared);
  if (!declared) return;
  const auto id = device_id(context);
  const auto device = api.service.views().device(id);
  if (!device || device->deleted) return context.answer(Problem::not_found("Device not found: " + id.value));
  const auto model = domain::facts_of(*device).model;
  if (model.empty() || !api.service.views().firmware(firmware_id_of(declared->name, declared->version, model))) {
    return context.answer(Problem::not_found(fmt::format("Firmware not found: {} {} for {}", declared->name,
                                                         declared->version,
                                                         model.empty() ? "a device of an unknown model" : model)));
  }
  const bool same = domain::same_version(device->version, declared->version);
  domain::ChangeAttributes change;
  change.by_device = true;
  change.values[api.service.settings().version_attribute] = declared->version;
  const auto answer = api.service.device(id, std::move(change), device_meta(context));
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_empty(same ? 200 : 201);
}

}  // namespace ota::http::ddi
