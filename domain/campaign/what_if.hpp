// What would have become of a campaign under another policy: its recorded outcomes, replayed through the very functions that
// decided the first time (grant, next, decide, evolve).
//
// A device asks when it was granted then, and again when something changes; what it reported then it reports now, after as
// much time. Where the record ends - a device that was never granted, an attempt that was stopped, one more than were made -
// nobody knows the outcome: the replay is done twice, once with all of those as successes and once as failures, which bounds
// the truth wherever more failures never make a campaign go on for longer. Operators do what they did, when it is possible.
// It follows the campaign to the end of what was granted; devices that a rollback would take back are not played. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/campaign/campaign.hpp"

namespace ota::domain {

// How one attempt of a device went.
struct RecordedAttempt {
  Time granted{};
  std::uint64_t order = 0;                    // of the grant in the log: tells what happened first at one moment
  std::optional<Duration> took;               // to its end; absent: it was stopped, or had not ended
  std::uint64_t end_order = 0;
  // AttemptEnded, GrantLapsed, or UpdateCancelled by the device's own doing.
  std::optional<Event> end;
  std::string from_version;                   // that the device ran; empty: not known
};
struct RecordedDevice {
  std::vector<RecordedAttempt> attempts;
  std::optional<Duration> refuted_after;      // its success: it has failed after all
  std::optional<UpdateRefuted> refuted;
};
// What came from outside: an operator's word, a recall, a device that was deleted.
struct RecordedStep {
  Time at{};
  std::uint64_t order = 0;
  Stream stream;
  Event event;
  Caller caller;
};
struct CampaignRecord {
  CampaignId id;
  Recorded created;
  std::vector<Recorded> parts;                // of its targets, before that
  std::map<std::uint32_t, RecordedDevice> devices;
  std::vector<RecordedStep> steps;
};

// Gathers a record from the events that a campaign folds, in log order.
class CampaignRecorder {
 public:
  explicit CampaignRecorder(CampaignId id);
  void add(const Recorded& event);
  CampaignRecord take() { return std::move(record_); }

 private:
  void add_own(const Recorded& event);
  void add_update(const UpdateId& id, const Recorded& event);

  CampaignRecord record_;
};

struct WhatIfOutcome {
  CampaignStatus status = CampaignStatus::kCreated;  // at the end; rollback: it was stopped for its failures
  std::string reason;                         // in a sentence; empty: nothing stopped it
  std::optional<Time> stopped_at;             // rolled back, or paused by a verdict, for the first time
  Counts when_stopped;                        // granted = in progress then
  std::uint32_t granted_when_stopped = 0;     // devices that had been granted at all
  Counts at_end;
  std::uint32_t granted = 0;                  // devices
  std::uint32_t unknown = 0;                  // attempts whose outcome nobody knows
  std::uint32_t steps_left_out = 0;           // of operators, impossible here
  Time ended_at{};                            // of the last thing that happened
};
struct WhatIf {
  WhatIfOutcome if_unknown_succeed;
  WhatIfOutcome if_unknown_fail;
  bool is_exact() const { return if_unknown_succeed.unknown == 0 && if_unknown_fail.unknown == 0; }
};

// `policy` in the place of the campaign's; timeout, window, schedule and confirmation must be those of the record, since
// devices' times are, and so must a strategy of two phases (blue_green): what cannot be answered is the reason.
std::optional<std::string> why_no_what_if(const CampaignRecord& record, const CampaignPolicy& policy);
WhatIf what_if(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings);

}  // namespace ota::domain
