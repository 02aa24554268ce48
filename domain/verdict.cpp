#include "domain/verdict.hpp"

#include <algorithm>

namespace ota::domain {
namespace {

bool exceeds(std::uint64_t failed, std::uint64_t of, std::uint32_t threshold_percent) {
  return failed * 100 > of * threshold_percent;
}

}  // namespace

std::optional<Verdict> abort_by_threshold(const Counts& c, std::uint32_t threshold_percent,
                                          std::uint32_t min_finished) {
  const std::uint32_t finished = c.completed + c.failed;
  const std::uint32_t may_finish = c.total - std::min(c.cancelled, c.total);
  const bool enough = finished > 0 && finished >= std::min(min_finished, may_finish);
  const std::uint32_t counted = finished + c.in_progress;
  if (enough && exceeds(c.failed, counted, threshold_percent)) {
    return Verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, c.failed, counted, threshold_percent, false};
  }
  if (exceeds(c.failed, c.total, threshold_percent)) {
    return Verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, c.failed, c.total, threshold_percent, true};
  }
  return std::nullopt;
}

Verdict verdict_at_end(const Counts& c, std::uint32_t threshold_percent) {
  const std::uint32_t finished = c.completed + c.failed;
  const bool failed = finished > 0 && exceeds(c.failed, finished, threshold_percent);
  return {VerdictRule::kThreshold, failed ? VerdictDecision::kAbort : VerdictDecision::kPass, c.failed, finished,
          threshold_percent, false};
}

}  // namespace ota::domain
