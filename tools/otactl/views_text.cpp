#include "tools/otactl/views_text.hpp"

#include <fmt/format.h>

#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::uint64_t count_in(const json& object, const char* name) { return object.value(name, std::uint64_t{0}); }
std::string printable_in(const json& object, const char* name) { return text::printable(object.value(name, std::string())); }

std::string_view said_of(const std::string& what) {
  if (what == "missing") return "is missing";
  if (what == "surplus") return "is in no log";
  return "is another";
}

std::string_view word_for(projections::RowDifference::Kind kind) {
  using Kind = projections::RowDifference::Kind;
  return kind == Kind::kMissing ? "missing" : kind == Kind::kSurplus ? "surplus" : "other";
}

}  // namespace

std::string views_text(const json& state) {
  std::string text = object_lines(state, {{"position", {"position"}, As::kNumber},
                                          {"behind", {"behind"}, As::kNumber},
                                          {"schema", {"schema"}, As::kNumber},
                                          {"on disk", {"disk_bytes"}, As::kSize},
                                          {"broken", {"broken"}},
                                          {"work", {"running.work"}},
                                          {"  since", {"running.started_at"}, As::kTime},
                                          {"  events", {"running.done"}, As::kNumber},
                                          {"  of", {"running.of"}, As::kNumber},
                                          {"  a second", {"running.events_per_second"}, As::kNumber}});
  if (state.contains("last_rebuild") && state["last_rebuild"].is_object()) text += rebuild_text(state["last_rebuild"]);
  if (state.contains("last_verification") && state["last_verification"].is_object()) text += comparison_text(state["last_verification"]);
  return text;
}

std::string rebuild_text(const json& outcome) {
  if (outcome.contains("error") && outcome["error"].is_string()) {
    return fmt::format("THE VIEWS WERE NOT REBUILT: {}\n", printable_in(outcome, "error"));
  }
  return fmt::format("The views were rebuilt up to event {}.\n", count_in(outcome, "position"));
}

std::string comparison_text(const json& outcome) {
  if (outcome.contains("error") && outcome["error"].is_string()) {
    return fmt::format("THE VIEWS WERE NOT COMPARED: {}\n", printable_in(outcome, "error"));
  }
  auto text = fmt::format("{} rows at event {}, digest {}\n", count_in(outcome, "rows"), count_in(outcome, "position"),
                          printable_in(outcome, "digest"));
  if (outcome.value("equal", false)) return text + "The views are as the log says.\n";
  for (const auto& table : outcome["differing"]) {
    text += fmt::format("{}: {} of {} rows differ\n", printable_in(table, "table"), count_in(table, "differences"),
                        std::max(count_in(table, "rows"), count_in(table, "rows_expected")));
    for (const auto& row : table["first"]) {
      text += fmt::format("  {} {}\n", printable_in(row, "key"), said_of(row.value("what", std::string())));
    }
  }
  return text + "THE VIEWS ARE NOT AS THE LOG SAYS.\n";
}

json comparison_json(const projections::Comparison& found) {
  json tables = json::array();
  for (const auto& table : found.differing) {
    json rows = json::array();
    for (const auto& row : table.first) rows.push_back({{"key", row.key}, {"what", word_for(row.kind)}});
    tables.push_back({{"table", table.name},
                      {"rows", table.rows},
                      {"rows_expected", table.rows_expected},
                      {"differences", table.differences},
                      {"first", std::move(rows)}});
  }
  return {{"equal", found.equal()},   {"position", found.position.value},         {"rows", found.rows},
          {"digest", found.digest},   {"digest_expected", found.digest_expected}, {"differing", std::move(tables)}};
}

}  // namespace ota::ctl
