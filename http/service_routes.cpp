// Statistics, health, what this service is (spec/api.md section 6).
#include <chrono>

#include <nlohmann/json.hpp>

#include "actors/backup_keeper.hpp"
#include "actors/log_verifier.hpp"
#include "actors/views_keeper.hpp"
#include "http/api.hpp"
#include "http/field_errors.hpp"
#include "http/live_events.hpp"
#include "http/past_answers.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

void health(RequestContext& context, const Api& api) {
  context.answer_json(200, json{{"status", "healthy"}, {"service", "ota_service"}, {"version", api.options.version}}.dump());
}

// "rebuild: 1200 of 5000 events"
std::string text_of(const actors::ViewsKeeper::Progress& running) {
  return fmt::format("{}: {} of {} events", running.work == actors::ViewsKeeper::Work::kRebuild ? "rebuild" : "verify", running.done,
                     running.of);
}

// Null where no place for them is set. They fail without anybody who waits for them.
json health_of_backups(const Api& api) {
  if (!api.service.backups().has_place()) return nullptr;
  const auto state = api.service.backups().state();
  const auto newest = state.newest();
  return {{"status", state.last_error.empty() ? "healthy" : "failing"},
          {"newest", newest ? json(format_time(*newest)) : json(nullptr)},
          {"last_error", state.last_error.empty() ? json(nullptr) : json(state.last_error)}};
}

void detailed_health(RequestContext& context, const Api& api) {
  const auto started = std::chrono::steady_clock::now();
  const auto head = api.service.log().head();
  const auto stats = api.service.log().stats();
  const auto log_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started).count();
  const auto metrics = api.service.journal().metrics();
  const auto trouble = api.service.trouble();
  const auto broken = api.service.views().broken();
  const auto view_position = api.service.views().position().value;
  const auto at_work = api.service.views_keeper().state().running;
  const auto stalled = api.service.stalled_for();
  const auto full = api.service.disk_refusal();
  const auto verification = api.service.verifier().state();
  const auto& verified = verification.last;
  const auto verified_at = verified ? std::optional(verified->started) : verification.sound;
  const bool sound = !verified || verified->is_sound();
  bool healthy = sound && !full && !stalled && broken.empty() && trouble.set_aside.empty() && trouble.stuck.empty() && trouble.nameless == 0;
  const auto backups = health_of_backups(api);
  healthy = healthy && (backups.is_null() || backups["status"] == "healthy");
  json neighbours = json::object();
  for (const auto& n : api.options.neighbours ? api.options.neighbours() : std::vector<DependencyHealth>{}) {
    json facts{{"status", n.healthy ? "healthy" : "unavailable"}};
    for (const auto& [name, value] : n.facts) facts[name] = value;
    neighbours[n.name] = std::move(facts);
    healthy = healthy && n.healthy;
  }
  json body{{"status", healthy ? "healthy" : "degraded"},
            {"service", "ota_service"},
            {"version", api.options.version},
            {"dependencies",
             {{"log",
               {{"status", full ? "full" : stalled ? "stalled" : sound ? "healthy" : "damaged"}, {"stalled_ms", stalled ? stalled->count() : 0},
                {"verified_at", verified_at ? json(format_time(*verified_at)) : json(nullptr)},
                {"disk", full ? json(*full) : json(nullptr)},
                {"damage", sound ? json(nullptr) : json(verified->error.empty() ? actors::text_of(verified->result.findings.front()) : verified->error)},
                {"latency_us", log_us}, {"position", head.value}, {"events", stats.events},
                {"disk_bytes", stats.disk_bytes}, {"commits", metrics.groups}, {"commit_us_max", metrics.commit_us_max},
                {"conflicts", metrics.conflicts}}},
              {"views",
               {{"status", broken.empty() ? "healthy" : "broken"}, {"position", view_position},
                {"behind", head.value - std::min(head.value, view_position)},
                {"reason", broken.empty() ? json(nullptr) : json(broken)},
                {"running", at_work ? json(text_of(*at_work)) : json(nullptr)}}},
              {"actors", {{"status", trouble.set_aside.empty() ? "healthy" : "degraded"},
                          {"in_flight", api.service.in_flight()}, {"set_aside", trouble.set_aside}}},
              {"subjects", {{"status", trouble.nameless == 0 ? "healthy" : "degraded"}, {"without_name", trouble.nameless}}},
              {"deadlines", {{"status", trouble.stuck.empty() ? "healthy" : "degraded"}, {"stuck", trouble.stuck}}}}}};
  if (!backups.is_null()) body["dependencies"]["backups"] = backups;
  body["dependencies"].update(neighbours);
  // The log fails stop: while this process answers and the disk has room, it could be written, sooner or later.
  context.answer_json(broken.empty() && !full ? 200 : 503, body.dump());
}

// What this version does, in words that a client can look for.
json features(const Api& api) {
  json words{"firmware_upload",  "ranged_download",    "campaigns",        "immediate",        "scheduled",
             "staged",           "canary",             "blue_green",       "approval",         "direct_updates",
             "rollback",         "automatic_rollback", "consent",          "device_directory", "user_preferences",
             "gateway_reports",  "maintenance_window", "idempotency_keys", "hawkbit_ddi",      "audit",
             "statistics"};
  if (api.options.live_events) words.push_back("event_streams");
  if (api.options.neighbours) {
    for (const auto& neighbour : api.options.neighbours()) words.push_back(neighbour.name);
  }
  return words;
}

// How many are open, and may be; null: none are served.
json event_streams(const Api& api) {
  if (!api.options.live_events) return nullptr;
  const auto& followers = api.options.live_events->followers();
  return {{"open", followers.taken()}, {"limit", followers.places()}};
}

void about(RequestContext& context, const Api& api, const Router& router) {
  const int port = api.port;
  context.answer_json(200, json{{"name", "ota_service"},
                                {"version", api.options.version},
                                {"port", port == 0 ? json(nullptr) : json(port)},
                                {"routes", router.describe()},
                                {"event_streams", event_streams(api)},
                                {"features", features(api)}}
                               .dump());
}

void statistics(RequestContext& context, Api& api) {
  if (answer_past_statistics(context, api)) return;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto from = query.time("from");
  const auto to = query.time("to");
  if (from && to && *from > *to) {
    query.fail("to", fmt::format("'{}' is before from, '{}'", format_time(*to), format_time(*from)));
  }
  if (!errors.empty()) return context.answer(errors.problem());
  context.answer_json(200, api.render.statistics(from, to).dump());
}

}  // namespace

void add_service_routes(Router::Group& admin, Router& router, Api& api) {
  router.add("GET", "/health", [&api](RequestContext& c) { health(c, api); });
  router.add("GET", "/health/detailed", [&api](RequestContext& c) { detailed_health(c, api); });
  admin.add("GET", "/health", [&api](RequestContext& c) { health(c, api); });
  admin.add("GET", "/health/detailed", [&api](RequestContext& c) { detailed_health(c, api); });
  admin.add("GET", "/stats", [&api](RequestContext& c) { statistics(c, api); }, admin.unchecked());  // it answers ?as_of=
  admin.add("GET", "/service/stats", [&api, &router](RequestContext& c) { about(c, api, router); });
}

}  // namespace ota::http
