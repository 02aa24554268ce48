// What "campaign watch" shows for one state of a campaign. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/otactl/progress_bar.hpp"

namespace ota::ctl {

// The counters of a campaign; total = the sum of the others.
struct CampaignCounts {
  std::string name;
  std::string status;
  std::string reason;
  std::uint64_t total = 0;
  std::uint64_t pending = 0;
  std::uint64_t in_progress = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;

  std::uint64_t finished() const { return completed + failed + cancelled; }
  // completed, failed or cancelled: nothing more will happen.
  bool is_over() const;
  bool operator==(const CampaignCounts&) const = default;
};

CampaignCounts read_counts(const nlohmann::json& campaign);

// Lines for a terminal of this width: the bar, the counters, rate and time left.
std::vector<std::string> watch_lines(const CampaignCounts& counts, const RateMeter& rate,
                                     std::size_t width);

// One line for a log.
std::string watch_line(const CampaignCounts& counts, const RateMeter& rate);

}  // namespace ota::ctl
