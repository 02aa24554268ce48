// Is an update good enough for everybody? A sequential probability ratio test over the canary
// (design 4, Evidence).
//
// L(k, n) says how much better a refused failure rate p1 explains k failures of n than an accepted
// rate p0. High: abort; low: promote. Either error stays below 5 % however often one looks. Two
// things keep it so when failures come late (a timeout takes an hour, a success minutes): promoting
// reads only the devices from the first granted to the last before any unknown one; aborting counts
// unknown ones as not failed. A device past its deadline ends as failed by its own event, so no
// clock is needed here. Fleets too small for the numbers try a slice, of which every device must
// succeed.
//
// Integers only: logarithms are taken once, when the campaign is created, and stored in its event,
// so that replay is exact everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/bitmap.hpp"
#include "domain/events.hpp"
#include "domain/ids.hpp"

namespace ota::domain {

// Failure rates in 1/100 %: up to p0 is accepted, from p1 on refused.
struct FailureRates {
  std::uint32_t p0_basis_points = 0;
  std::uint32_t p1_basis_points = 0;
  bool operator==(const FailureRates&) const = default;
};

// What an operator set; where that is 0, p1 = min(threshold, 50 %) and p0 = p1 / 5.
FailureRates failure_rates(std::uint32_t threshold_percent, std::uint32_t p0_basis_points,
                           std::uint32_t p1_basis_points);
// Whether a test can tell the two apart: 0 < p0 < p1 < 100 %.
bool can_judge(std::uint32_t p0_basis_points, std::uint32_t p1_basis_points);

// The rates must be judgeable; the fleet is what the campaign's rollout percentage picks.
EvidenceTable evidence_table(std::uint32_t threshold_percent, std::uint32_t p0_basis_points,
                             std::uint32_t p1_basis_points, std::uint32_t fleet_size);

enum class Outcome : std::uint8_t { kUnknown = 1, kFailed = 2, kSucceeded = 3 };

// The canary devices in the order in which they were first granted, and how they fared. Folded from
// the campaign's events, each in O(canary): about a thousand devices at a threshold of 1 %, 46 at
// 20 %; 51,000 for the closest rates.
class Evidence {
 public:
  struct Entry {
    Ordinal ordinal;
    Outcome outcome = Outcome::kUnknown;
    bool operator==(const Entry&) const = default;
  };

  Evidence() = default;
  Evidence(std::vector<Entry> sequence, std::uint32_t topped_up);  // as read back from a snapshot

  // A device joins; nothing, if it is in (a retry).
  void granted(Ordinal ordinal);
  // A device's first attempt ended; nothing, if it is not in or its outcome is known.
  void ended(Ordinal ordinal, bool failed);
  // A success turned out to be a failure; nothing, if it was none.
  void refuted(Ordinal ordinal);
  // It lapsed, was cancelled, or failed by no fault of the update: it leaves; nothing, if its
  // outcome is known. It may join again, as the last.
  void left(Ordinal ordinal);
  // An operator resumed an undecided canary with so many devices more.
  void top_up(std::uint32_t devices);

  const std::vector<Entry>& sequence() const { return sequence_; }
  std::uint32_t topped_up() const { return topped_up_; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(sequence_.size()); }
  std::uint32_t failed() const { return failed_; }
  std::uint32_t known() const { return known_; }
  // The longest run of known outcomes from the first device on, and the failures in it.
  std::uint32_t prefix() const { return prefix_; }
  std::uint32_t prefix_failed() const { return prefix_failed_; }

  bool operator==(const Evidence&) const = default;

 private:
  void extend_prefix();

  std::vector<Entry> sequence_;
  std::uint32_t topped_up_ = 0;
  // These follow from the sequence.
  std::uint32_t known_ = 0;
  std::uint32_t failed_ = 0;
  std::uint32_t prefix_ = 0;
  std::uint32_t prefix_failed_ = 0;
};

// ln L of so many failures of so many devices, in 1/2^32.
std::int64_t log_likelihood(const EvidenceTable& table, std::uint32_t failed, std::uint32_t count);

// How many devices the canary is to have: the slice, or the quota and what was topped up. With
// fewer in the sequence, another may join.
std::uint32_t canary_size(const EvidenceTable& table, std::uint32_t topped_up);
// The highest pick rank of a device that may be a canary: of the lowest max(5 %, 4 quotas, or
// slices) of the targets that the rollout percentage picked (rollout.hpp, as Pick::cutoff). Topping
// up only adds devices, four for each.
std::uint64_t canary_cutoff(const CampaignId& campaign, const Bitmap& picked_targets,
                            const EvidenceTable& table, std::uint32_t topped_up = 0);

struct EvidenceVerdict {
  VerdictRule rule = VerdictRule::kEvidence;  // or kSlice
  std::optional<VerdictDecision> decision;    // abort, promote, undecided; empty: not yet
  std::uint32_t failed = 0;
  std::uint32_t counted = 0;  // the devices among which these failed
  std::uint32_t more = 0;     // undecided: so many more would promote, if none of them failed
  bool operator==(const EvidenceVerdict&) const = default;
};

// Undecided: as many as there are to be, or can be (`exhausted`: no other device can join), and all
// of them known. O(1): call it after every event. An abort goes before a promotion.
EvidenceVerdict judge(const EvidenceTable& table, const Evidence& evidence, bool exhausted = false);

// The verdict in a sentence for people.
std::string explain(const EvidenceTable& table, const EvidenceVerdict& verdict);

}  // namespace ota::domain
