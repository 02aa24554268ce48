#include "http/api.hpp"

#include <nlohmann/json.hpp>

#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/json_text.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

// The state of another day is not shown yet: a clear no is better than the present one under its
// name.
std::optional<Problem> refuse_as_of(const RequestContext& context) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  if (query.is_empty("as_of")) query.fail("as_of", "is empty: whoever asks for the present leaves it out", "not_supported");
  const auto asked = query.string("as_of");
  if (!asked) return errors.empty() ? std::nullopt : std::optional(errors.problem());
  const bool position = asked->find_first_not_of("0123456789") == std::string::npos;
  if (position || query.time("as_of")) {
    query.fail("as_of", fmt::format("this shows the present alone, got '{}'", shown(*asked)),
               "not_supported");
  }
  return errors.problem();
}

}  // namespace

Api::Api(actors::Service& s, actors::ArtifactStore& a, ApiOptions o)
    : service(s),
      artifacts(a),
      options(std::move(o)),
      last_seen(s.now()),
      render(s, last_seen, "/api/v1/ota", options.fetcher),
      auth(options.device_auth, options.secret.empty() ? actors::random_bytes(Secrets::kBytes) : options.secret),
      limits(options.device_rates),
      pace(options.poll_pace) {}

void Api::add_to(Router& router) {
  RouteOptions admin_defaults;
  admin_defaults.no_store = true;
  admin_defaults.check = refuse_as_of;
  auto admin = router.under({"/api/v1/ota", "/api/v1"}, admin_defaults);
  add_firmware_routes(admin, *this);
  add_campaign_routes(admin, *this);
  add_update_routes(admin, *this);
  add_device_routes(admin, *this);
  add_device_token_routes(admin, *this);
  add_bulk_update_routes(admin, *this);
  add_import_routes(admin, *this);
  add_rollback_routes(admin, *this);
  add_why_routes(admin, *this);
  add_user_routes(admin, *this);
  add_service_routes(admin, router, *this);
  add_audit_routes(admin, *this);
  add_story_routes(admin, *this);
  add_diff_routes(admin, *this);
  add_what_if_routes(admin, *this);
  add_event_stream_routes(admin, *this);
  add_proof_routes(admin, *this);
  add_backup_routes(admin, *this);
  add_views_routes(admin, *this);
  add_metrics_routes(router, *this);
  add_ddi_routes(router, *this);
}

std::optional<nlohmann::json> json_body(RequestContext& context, bool required) {
  if (!required && context.body().empty()) return nlohmann::json::object();
  auto parsed = parse_json(context.body());
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    context.answer(*problem);
    return std::nullopt;
  }
  auto& value = std::get<nlohmann::json>(parsed);
  if (!value.is_object()) {  // whatever else would be missing in it is not worth a word
    FieldErrors errors;
    const JsonReader wants_an_object(value, errors);
    context.answer(errors.problem());
    return std::nullopt;
  }
  return std::move(value);
}

void answer_list(RequestContext& context, ListAnswer list) {
  nlohmann::json body{{"count", list.rows.size()}, {"limit", list.limit}, {"offset", list.offset},
                      {"filters", std::move(list.filters)}};
  body[std::string(list.plural)] = std::move(list.rows);
  body["next_cursor"] = list.next_cursor.empty() ? nlohmann::json(nullptr) : nlohmann::json(list.next_cursor);
  context.answer_json(200, body.dump());
}

void answer_resource(RequestContext& context, int status, const nlohmann::json& resource, std::uint32_t revision) {
  context.set_header("ETag", fmt::format("\"{}\"", revision));
  context.answer_json(status, resource.dump());
}

}  // namespace ota::http
