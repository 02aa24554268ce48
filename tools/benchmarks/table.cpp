#include "tools/benchmarks/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace ota::bench {
namespace {

constexpr std::size_t kColumns = 9;
constexpr std::size_t kGap = 2;
using Cells = std::array<std::string, kColumns>;

// Three digits at least, thousands apart: 118,204 and 23.4 and 0.93.
std::string number(double value) {
  if (std::abs(value) < 10) return fmt::format("{:.2f}", value);
  if (std::abs(value) < 100) return fmt::format("{:.1f}", value);
  const std::string digits = fmt::format("{:.0f}", value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool thousand = i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-';
    if (thousand) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string goal_text(const Goal& goal) {
  const std::string text =
      goal.kind == Goal::Kind::kRatioAtLeast
          ? fmt::format(">= {:.2f} x", goal.bound)
          : fmt::format("{} {}",
                        goal.kind == Goal::Kind::kValueAtLeast ? ">=" : "<=", number(goal.bound));
  if (!goal.binding) return "(" + text + ")";
  return goal.wished > 0 ? fmt::format("{} ({})", text, number(goal.wished)) : text;
}

std::string result_text(const Row& row) {
  const auto reached = row.reached();
  if (!reached) return "-";
  if (*reached) return "ok";
  return row.goal->binding ? "MISS" : "below";
}

Cells cells_of(const Row& row) {
  const auto ratio = row.ratio();
  return {row.work,
          number(row.value),
          row.unit,
          row.peer ? number(row.peer->value) : "-",
          ratio ? fmt::format("{:.2f}", *ratio) : "-",
          row.goal ? goal_text(*row.goal) : "-",
          result_text(row),
          row.peer ? row.peer->name : "-",
          row.note};
}

bool is_numeric(std::size_t column) { return column == 1 || column == 3 || column == 4; }

}  // namespace

std::optional<double> Row::ratio() const {
  if (!peer || peer->value <= 0) return std::nullopt;
  return value / peer->value;
}

std::optional<bool> Row::reached() const {
  if (!goal) return std::nullopt;
  switch (goal->kind) {
    case Goal::Kind::kRatioAtLeast:
      return ratio().value_or(0) >= goal->bound;
    case Goal::Kind::kValueAtLeast:
      return value >= goal->bound;
    case Goal::Kind::kValueAtMost:
      return value <= goal->bound;
  }
  return std::nullopt;
}

std::string as_table(const Machine& machine, const std::vector<Row>& rows) {
  std::vector<Cells> lines{
      {"work", "value", "unit", "peer", "ratio", "goal", "result", "the peer is", "note"}};
  for (const Row& row : rows) lines.push_back(cells_of(row));
  std::array<std::size_t, kColumns> widths{};
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text = machine.describe() + "\n\n";
  for (const Cells& line : lines) {
    std::string shown;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const bool right = is_numeric(i);
      shown += right ? fmt::format("{:>{}}", line[i], widths[i])
                     : fmt::format("{:<{}}", line[i], widths[i]);
      shown += std::string(kGap, ' ');
    }
    shown.erase(shown.find_last_not_of(' ') + 1);
    text += shown + "\n";
  }
  return text +
         "\nGoals in (brackets) are where the design wants to be; --check is about the "
         "others.\n";
}

std::string as_json(const Machine& machine, const std::vector<Row>& rows) {
  nlohmann::ordered_json shown = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json item{{"work", row.work}, {"value", row.value}, {"unit", row.unit}};
    if (row.peer) {
      item["peer"] = row.peer->name;
      item["peer_value"] = row.peer->value;
    }
    if (const auto ratio = row.ratio()) item["ratio"] = *ratio;
    if (row.goal) {
      item["goal"] = goal_text({row.goal->kind, row.goal->bound, /*binding=*/true, /*wished=*/0});
      item["binding"] = row.goal->binding;
      if (row.goal->wished > 0) item["wished"] = row.goal->wished;
    }
    item["result"] = result_text(row);
    item["note"] = row.note;
    shown.push_back(std::move(item));
  }
  return nlohmann::ordered_json{{"machine",
                                 {{"processor", machine.processor},
                                  {"cores", machine.cores},
                                  {"kernel", machine.kernel},
                                  {"memory_mb", machine.memory_mb},
                                  {"load_average", machine.load_average},
                                  {"rocksdb", machine.rocksdb},
                                  {"directory", machine.directory},
                                  {"file_system", machine.file_system}}},
                                {"rows", std::move(shown)}}
             .dump(2) +
         "\n";
}

}  // namespace ota::bench
