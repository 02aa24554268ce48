#include "domain/gate.hpp"

namespace ota::domain {

std::string_view to_text(Gate gate) {
  switch (gate) {
    case Gate::kKnown: return "known";
    case Gate::kTargeted: return "targeted";
    case Gate::kPicked: return "in_percentage";
    case Gate::kBusy: return "not_busy";
    case Gate::kApproved: return "approved";
    case Gate::kRunning: return "campaign_running";
    case Gate::kContent: return "content";
    case Gate::kCompatible: return "compatible";
    case Gate::kBeta: return "beta";
    case Gate::kNotThere: return "not_there_yet";
    case Gate::kOwner: return "owner";
    case Gate::kWindow: return "window";
    case Gate::kConsent: return "consent";
    case Gate::kRetryTime: return "retry_time";
    case Gate::kBatch: return "batch";
    case Gate::kConcurrency: return "concurrency";
  }
  return "unknown";
}

}  // namespace ota::domain
