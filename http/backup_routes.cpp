// Backups of the log and of the subjects, taken by the service while it works. Where to is a setting and not a request's choice.
#include <nlohmann/json.hpp>

#include "actors/backup_keeper.hpp"
#include "http/api.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

void answer_backups(RequestContext& context, const Api& api, int status) {
  const auto state = api.service.backups().state();
  json all = json::array();
  for (const auto& one : state.backups) {
    all.push_back({{"id", one.id}, {"taken", format_time(one.taken)}, {"head", one.is_sound ? json(one.head.value) : json(nullptr)}, {"bytes", one.bytes}});
  }
  context.answer_json(status, json{{"running", state.running},
                                   {"last_ended", state.last_ended ? json(format_time(*state.last_ended)) : json(nullptr)},
                                   {"last_error", state.last_error.empty() ? json(nullptr) : json(state.last_error)},
                                   {"backups", std::move(all)}}
                                  .dump());
}

void take(RequestContext& context, Api& api) {
  if (!api.service.backups().has_place()) {
    return context.answer(Problem::bad_request("There is no place for backups: the service needs the setting backup.directory"));
  }
  api.service.backups().start();
  answer_backups(context, api, 202);
}

}  // namespace

void add_backup_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/backups", [&api](RequestContext& c) { answer_backups(c, api, 200); });
  admin.add("POST", "/backups", [&api](RequestContext& c) { take(c, api); });
}

}  // namespace ota::http
