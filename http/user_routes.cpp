// What users want for their own devices, and the end of all that is known of them (decision 18).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// The user of the path, or answered with what is wrong with it.
std::optional<std::string> user_id(RequestContext& context) {
  const auto& user = context.parameter("user_id");
  if (user.size() <= limits::kUserIdBytes && count_characters(user)) return user;
  context.answer(Problem::invalid_field(
      json::array({"path", "user_id"}),
      fmt::format("'{}' is not UTF-8 text of at most {} bytes", shown(user), limits::kUserIdBytes), "string_too_long"));
  return std::nullopt;
}

// Who never said anything wants nothing in particular.
void answer_preferences(RequestContext& context, Api& api, const std::string& user, int status) {
  const auto token = api.service.known_user(user);
  const auto known = token ? api.service.views().user(*token) : std::nullopt;
  const auto wants = known.value_or(domain::User{});
  const json body{{"user_id", user},
                  {"beta_opt_in", wants.beta_opt_in},
                  {"paused_until", wants.paused_until ? json(format_time(*wants.paused_until)) : json(nullptr)},
                  {"updated_at", known ? json(format_time(known->updated_at)) : json(nullptr)}};
  answer_resource(context, status, body, wants.revision);
}

void show(RequestContext& context, Api& api) {
  if (const auto user = user_id(context)) answer_preferences(context, api, *user, 200);
}

void put(RequestContext& context, Api& api) {
  const auto user = user_id(context);
  if (!user) return;
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_preferences(context, api, *user, before.record->status);
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  domain::ChangePreferences wanted;
  wanted.beta_opt_in = reader.boolean_or("beta_opt_in", false);
  wanted.paused_until = reader.time("paused_until");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto answer = api.service.user(api.service.caller_of(*user), wanted, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
  }
  answer_preferences(context, api, *user, 200);
}

// Their name is nowhere any more, and what they did is still there, under "deleted user" (design 3).
void erase(RequestContext& context, Api& api) {
  const auto user = user_id(context);
  if (!user) return;
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  const auto answer = api.service.delete_user(*user, std::move(std::get<actors::Meta>(found)));
  if (!answer) return context.answer(problem_of(answer.error()));
  context.answer_json(200, json{{"message", answer.value().wrote ? "User erased" : "Nobody is known by this name"}}.dump());
}

}  // namespace

void add_user_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/users/{user_id}/firmware-preferences", [&api](RequestContext& c) { show(c, api); });
  admin.add("PUT", "/users/{user_id}/firmware-preferences", [&api](RequestContext& c) { put(c, api); });
  admin.add("DELETE", "/users/{user_id}", [&api](RequestContext& c) { erase(c, api); });
}

}  // namespace ota::http
