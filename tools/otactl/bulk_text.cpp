#include "tools/otactl/bulk_text.hpp"

#include <fmt/format.h>

#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/table.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* member) { return cell(object, {"", {member}}); }

std::string plural(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "line 17, groups: must have ..."
std::string import_error_line(const json& error) {
  const std::string field = text_of(error, "field");
  return fmt::format("  line {}{}: {}\n", text_of(error, "line"), field == "-" ? "" : ", " + field,
                     text_of(error, "message"));
}

}  // namespace

std::string bulk_lines(const json& answer, BulkCounts& counts) {
  const auto results = answer.is_object() ? answer.find("results") : answer.end();
  if (results == answer.end() || !results->is_array()) return "no results in the answer\n";
  Table table({{"DEVICE"}, {"UPDATE"}, {"PROBLEM"}});
  for (const json& result : *results) {
    const bool success = result.is_object() && result.value("success", false);
    ++(success ? counts.requested : counts.failed);
    table.add({text_of(result, "device_id"), text_of(result, "update_id"),
               success ? "" : text_of(result, "kind") + ": " + text_of(result, "error")});
  }
  return table.text();
}

std::string bulk_summary(const BulkCounts& counts) {
  const std::string requested = plural(counts.requested, "update") + " requested";
  if (counts.failed == 0) return requested + "\n";
  return fmt::format("{}, {} of {} failed\n", requested, counts.failed,
                     plural(counts.requested + counts.failed, "device"));
}

std::string import_text(const json& report) {
  if (!report.is_object() || !report.contains("total")) return "no report in the answer\n";
  const auto count = [&](const char* member) { return text_of(report, member); };
  std::string text =
      fmt::format("{} lines: {} registered, {} changed, {} unchanged, {} returned, {} failed\n",
                  count("total"), count("registered"), count("changed"), count("unchanged"),
                  count("returned"), count("failed"));
  const json errors = report.value("errors", json::array());
  for (const json& error : errors) text += import_error_line(error);
  if (report.value("errors_truncated", false)) text += "  and more, which are not listed\n";
  return text;
}

std::string import_type(std::string_view file, std::string_view format) {
  constexpr const char* kCsv = "text/csv";
  constexpr const char* kLines = "application/x-ndjson";
  if (format == "csv") return kCsv;
  if (!format.empty()) return kLines;
  if (file.ends_with(".csv")) return kCsv;
  for (const auto* ending : {".jsonl", ".ndjson"}) {
    if (file.ends_with(ending)) return kLines;
  }
  return {};
}

}  // namespace ota::ctl
