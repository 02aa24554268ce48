// Has a campaign failed? Pure arithmetic over counts; integers only, so that replay is exact everywhere (design 4).
#pragma once

#include <cstdint>
#include <optional>

#include "domain/events.hpp"

namespace ota::domain {

struct Counts {
  std::uint32_t total = 0;
  std::uint32_t in_progress = 0;
  std::uint32_t completed = 0;
  std::uint32_t failed = 0;
  std::uint32_t cancelled = 0;            // skipped ones too: they will not finish
};

// The threshold rule while a campaign runs; empty: no reason to stop it.
// Once enough have finished (`min_finished`, or all that may finish if fewer): failed > threshold % of (completed + failed + in
// progress), since what runs counts as not failed until it ends. However few have finished: failed > threshold % of all
// devices, since the rate can then not come back.
std::optional<Verdict> abort_by_threshold(const Counts& counts, std::uint32_t threshold_percent,
                                          std::uint32_t min_finished);

// The same rule at the end, when nothing runs: failed / (completed + failed).
Verdict verdict_at_end(const Counts& counts, std::uint32_t threshold_percent);

}  // namespace ota::domain
