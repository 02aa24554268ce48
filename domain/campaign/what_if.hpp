// What would have become of a campaign under another policy: its recorded outcomes, replayed through the very functions that
// decided the first time (grant, next, decide, evolve).
//
// Under its own policy nothing is to be guessed: what was decided then is folded once more (recount), and the answer is exact.
// So it is under one that decides the same whenever it is asked, since its decisions then come when those came
// (campaign/follow.hpp). Under any other one three things are not known, and the replay is played at both ends of each:
//
// - How an attempt would have ended that was stopped, or never made: all of those succeed, or all of them fail. That is no bound
//   by itself: where all fail the campaign may stop early, where some do it may go on, and more may fail in all. So the bounds are
//   wider than those two: they start from where the first of them was open, and hold however each of them ends (WhatIfBounds).
// - When devices would have come. As recorded: a device comes when it was granted then, or would have to wait from then on, and
//   who never was granted never comes. At once: every target comes as soon as it may, those never granted last. Where the
//   other policy admits nobody earlier, "at once" moves only those that were never granted, to when the record granted nobody
//   any more. Only these two: what becomes of it if some come early and others late is not bounded.
//
// - When the campaign would have decided. It decides once for all that is delivered to it together, and what it decides is real only
//   when it is written: what was granted and ended up to then is, and a rate that only just crossed the threshold may be back
//   under it. As soon as it is due; or when it has been due without a break for as long as the slowest decision of this record
//   took, at least a second. What lies between is counted either way, and where only moments are uncertain and nothing can come of
//   that, nothing is (campaign/replay_late.cpp).
//
// What stays as it was: how long an attempt takes and how it ends, a device's way from one attempt to the next, what operators
// did and when (as far as it is possible here), recalls, deletions, windows, time-outs. What happened behind the record's last
// event is not looked at. A rollback is begun, and what runs then comes to its end; the ways back themselves are not played:
// they change no count, and a campaign that is rolled back ends failed, or cancelled if an operator wanted it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/campaign/record.hpp"

namespace ota::domain {

struct WhatIfOutcome {
  CampaignStatus status = CampaignStatus::kCreated;  // at the end; of one that never ends: in_progress, paused, ...
  std::string reason;                         // why it stopped, in a sentence; empty: nothing stopped it
  std::optional<Time> stopped_at;             // rolled back, or paused by a verdict, for the first time
  Counts when_stopped;                        // granted = in progress then
  std::uint32_t granted_when_stopped = 0;     // devices that had been granted at all
  Counts at_end;
  std::uint32_t granted = 0;                  // devices
  std::optional<Time> ended_at;               // absent: it would still stand, or its rollback's end is not known
  std::uint32_t unknown = 0;                  // attempts whose outcome nobody knows
  std::uint32_t steps_left_out = 0;           // of operators, impossible here
  bool cut_short = false;                     // too many steps: what is told is how far it came
};
// In all but what was unknown or left out on the way.
bool agree(const WhatIfOutcome& a, const WhatIfOutcome& b);

enum class UnknownOutcomes : std::uint8_t { kSucceed = 1, kFail = 2 };
enum class DevicesCome : std::uint8_t { kAsRecorded = 1, kAtOnce = 2 };
struct WhatIfScenario {
  UnknownOutcomes unknown_outcomes = UnknownOutcomes::kSucceed;
  DevicesCome devices_come = DevicesCome::kAsRecorded;
  WhatIfOutcome outcome;
};
template <class Value>
struct Between {
  Value min{};
  Value max{};
};
struct StoppedBetween {
  Time min{};
  std::optional<Time> max;                    // absent: not bounded, it may also never have been stopped
};
enum class Stopped : std::uint8_t { kNever = 1, kPerhaps = 2, kAlways = 3 };
// At the two ways in which devices come, whatever mixture of unknown attempts succeeds, fails or has not started when it stops, and
// however late within the record's lag it decides. What was settled when the first of those was open is counted as it was; of every
// other device what may become of it at all. So a count is never outside, but may not be reached either. Of the stops: if it stops.
struct WhatIfBounds {
  Between<std::uint32_t> granted;
  Between<std::uint32_t> completed;
  Between<std::uint32_t> failed;
  Between<std::uint32_t> cancelled;
  Stopped stopped = Stopped::kNever;
  std::optional<StoppedBetween> stopped_at;
  std::optional<Between<std::uint32_t>> granted_when_stopped;
};
struct WhatIf {
  std::vector<WhatIfScenario> scenarios;      // at least one
  std::vector<WhatIfBounds> open{};           // of each way to come in which ends of attempts or moments of decisions are unknown
  // Nothing is unknown, all agree, each came to its end, and none decided anything whose moment is not the record's.
  bool is_exact() const;
  WhatIfBounds bounds() const;
};

// The policy may grant a device earlier than the campaign did: then "at once" moves also those that were granted. So it is with
// more places, fewer retries, batches that settle sooner, another strategy, percentage or batch size, a canary that judges by
// another threshold or other rates; and whenever a verdict had paused the campaign.
bool admits_earlier(const CampaignRecord& record, const CampaignPolicy& policy);

// A field of the policy that is another one, and whose change cannot be answered from a record, and why.
struct NoWhatIf {
  std::string field;
  std::string why;
};
// Of several, the first that is in the way. Empty: it can be answered. The policy that the campaign had always can.
std::optional<NoWhatIf> why_no_what_if(const CampaignRecord& record, const CampaignPolicy& policy);
// `policy` in the place of the campaign's, one that can be answered.
WhatIf what_if(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings);

}  // namespace ota::domain
