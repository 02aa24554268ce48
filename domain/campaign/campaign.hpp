// Campaign: one firmware for a set of devices, rolled out by grants under a policy.
//
// The state is the fold of the tags campaign:<id> and firmware:<id> and fleet, from one position. A million devices are
// five bitmaps over ordinals: targets, and granted / completed / failed / cancelled, which are disjoint subsets of it.
// What is in none of the four is pending: not granted yet, or waiting for a retry.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "domain/bitmap.hpp"

#include "domain/evidence.hpp"
#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"
#include "domain/update/update.hpp"
#include "domain/verdict.hpp"

namespace ota::domain {

// A campaign's rollback, the present one or the last (decision 10). Both sets are of devices that had completed and are
// not undone yet, and are disjoint.
struct CampaignRollback {
  std::uint32_t number = 0;               // 0: there was none
  RollbackTrigger trigger = RollbackTrigger::kManual;
  std::string reason;
  Time begun_at{};
  Time give_up_at{};
  Bitmap granted;                         // on their way back
  Bitmap ended;                           // there is nothing more to be done for them
  std::map<std::uint32_t, Time> retries;  // neither: when their next attempt may begin
};

struct Campaign {
  bool exists = false;
  CampaignId id;
  std::string name;
  std::string description;
  FirmwareId firmware;
  std::string firmware_name;
  FirmwareFacts facts;
  bool firmware_recalled = false;
  bool content_pending = false;           // the firmware's bytes are not here yet
  CampaignPolicy policy;
  CampaignStatus status = CampaignStatus::kCreated;
  std::string status_reason;
  PauseCause pause_cause = PauseCause::kOperator;   // of a paused one
  std::optional<Time> starts_at;          // scheduled
  bool approved = false;
  Caller approved_by;
  std::string approval_comment;
  std::string approval_conditions;
  bool ended_by_schedule = false;         // finished, since scheduled_end had come
  bool finished = false;                  // what was not granted is cancelled; the rest runs to its end
  bool closed = false;                    // ended, and nothing of it runs any more
  Bitmap targets;               // what exclusion and the rollout percentage leave
  Bitmap granted;               // in progress
  Bitmap completed;
  Bitmap failed;
  Bitmap cancelled;
  Bitmap undone;                // of the completed: taken back by a rollback
  Bitmap left_out;              // would be targets, but for the rollout percentage
  Bitmap gone;                  // targets whose device was deleted
  std::map<std::uint32_t, Time> retries;  // pending ones that had an attempt, and when the next may begin
  Bitmap lapsed;                          // pending ones whose own stream knows of them: a first grant that lapsed, a question for consent
  // Cancelled here by the campaign's end while their own stream says that they wait: it must still be told.
  Bitmap untold;
  std::uint32_t batch = 0;                // the open one; 0 before the start
  std::uint32_t batch_granted = 0;        // first attempts of it that were granted and did not lapse
  std::uint32_t batch_settled = 0;        // first attempts of it that have ended
  std::optional<EvidenceTable> canary;    // what the canary is judged by; none: there is no canary
  Evidence evidence;
  Bitmap cohort;                          // who may be a canary
  bool promoted = false;
  Bitmap own_faults;                      // of the failed: by a broken link or our own service, not by the update
  std::uint32_t judged_failed = 0;        // failures that an operator has seen and resumed in spite of
  std::map<std::string, Bitmap> error_devices;  // trigger error_threshold: who had which error
  Bitmap held;                            // of the granted: verified, they wait for the switch, or for their window
  Bitmap in_window;                       // of the held: for their window alone, and they keep their place
  Bitmap released;                        // of the granted: they held for the switch, and install without a place
  bool switched = false;
  CampaignRollback rollback;
  std::optional<Verdict> verdict;
  Caller created_by;
  Time created_at{};
  Time updated_at{};
  std::optional<Time> started_at;
  std::optional<Time> ended_at;
  std::uint32_t revision = 0;             // operators' and verdicts' events; grants and reports do not move it
  Position position;                      // the last event folded

  std::uint32_t total() const { return static_cast<std::uint32_t>(targets.cardinality()); }
  Counts counts() const;
  std::uint32_t pending() const;          // how many of remaining()
  // Only some may be granted, to be judged by the evidence rule.
  bool in_canary() const { return canary.has_value() && !promoted; }
  // Ended, rolled back or told to finish: nobody is granted the firmware any more.
  bool takes_nobody() const { return finished || is_terminal(status) || status == CampaignStatus::kRollback; }
  // Neither granted nor ended: may be granted, now or after its retry time.
  Bitmap remaining() const;
  bool is_remaining(std::uint32_t ordinal) const;
  Bitmap to_undo() const;                 // completed, and not undone yet
  // Of these, those that the present rollback has still to take back.
  Bitmap to_take_back() const;
  bool is_to_take_back(std::uint32_t ordinal) const;
  std::uint32_t to_take_back_count() const;
  bool has_trigger(RollbackTrigger trigger) const;   // and may act on it without being asked
};

// ---- commands ------------------------------------------------------------------------------------------------

struct CreateCampaign {
  CampaignId id;
  CampaignCreated record;
  Position checked_at;                    // up to where `withdrawn` and the firmware's status are known
};
struct AddTargetPart {                    // ahead of the creation, for sets that do not fit one event
  CampaignTargetPart part;
};
struct StartCampaign {};
struct PauseCampaign {
  std::string reason;
};
struct ResumeCampaign {};
struct ApproveCampaign {
  bool approved = true;
  std::string comment;
  std::string conditions;
};
struct PromoteCampaign {                  // ends a canary early
  std::string reason;
};
struct FinishCampaign {
  std::string reason;
};
struct CancelCampaign {
  std::string reason;
};
struct RollbackCampaign {
  std::string reason;                     // required (BR-OTA-035)
};
struct SwitchCampaign {                   // blue_green: the holders may install
  std::string reason;
};
using CampaignCommand = std::variant<CreateCampaign, AddTargetPart, StartCampaign, PauseCampaign, ResumeCampaign,
                                     CancelCampaign, ApproveCampaign, PromoteCampaign, FinishCampaign,
                                     RollbackCampaign, SwitchCampaign>;

void evolve(Campaign& state, const Recorded& event);
Decision decide(const Campaign& state, const CampaignCommand& command, const Context& context);

// ---- what is due ---------------------------------------------------------------------------------------------

// A function of the state, not of an event: asked again after every event and after every start (design 7).
struct Tell {                             // an idempotent command to one of its updates: stop, or install now
  UpdateId update;
  UpdateCommand command;
};
struct Due {
  Events own;                             // to be appended by the campaign itself; decide again after their commit
  std::vector<Tell> tells;                // at most `tells_max`
};
// `told`: ordinals that were told in this life and have answered; they are not told again.
// Why its devices that still waited are cancelled; of a campaign that takes nobody any more.
CancelCause cause_of_end(const Campaign& state);
Due next(const Campaign& state, const Bitmap& told, std::size_t tells_max, Time now);
// When to ask again though nothing has happened: a start, an end, a window; empty: never.
std::optional<Time> wakes_at(const Campaign& state, Time now);

// For people: "12 of 40 devices failed (30.00 %), more than the threshold of 20 %".
std::string sentence(const Verdict& verdict);

}  // namespace ota::domain
