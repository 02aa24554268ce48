// The device side: hawkBit DDI v1 (docs/devices.md).
//
// Every accepted write is answered 200 with an empty body, also one that was sent before: clients repeat what they lost
// the answer of. Before anything is read of a request it is clear whose it is, and that it does not ask too often.
#include "http/ddi_exchange.hpp"

#include <nlohmann/json.hpp>

#include "http/ddi_downloads.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using Handle = void (*)(RequestContext&, Api&);

constexpr int kUnauthorized = 401;
constexpr int kBadRequest = 400;
constexpr int kUnprocessable = 422;
constexpr int kForbidden = 403;
constexpr int kTooLarge = 413;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

// What the protocol's clients know: 400 where the administration's side says 422, and 429 for what a device said and could
// not be taken now: that they say again, and of 503 some make a failure of the update.
int status_of(const RequestContext& context, const Problem& problem) {
  const bool writes = context.method() != "GET" && !context.is_head();
  if (problem.status == kUnavailable && writes) return kTooManyRequests;
  return problem.status == kUnprocessable ? kBadRequest : problem.status;
}

void write_without_body(RequestContext& context, const Problem& problem) {
  context.answer_empty(status_of(context, problem));
  if (problem.status == kUnauthorized) context.set_header("WWW-Authenticate", "TargetToken");
  if (!problem.allow.empty()) context.set_header("Allow", problem.allow);
  if (problem.retry_after_s) context.set_header("Retry-After", std::to_string(*problem.retry_after_s));
}

// Whoever is nobody, or asks too often, is told in as few bytes as can be.
void write_problem(RequestContext& context, const Problem& problem) {
  const bool never_told = problem.status == kUnauthorized || problem.status == kTooLarge;
  const bool seldom_told = problem.status == kForbidden || problem.status == kTooManyRequests;
  if (never_told || (seldom_told && problem.message.empty())) return write_without_body(context, problem);
  context.answer_json(status_of(context, problem), ddi::error(to_text(problem.kind), problem.message));
  if (!problem.allow.empty()) context.set_header("Allow", problem.allow);
  if (problem.retry_after_s) context.set_header("Retry-After", std::to_string(*problem.retry_after_s));
}

using Known = std::optional<projections::PollRecord>;

Known known_of(const RequestContext& context, const Api& api) {
  return api.service.views().polls().find(context.parameter("device_id"));
}

// What is the same of every request: its tenant, and who it is.
std::optional<Problem> check_who(const RequestContext& context, Api& api, const Known& known, bool bytes) {
  if (api.options.blocked_addresses.contains(context.client_address())) return Problem::forbidden("");
  if (!equals_ignoring_case(context.parameter("tenant"), api.options.tenant)) {
    return Problem::not_found("Tenant not found: " + shown(context.parameter("tenant")));
  }
  const auto& device = context.parameter("device_id");
  const auto now = api.service.now();
  const auto identity = bytes ? api.auth.identify_download(context, device, known, now)
                              : api.auth.identify(context, device, known, now);
  if (!identity) {
    // Whoever tries one secret after the other, or has a wrong one, is no cheaper than a device.
    const auto again = api.limits.refuse_stranger(context.client_address());
    return again ? Problem::rate_limited("", *again) : Problem::unauthorized("");
  }
  // A stranger is registered by its first poll, where that is wanted.
  if (!known && !api.auth.options().plug_and_play) return Problem::not_found("Device not found: " + shown(device));
  return std::nullopt;
}

std::optional<Problem> check_message(const RequestContext& context, Api& api) {
  const auto known = known_of(context, api);
  if (auto problem = check_who(context, api, known, false)) return problem;
  // Whoever is not known is about to be registered.
  const bool writes = !known || context.method() != "GET";
  const auto again = api.limits.refuse(context.parameter("device_id"), context.client_address(), writes);
  if (again) return Problem::rate_limited("", *again);
  return ddi::check_media(context);
}

void serve_bytes(RequestContext& context, Api& api) {
  context.pause(api.limits.pause(context.parameter("device_id"), context.client_address()));
  ddi::download(context, api);
}

// Whatever a device asks, it was here; a poll notes it by itself.
void see(const RequestContext& context, Api& api) {
  const auto record = api.service.views().polls().find(context.parameter("device_id"));
  if (record && !record->deleted) api.last_seen.note(record->ordinal, api.service.now(), context.client_address());
}

}  // namespace

void add_ddi_routes(Router& router, Api& api) {
  RouteOptions messages;
  messages.for_devices = true;
  messages.takes_head = false;  // a poll registers and grants, a deployment that was read has begun
  messages.check = [&api](const RequestContext& context) { return check_message(context, api); };
  messages.problem_writer = write_problem;
  RouteOptions bytes;
  bytes.for_devices = true;
  bytes.check = [&api](const RequestContext& context) { return check_who(context, api, known_of(context, api), true); };
  bytes.problem_writer = write_without_body;
  const std::string base = "/{tenant}/controller/v1/{device_id}";
  const auto add = [&](const char* method, const std::string& path, Handle handle, const RouteOptions& options) {
    const auto seen = [&api, handle](RequestContext& context) {
      constexpr Handle kPoll = ddi::poll;
      handle(context, api);
      if (handle != kPoll) see(context, api);
    };
    router.add(method, base + path, seen, options);
  };
  add("GET", "", ddi::poll, messages);
  add("PUT", "/configData", ddi::config_data, messages);
  add("GET", "/deploymentBase/{action_id}", ddi::deployment, messages);
  add("POST", "/deploymentBase/{action_id}/feedback", ddi::feedback, messages);
  add("GET", "/cancelAction/{action_id}", ddi::cancel, messages);
  add("POST", "/cancelAction/{action_id}/feedback", ddi::cancel_feedback, messages);
  add("GET", "/installedBase/{action_id}", ddi::installed, messages);
  add("PUT", "/installedBase", ddi::declare_installed, messages);
  add("GET", "/confirmationBase", ddi::confirmations, messages);
  add("GET", "/confirmationBase/{action_id}", ddi::confirmation, messages);
  add("POST", "/confirmationBase/{action_id}/feedback", ddi::confirmation_feedback, messages);
  add("POST", "/confirmationBase/activateAutoConfirm", ddi::activate_auto_confirm, messages);
  add("POST", "/confirmationBase/deactivateAutoConfirm", ddi::deactivate_auto_confirm, messages);
  add("GET", "/softwaremodules/{module_id}/artifacts", ddi::artifact_list, messages);
  add("GET", "/softwaremodules/{module_id}/artifacts/{file_name}", serve_bytes, bytes);
}

}  // namespace ota::http
