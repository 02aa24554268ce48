// Whether the device's user agrees: to one action, or to all of them beforehand (spec/ddi.md section 3.6, decision 32).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/ddi_exchange.hpp"

namespace ota::http::ddi {

void confirmations(RequestContext& context, Api& api) {
  const auto id = device_id(context);
  const auto record = api.service.poll(id, device_meta(context));
  if (!record) return context.answer(problem_of(record.error()));
  const bool waits = record.value().active.value == 0 && !stays_elsewhere(context, record.value(), api);
  const auto device = api.service.views().device(id);
  answer_message(context, ddi::confirmation_state(links_of(context, api),
                                                  device ? device->auto_confirm : std::optional<domain::AutoConfirm>(),
                                                  waits ? record.value().consent : domain::ActionId{}));
}

void confirmation(RequestContext& context, Api& api) {
  const auto lines = lines_wanted(context);
  if (!lines) return;
  const auto action = action_of(context, api);
  if (!action) return;
  if (!action->waits_for_consent()) {
    return context.answer(Problem::not_found(fmt::format("Action {} does not wait for consent", action->id.value)));
  }
  const auto firmware = firmware_of(context, api, *action);
  if (!firmware) return;
  answer_message(context, ddi::confirmation(links_of(context, api), action->id, *firmware, action->update.plan,
                                            history_of(api, *action, *lines)));
}

void confirmation_feedback(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  const auto said = said_in(context, read_consent);
  if (!said) return;
  const auto answer = api.service.update(
      action->update.id, domain::AnswerConsent{action->attempt, said->agreed, said->details}, device_meta(context));
  const bool is_over = domain::is_terminal(action->update.status);
  if (!answer && is_over && answer.error().code == domain::ErrorCode::kStateTransition) {
    return context.answer(Problem::gone(fmt::format("Action {} is over: {}", action->id.value, answer.error().message)));
  }
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_empty(200);
}

namespace {

void set_auto_confirm(RequestContext& context, Api& api, domain::SetAutoConfirm command) {
  const auto answer = api.service.device(device_id(context), std::move(command), device_meta(context));
  if (answer) return context.answer_empty(200);
  if (answer.error().code == domain::ErrorCode::kInvalid) {
    return context.answer(Problem::bad_request(answer.error().field + ": " + answer.error().message));
  }
  context.answer(problem_of(answer.error()));
}

}  // namespace

void activate_auto_confirm(RequestContext& context, Api& api) {
  std::optional<domain::SetAutoConfirm> command(std::in_place);
  if (!context.body().empty()) command = said_in(context, read_auto_confirm);
  if (!command) return;
  const auto device = api.service.views().device(device_id(context));
  if (device && !device->deleted && device->auto_confirm) {
    return context.answer(Problem::state_transition("Auto-confirmation is active already", "active", "activate", {"inactive"}));
  }
  set_auto_confirm(context, api, std::move(*command));
}

void deactivate_auto_confirm(RequestContext& context, Api& api) { set_auto_confirm(context, api, {false, {}, {}}); }

}  // namespace ota::http::ddi
