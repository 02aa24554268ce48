// The token by which a device shows who it is: shown to an administrator, and replaced (spec/ddi.md section 8).
//
// Tokens are derived and stored nowhere; the log says only how often one was replaced.
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/json_reader.hpp"
#include "http/render.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kGraceMinutesMax = 30 * 24 * 60;  // a device that was off for a month

domain::DeviceId device_id(const RequestContext& context) { return {context.parameter("device_id")}; }

std::optional<domain::Device> device_of(RequestContext& context, const Api& api) {
  auto device = api.service.views().device(device_id(context));
  if (device && device->registered && !device->deleted) return device;
  context.answer(Problem::not_found("Device not found: " + device_id(context).value));
  return std::nullopt;
}

void answer_token(RequestContext& context, const Api& api) {
  const auto device = device_of(context, api);
  if (!device) return;
  const auto& until = device->previous_token_until;
  const bool counts = until && *until > api.service.now();
  context.set_header("Cache-Control", "no-store");
  context.answer_json(200, json{{"device_id", device->id.value},
                                {"token", api.auth.token(device->id.value, device->token_generation)},
                                {"generation", device->token_generation},
                                {"previous_valid_until", counts ? json(format_time(*until)) : json(nullptr)}}
                               .dump());
}

void rotate(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_token(context, api);
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  const std::chrono::minutes grace(reader.integer_or("grace_minutes", {0, kGraceMinutesMax}, 0));
  if (!errors.empty()) return context.answer(errors.problem());
  const auto device = device_of(context, api);
  if (!device) return;
  const auto answer = api.service.device(device->id, domain::RotateToken{device->token_generation, grace}, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
  }
  answer_token(context, api);
}

}  // namespace

void add_device_token_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/devices/{device_id}/token", [&api](RequestContext& c) { answer_token(c, api); });
  admin.add("POST", "/devices/{device_id}/token/rotate", [&api](RequestContext& c) { rotate(c, api); });
}

}  // namespace ota::http
