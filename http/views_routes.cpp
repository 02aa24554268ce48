// The views as a whole: where they stand, building them once more beside, and comparing them with the log
// (projections/rebuild.hpp).
#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actors/views_keeper.hpp"
#include "http/api.hpp"
#include "http/render_parts.hpp"
#include "http/time_format.hpp"
#include "projections/schema.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using actors::ViewsKeeper;
using json_of::text_or_null;

constexpr std::uint32_t kFullRetry_s = 60;  // somebody has to make room

std::string_view word_of(ViewsKeeper::Work work) { return work == ViewsKeeper::Work::kRebuild ? "rebuild" : "verify"; }

std::string_view word_of(projections::RowDifference::Kind kind) {
  switch (kind) {
    case projections::RowDifference::Kind::kMissing: return "missing";
    case projections::RowDifference::Kind::kSurplus: return "surplus";
    case projections::RowDifference::Kind::kOther: return "other";
  }
  return "unknown";
}

json progress_json(const std::optional<ViewsKeeper::Progress>& running) {
  if (!running) return nullptr;
  return {{"work", word_of(running->work)},
          {"started_at", format_time(running->since)},
          {"done", running->done},
          {"of", running->of},
          {"events_per_second", running->events_per_second}};
}

json rebuild_json(const ViewsKeeper::Run& run) {
  return {{"started_at", format_time(run.started)},
          {"took_ms", run.took.count()},
          {"position", run.position.value},
          {"error", text_or_null(run.error)}};
}

json verification_json(const ViewsKeeper::Run& run) {
  auto shown = rebuild_json(run);
  json tables = json::array();
  for (const auto& table : run.found.differing) {
    json rows = json::array();
    for (const auto& row : table.first) rows.push_back({{"key", row.key}, {"what", word_of(row.kind)}});
    tables.push_back({{"table", table.name},
                      {"rows", table.rows},
                      {"rows_expected", table.rows_expected},
                      {"differences", table.differences},
                      {"first", std::move(rows)}});
  }
  if (run.error.empty()) shown["position"] = run.found.position.value;
  shown["equal"] = run.error.empty() && run.found.equal();
  shown["rows"] = run.found.rows;
  shown["digest"] = text_or_null(run.found.digest);
  shown["digest_expected"] = text_or_null(run.found.digest_expected);
  shown["differing"] = std::move(tables);
  return shown;
}

void answer_views(RequestContext& context, const Api& api, int status) {
  const auto& views = api.service.views();
  const auto position = views.position().value;
  const auto head = api.service.log().head().value;  // read behind the position: never less
  const auto state = api.service.views_keeper().state();
  context.answer_json(status, json{{"position", position},
                                   {"head", head},
                                   {"behind", head - std::min(head, position)},
                                   {"schema", projections::kSchemaNumber},
                                   {"disk_bytes", views.disk_bytes()},
                                   {"broken", text_or_null(views.broken())},
                                   {"running", progress_json(state.running)},
                                   {"last_rebuild", state.last_rebuild ? rebuild_json(*state.last_rebuild) : json(nullptr)},
                                   {"last_verification", state.last_verification ? verification_json(*state.last_verification) : json(nullptr)}}
                                  .dump());
}

void start_work(RequestContext& context, const Api& api, ViewsKeeper::Work work) {
  auto& keeper = api.service.views_keeper();
  if (const auto full = keeper.refusal()) return context.answer(Problem::unavailable(*full, kFullRetry_s));
  // Or the same is running: the answer is the same.
  if (keeper.start(work)) return answer_views(context, api, 202);
  const auto other = word_of(work == ViewsKeeper::Work::kRebuild ? ViewsKeeper::Work::kVerify : ViewsKeeper::Work::kRebuild);
  context.answer(Problem::state_transition(fmt::format("The views are at another work, '{}'; wait for its end", other), other,
                                           word_of(work), {}));
}

}  // namespace

void add_views_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/views", [&api](RequestContext& c) { answer_views(c, api, 200); });
  admin.add("POST", "/views/rebuild", [&api](RequestContext& c) { start_work(c, api, ViewsKeeper::Work::kRebuild); });
  admin.add("POST", "/views/verify", [&api](RequestContext& c) { start_work(c, api, ViewsKeeper::Work::kVerify); });
}

}  // namespace ota::http
