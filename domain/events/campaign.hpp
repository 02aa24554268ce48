// What can have happened to a campaign.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/events/firmware.hpp"
#include "domain/events/policy.hpp"

namespace ota::domain {

// What a canary is judged by: fixed at the campaign's creation, so that replay is exact everywhere (evidence.hpp).
struct EvidenceTable {
  std::uint32_t p0_basis_points = 0;
  std::uint32_t p1_basis_points = 0;
  std::int64_t failure_weight = 0;            // ln L grows by this with a failure, in 1/2^32
  std::int64_t success_weight = 0;            // and shrinks by this with a success
  std::int64_t abort_at = 0;                  // this or more
  std::int64_t promote_at = 0;                // this (negative) or less
  std::uint32_t quota = 0;                    // canary devices at first: 3 failures of them still promote
  std::uint32_t slice = 0;                    // the fleet is too small: this many, and all must succeed; 0: it is not
  bool operator==(const EvidenceTable&) const = default;
};

struct CampaignCreated {
  std::string name;
  std::string description;
  FirmwareId firmware;
  std::string firmware_name;
  FirmwareFacts facts;
  CampaignPolicy policy;
  std::vector<std::string> target_groups;     // as asked
  std::string target_filters_json;            // as asked; empty: none
  std::uint32_t target_device_count = 0;      // the resolved set
  std::map<std::string, std::uint32_t> excluded;  // reason -> devices left out of it
  std::string targets;                        // the rest as a Roaring bitmap (portable format); empty if in parts
  std::uint32_t parts = 0;                    // CampaignTargetPart events that came before
  std::array<std::uint8_t, 32> parts_hash{};  // SHA-256 over their bitmaps, in order
  Position resolved_at;                       // the views' position that the targets were resolved at
  std::string withdrawn;                      // of them, deleted between that and this event (Roaring); empty: none
  std::uint32_t picked = 0;                   // how many of them the rollout percentage picks
  std::uint64_t pick_cutoff = 0;              // the highest pick rank that is in (rollout.hpp)
  bool content_pending = false;               // the firmware's bytes are not here yet: grants wait (decision 29)
  std::optional<EvidenceTable> canary = {};   // strategy canary
  std::uint64_t canary_cutoff = 0;            // the highest pick rank of a device that may be a canary
  bool operator==(const CampaignCreated&) const = default;
};
struct CampaignTargetPart {
  std::uint32_t index = 0;
  std::string targets;
  bool operator==(const CampaignTargetPart&) const = default;
};
struct CampaignApproved {
  bool approved = false;
  std::string comment;
  std::string conditions;
  bool operator==(const CampaignApproved&) const = default;
};
// An operator has started it; it begins by itself at its scheduled_start.
struct CampaignScheduled {
  Time start_at;
  bool operator==(const CampaignScheduled&) const = default;
};
struct CampaignStarted {
  bool operator==(const CampaignStarted&) const = default;
};
struct CampaignResumed {
  bool operator==(const CampaignResumed&) const = default;
};
struct CampaignCancelled {
  std::string reason;
  bool operator==(const CampaignCancelled&) const = default;
};
// What is not granted is cancelled; the rest runs to its end, and the campaign closes.
struct CampaignFinished {
  std::string reason;
  bool by_schedule = false;                   // scheduled_end has come
  bool operator==(const CampaignFinished&) const = default;
};

enum class VerdictRule : std::uint8_t { kThreshold = 1, kEvidence = 2, kSlice = 3 };
enum class VerdictDecision : std::uint8_t { kAbort = 1, kPromote = 2, kUndecided = 3, kPass = 4 };

// Why a campaign was stopped, promoted or closed as it was: the numbers at the causation position.
struct Verdict {
  VerdictRule rule = VerdictRule::kThreshold;
  VerdictDecision decision = VerdictDecision::kPass;
  std::uint32_t failed = 0;
  std::uint32_t counted = 0;                  // threshold: completed + failed + in progress; or total, see of_total
  std::uint32_t threshold_percent = 0;
  bool of_total = false;                      // the rate was taken over all devices: it can no longer come back
  std::uint32_t p0_basis_points = 0;          // evidence: the rates that were told apart
  std::uint32_t p1_basis_points = 0;
  std::uint32_t more = 0;                     // undecided: so many more devices would promote, if none of them failed
  std::int64_t log_likelihood = 0;            // evidence: ln L of what was counted, and its bounds, in 1/2^32
  std::int64_t abort_at = 0;
  std::int64_t promote_at = 0;
  bool operator==(const Verdict&) const = default;
};
enum class PauseCause : std::uint8_t { kOperator = 1, kRecalled = 2, kCanary = 3, kOwnFaults = 4 };
struct CampaignPaused {
  std::string reason;
  PauseCause cause = PauseCause::kOperator;
  std::optional<Verdict> verdict = {};        // of the last two
  bool operator==(const CampaignPaused&) const = default;
};
// The canary is over: what follows is staged.
struct CanaryPromoted {
  Verdict verdict;
  bool by_operator = false;
  std::string reason;
  bool operator==(const CanaryPromoted&) const = default;
};
// An operator has resumed an undecided canary.
struct CanaryToppedUp {
  std::uint32_t devices = 0;
  std::uint64_t cutoff = 0;                   // in the place of the last one
  bool operator==(const CanaryToppedUp&) const = default;
};
// Stopped for its failures by a version that could not roll back; nothing writes it any more.
struct CampaignAborted {
  RollbackTrigger trigger = RollbackTrigger::kFailureRate;
  Verdict verdict;
  bool operator==(const CampaignAborted&) const = default;
};
// Nobody is granted any more, and whoever completed goes back to the version before (decision 10).
struct CampaignRollbackBegun {
  std::uint32_t number = 1;                   // 1..15: the kind of its updates' ids
  RollbackTrigger trigger = RollbackTrigger::kManual;
  std::string reason;
  Time give_up_at;                            // devices not seen by then have failed
  std::optional<Verdict> verdict = {};        // failure_rate
  std::string error_code;                     // error_threshold: the code, and on how many devices
  std::uint32_t error_devices = 0;
  bool operator==(const CampaignRollbackBegun&) const = default;
};
// blue_green: whoever holds may install, whoever cannot hold may be granted.
struct CampaignSwitched {
  bool by_schedule = false;                   // switch_at has come
  std::string reason;
  bool operator==(const CampaignSwitched&) const = default;
};
struct CampaignClosed {
  CampaignStatus outcome = CampaignStatus::kCompleted;  // completed, failed or cancelled
  Verdict verdict;
  bool operator==(const CampaignClosed&) const = default;
};
struct BatchOpened {
  std::uint32_t batch = 0;                    // the first batch is 1 and open from the start
  bool operator==(const BatchOpened&) const = default;
};

}  // namespace ota::domain
