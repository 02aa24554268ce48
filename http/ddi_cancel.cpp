// Which action to stop, and whether the device does (spec/ddi.md section 3.5, decision 24).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/ddi_exchange.hpp"

namespace ota::http::ddi {

void cancel(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  if (!action->is_cancelled()) {
    return context.answer(Problem::not_found(fmt::format("Action {} is not cancelled", action->id.value)));
  }
  answer_message(context, ddi::cancel(action->id));
}

void cancel_feedback(RequestContext& context, Api& api) {
  const auto action = action_of(context, api);
  if (!action) return;
  const auto said = said_in(context, read_feedback);
  if (!said) return;
  // An answer that is said again is none to refuse: only where nobody ever asked it has no place. (An attempt that waits for
  // consent is ahead of its update.)
  const auto& update = action->update;
  if (update.attempt <= action->attempt && !action->is_cancelled() && !update.cancel_requested_at) {
    auto problem = Problem::method_not_allowed(context.method(), "OPTIONS");
    problem.message = fmt::format("Action {} is neither being cancelled nor cancelled", action->id.value);
    return context.answer(problem);
  }
  domain::UpdateCommand command = report_of(*said, action->attempt);
  if (const auto accepted = accepts_cancel(*said)) {
    command = domain::AnswerCancel{action->attempt, *accepted, said->details};
  } else {
    std::get<domain::Report>(command).kind = domain::Report::Kind::kNote;
  }
  const auto answer = api.service.update(action->update.id, std::move(command), device_meta(context));
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_empty(200);
}

}  // namespace ota::http::ddi
