#include "http/firmware_register.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/commands.hpp"
#include "http/firmware_request.hpp"
#include "http/limits.hpp"

namespace ota::http {
namespace {

constexpr std::uint32_t kFetchingRetry_s = 2;    // of a fetch that runs: most take no longer
constexpr std::uint32_t kNobodyFetches_s = 600;  // an operator has to do something first

}  // namespace

Registered register_firmware(Api& api, domain::RegisterFirmware command, actors::Meta& meta) {
  Registered done{actors::Done{}, command.record.id, false};
  done.is_new = !api.service.views().firmware(done.id).has_value();
  if (!done.is_new) meta.status = 200;
  done.answer = api.service.firmware(done.id, command, meta);
  if (!done.answer || !done.answer.value().existing) return done;
  done.id = *done.answer.value().existing;
  done.is_new = false;
  meta.status = 200;
  command.record.id = done.id;
  done.answer = api.service.firmware(done.id, std::move(command), meta);
  return done;
}

void answer_firmware(RequestContext& context, Api& api, domain::FirmwareId id, int status) {
  const auto row = api.service.views().firmware(id);
  if (!row) return context.answer(Problem::not_found("Firmware not found: " + domain::to_text(id)));
  answer_resource(context, status, api.render.firmware(*row), row->firmware.revision);
}

void answer_registered(RequestContext& context, Api& api, const Registered& registered, const actors::Meta& meta) {
  if (!registered.answer) return context.answer(problem_of(registered.answer.error()));
  const auto& done = registered.answer.value();
  int status = done.wrote && registered.is_new ? 201 : 200;
  if (done.repeated) {
    if (const auto problem = other_request(*done.repeated, meta)) return context.answer(*problem);
    status = done.repeated->status;
  }
  answer_firmware(context, api, registered.id, status);
}

void answer_registered_before(RequestContext& context, Api& api, const eventstore::CommandRecord& record) {
  const auto stream = stream_at(api.service, record.position);
  const auto* id = stream ? std::get_if<domain::FirmwareId>(&*stream) : nullptr;
  if (!id) return context.answer(Problem::internal());
  answer_firmware(context, api, *id, record.status);
}

void register_by_url(RequestContext& context, Api& api) {
  if (const auto problem = read_whole_body(context.body_stream(), limits::kBodyBytes, context.body())) {
    return context.answer(*problem);
  }
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_registered_before(context, api, *before.record);
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  auto checked = read_firmware_by_url(*body, api.options.extra_formats, errors);
  if (const auto* problem = std::get_if<Problem>(&checked)) return context.answer(*problem);
  auto& record = std::get<domain::FirmwareRegistered>(checked);
  if (const auto problem = api.options.signature_keys.check(record)) return context.answer(*problem);
  const auto done = register_firmware(api, {std::move(record), {}}, meta);
  answer_registered(context, api, done, meta);
}

bool answer_not_here(RequestContext& context, const Api& api, const domain::Firmware& f) {
  if (f.content_here) return false;
  if (f.record.kept_elsewhere) {
    context.set_header("Location", f.record.file_url);
    context.answer_empty(302);
    return true;
  }
  const auto why = domain::why_not_here(f);
  if (!domain::is_to_fetch(f)) {
    const bool recalled = f.status == domain::FirmwareStatus::kRecalled;
    context.answer(Problem::state_transition(recalled ? why + ", but nobody fetches what is recalled" : why,
                                             recalled ? "recalled" : domain::to_text(domain::content_of(f)), "download",
                                             {"here"}));
    return true;
  }
  if (!api.options.fetcher) {
    context.answer(Problem::unavailable(why + ", but fetching is switched off (firmware.fetch)", kNobodyFetches_s));
    return true;
  }
  const auto state = api.options.fetcher->state(f.record.id).value_or(actors::FetchState{});
  const auto wait_s = std::max(kFetchingRetry_s, static_cast<std::uint32_t>(state.next_try_in.count()));
  context.answer(Problem::unavailable(
      state.last_error.empty() ? why : fmt::format("{}; the last try failed: {}", why, state.last_error), wait_s));
  return true;
}

}  // namespace ota::http
