// What a campaign's events say of the world outside: when each device was granted and how that went, what operators did, what
// was recalled or deleted meanwhile. It is what a replay under another policy starts from (what_if). Pure.
//
// Of a device only what a replay reads is kept, some 50 bytes an event: a campaign of a million devices has several millions.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "domain/campaign/campaign.hpp"

namespace ota::domain {

// Something that happened to one of its updates.
enum class MoveKind : std::uint8_t {
  kConsentAsked = 1, kGranted, kStarted, kHeld, kReleased, kEnded, kLapsed, kSkipped, kCancelled, kRefuted, kUndone, kRetryAsked
};
struct RecordedMove {
  Time at{};
  std::uint64_t order = 0;                    // its position in the log: tells what happened first at one moment
  Time again{};                               // kEnded: when the next attempt may begin; epoch: there is none
  std::uint32_t ordinal = 0;
  std::uint32_t attempt = 0;
  std::uint32_t batch = 0;
  std::uint32_t code = 0;                     // kEnded: index into CampaignRecord::codes
  MoveKind kind = MoveKind::kGranted;
  std::uint8_t of = UpdateId::kDeployment;    // or the number of a rollback
  std::uint8_t cause = 0;                     // FailureKind, CancelCause, SkipReason or RefutedBy, as the kind says
  bool retry = false;
  bool success = false;                       // kEnded
  bool takes_back = false;                    // kEnded
  bool was_to_stop = false;                   // kEnded: a retry was left, and not given, since it was asked to stop
  bool for_window = false;                    // kHeld: for its window, not for the switch

  bool may_retry() const { return again != Time{}; }
  CancelCause cancel_cause() const { return static_cast<CancelCause>(cause); }
};
// What came from outside or was decided by the campaign: an operator's word, a recall, a device that was deleted, a verdict.
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
  std::vector<RecordedMove> moves;            // by device; of each in log order
  std::vector<RecordedStep> steps;            // in log order
  std::vector<std::string> codes{""};         // of errors

  // Of one device; empty: nothing happened to it.
  std::span<const RecordedMove> moves_of(std::uint32_t ordinal) const;
  Position last;                              // of its own events and its updates'
};

// The event again, as far as a campaign folds it.
Event event_of(const CampaignRecord& record, const RecordedMove& move);

// Gathers a record from the events that a campaign folds: its own and its updates' in log order; those of its firmware and of
// the fleet in any order. Of the latter only what came behind its creation counts: what was before is in that.
class CampaignRecorder {
 public:
  explicit CampaignRecorder(CampaignId id);
  void add(const Recorded& event);
  // Of its creation; 0: it was not added yet.
  Position created_at() const { return record_.created.position; }
  Position last() const { return record_.last; }
  CampaignRecord take();

 private:
  void add_own(const Recorded& event);
  void add_update(const UpdateId& id, const Recorded& event);
  bool may_concern_it(const DeviceDeleted* deleted) const;
  void keep_what_concerns_it();
  void mark_those_asked_to_stop();
  std::uint32_t index_of(const std::string& code);

  CampaignRecord record_;
  Bitmap targets_;                            // as far as they were added
  std::map<std::string, std::uint32_t> codes_;
};

}  // namespace ota::domain
