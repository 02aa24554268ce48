#include "tools/otactl/watch_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

std::uint64_t number(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, found->get<std::int64_t>()));
}

std::string word(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? text::printable(found->get<std::string>())
                                                     : std::string{};
}

std::uint64_t percent(const CampaignCounts& counts) {
  return counts.total == 0 ? 100 : counts.finished() * 100 / counts.total;
}

std::string still_open(const CampaignCounts& counts) {
  return fmt::format("total {}  pending {}  in progress {}", counts.total, counts.pending,
                     counts.in_progress);
}

std::string ended(const CampaignCounts& counts) {
  return fmt::format("completed {}  failed {}  cancelled {}", counts.completed, counts.failed,
                     counts.cancelled);
}

std::string speed(const CampaignCounts& counts, const RateMeter& rate) {
  if (counts.is_over() || !rate.has_history()) return {};
  const auto per_second = rate.per_second();
  if (!per_second) return "no device finished lately";
  // Slow campaigns are counted by the minute or hour.
  std::string result = *per_second >= 1 ? fmt::format("{:.1f} devices/s", *per_second)
                       : *per_second >= 1 / 60.
                           ? fmt::format("{:.1f} devices/min", *per_second * 60)
                           : fmt::format("{:.1f} devices/h", *per_second * 3600);
  if (const auto left = rate.time_for(counts.total - std::min(counts.total, counts.finished())))
    result += fmt::format("  {} left", text::human_duration(*left));
  return result;
}

// Cut to the columns of the terminal, so that a line never wraps and redrawing in place stays
// right.
std::string cut(const std::string& line, std::size_t width) {
  std::string result;
  std::size_t columns = 0;
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U && ++columns > width) break;
    result += c;
  }
  return result;
}

}  // namespace

bool CampaignCounts::is_over() const {
  return status == "completed" || status == "failed" || status == "cancelled";
}

CampaignCounts read_counts(const nlohmann::json& campaign) {
  CampaignCounts counts;
  if (!campaign.is_object()) return counts;
  counts.name = word(campaign, "name");
  counts.status = word(campaign, "status");
  counts.reason = word(campaign, "status_reason");
  counts.total = number(campaign, "total_devices");
  counts.pending = number(campaign, "pending_devices");
  counts.in_progress = number(campaign, "in_progress_devices");
  counts.completed = number(campaign, "completed_devices");
  counts.failed = number(campaign, "failed_devices");
  counts.cancelled = number(campaign, "cancelled_devices");
  return counts;
}

std::vector<std::string> watch_lines(const CampaignCounts& counts, const RateMeter& rate,
                                     std::size_t width) {
  constexpr std::size_t kAroundBar = 10;
  constexpr std::size_t kBarMax = 100;
  const std::size_t columns =
      std::clamp<std::size_t>(width > kAroundBar ? width - kAroundBar : 0, 10, kBarMax);
  const std::string bar = stacked_bar({{'#', counts.completed},
                                       {'!', counts.failed},
                                       {'x', counts.cancelled},
                                       {'>', counts.in_progress},
                                       {'.', counts.pending}},
                                      columns);
  std::string head = fmt::format("{}  {}", counts.name, counts.status);
  if (!counts.reason.empty()) head += ": " + counts.reason;
  std::vector<std::string> lines{head, fmt::format("[{}] {:3} %", bar, percent(counts)),
                                 still_open(counts), ended(counts), speed(counts, rate)};
  for (std::string& line : lines) line = cut(line, width);
  return lines;
}

std::string watch_line(const CampaignCounts& counts, const RateMeter& rate) {
  std::string line = fmt::format("{}  {} %  {}  {}", counts.status, percent(counts),
                                 still_open(counts), ended(counts));
  if (const std::string pace = speed(counts, rate); !pace.empty()) line += "  " + pace;
  if (!counts.reason.empty()) line += "  " + counts.reason;
  return line;
}

}  // namespace ota::ctl
