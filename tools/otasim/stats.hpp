// What the fleet counts while it runs. Plain data, one thread; the summary reads it at the end.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/otasim/fate.hpp"
#include "tools/otasim/latency.hpp"

namespace ota::sim {

// How one device's work on one action ended.
enum class RunEnd {
  kSucceeded,
  kFailed,
  kDownloaded,
  kCancelled,
  kGone,
  kRejected,
  kSkipped,  // reported as a success, and nothing was done
  kSilent    // failed, and will never say so
};
inline constexpr std::size_t kRunEnds = 8;
std::string_view to_text(RunEnd end);

struct Stats {
  std::uint64_t polls = 0;
  std::uint64_t polls_failed = 0;
  std::uint64_t config_pushes = 0;
  std::uint64_t offers = 0;

  std::uint64_t downloads = 0;
  std::uint64_t downloads_resumed = 0;  // with a Range
  std::uint64_t downloads_broken = 0;
  std::int64_t bytes_downloaded = 0;
  std::uint64_t hash_mismatches = 0;
  std::uint64_t installs = 0;
  std::array<std::uint64_t, kRunEnds> ends{};

  std::uint64_t reports_sent = 0;  // with retries, duplicates and late ones
  std::uint64_t reports_acked = 0;
  std::uint64_t report_retries = 0;
  std::uint64_t duplicates_sent = 0;
  std::uint64_t duplicates_refused = 0;  // not answered 200
  std::uint64_t late_sent = 0;
  std::uint64_t late_refused = 0;

  std::uint64_t mqtt_connections = 0;
  std::uint64_t mqtt_lost = 0;  // of them, or not come about
  std::string mqtt_last_loss;   // why
  std::uint64_t mqtt_said = 0;  // with repetitions
  std::uint64_t mqtt_repeated = 0;
  std::uint64_t mqtt_replies_unasked = 0;  // to what was answered already, or given up
  std::uint64_t mqtt_commands = 0;
  std::uint64_t mqtt_no_go = 0;
  std::uint64_t mqtt_refused = 0;  // hellos

  std::uint64_t cancels_agreed = 0;
  std::uint64_t cancels_refused = 0;
  std::array<std::uint64_t, 4> power_cuts{};  // by CutPlace

  std::uint64_t violations = 0;
  std::vector<std::string> violation_texts;  // the first few

  LatencyHistogram poll_latency;
  LatencyHistogram report_latency;
  LatencyHistogram update_duration;  // from the offer read to the success acknowledged

  std::chrono::steady_clock::time_point last_offer{};

  std::uint64_t ended(RunEnd end) const { return ends[static_cast<std::size_t>(end)]; }
  void count(RunEnd end) { ++ends[static_cast<std::size_t>(end)]; }
};

inline constexpr std::size_t kViolationTextsMax = 20;

inline std::string_view to_text(RunEnd end) {
  switch (end) {
    case RunEnd::kSucceeded:
      return "succeeded";
    case RunEnd::kFailed:
      return "failed";
    case RunEnd::kDownloaded:
      return "downloaded";
    case RunEnd::kCancelled:
      return "cancelled";
    case RunEnd::kGone:
      return "gone";
    case RunEnd::kRejected:
      return "rejected";
    case RunEnd::kSkipped:
      return "skipped";
    case RunEnd::kSilent:
      return "silent";
  }
  return "";
}

}  // namespace ota::sim
