// One replay of a record under another policy, in one scenario: an event loop over what was recorded and what follows from it
// here. Inside campaign/ only; what_if.hpp says what it assumes.
//
// Every recorded happening keeps its moment and its place in the log for as long as the replay goes as the record went; what
// comes later here is shifted by as much as its attempt was granted later, and stands behind what was recorded of the same
// moment. Then the campaign is asked what is due, and those who ask are granted while there is room, in the order in which they
// were granted then. Each happening costs a logarithm of how many wait.
//
// Until the other policy parts from the record (follow.hpp) the campaign's own decisions come from there. From then on each comes
// at one end of what is known of its moment: as soon as it is due, or when it has been due for as long as the record's slowest
// took (Deciding). What else that leads to, replay_late.cpp says.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "domain/campaign/follow.hpp"
#include "domain/campaign/grant.hpp"
#include "domain/campaign/tally.hpp"

namespace ota::domain::campaign {

// When devices come: as recorded; those never granted when the record granted nobody any more; every one from the start on.
enum class Coming : std::uint8_t { kAsRecorded, kLeftLater, kAtOnce };
// When the campaign decides what is due: at once, or when it has been due for a lag without a break, and then what has not started
// is cancelled a lag behind that.
enum class Deciding : std::uint8_t { kAtOnce, kLate };
struct ReplayOptions {
  UnknownOutcomes unknown = UnknownOutcomes::kSucceed;
  Coming coming = Coming::kAsRecorded;
  std::uint64_t steps_max = 0;                // 0: as many as a replay of this record may reasonably take
  std::optional<std::uint64_t> drawn{};       // by this seed each unknown attempt starts or not, and succeeds or fails: for tests
  std::optional<Parting> follow{};            // until there the campaign decides as it did in the record; empty: never
  Deciding deciding = Deciding::kAtOnce;
  Duration lag = kLagMin;
};
// What may have become of which devices: those of whom it is sure, and those of whom it is possible.
struct Either {
  Bitmap sure;
  Bitmap possible;
  Between<std::uint32_t> count() const;
};
struct Open {
  Either granted;
  Either completed;
  Either failed;
  Either cancelled;
  Stopped stopped = Stopped::kNever;
  std::optional<StoppedBetween> stopped_at;
  std::optional<Between<std::uint32_t>> granted_when_stopped;
  WhatIfBounds bounds() const;
};

// As far as the record is followed where devices come in this way.
ReplayOptions options_of(const Followed& followed, Coming coming);

class Replay {
 public:
  Replay(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings, const ReplayOptions& options);
  WhatIfOutcome run();
  // After run(). What holds however the unknown attempts go; absent: there is none, and run() is the only outcome.
  std::optional<WhatIfBounds> any_mixture() const;
  // After run(): something but its close was decided here that was not taken from the record.
  bool has_decided() const { return has_decided_; }
  // It is open from before its first decision that may have come at another moment: a later one leads nowhere else.
  bool is_open_before() const { return any_mixture_ && is_open_before_; }
  // Of two that are alike but for when they decide.
  static WhatIfBounds of_both(const Replay& at_once, const Replay& late);

 private:
  enum class What : std::uint8_t { kStep, kOutside, kScript, kUnknownEnd, kAsk, kLeftCome, kWake };
  struct Happening {
    Time at{};
    std::uint64_t order = 0;
    What what = What::kWake;
    std::uint32_t attempt = 0;              // kScript and kUnknownEnd: of which attempt here
    std::uint64_t which = 0;                // a step, a move, or an ordinal
  };
  struct Later {
    bool operator()(const Happening& a, const Happening& b) const { return std::tie(a.at, a.order) > std::tie(b.at, b.order); }
  };
  struct Device {
    std::span<const RecordedMove> moves;
    std::uint32_t next = 0;                 // the first of them that is not played yet
    std::uint32_t attempts = 0;             // here
    std::uint32_t retry_count = 0;
    std::uint32_t spared_retries = 0;
    std::uint32_t batch = 0;
    bool retry = false;                     // the present attempt is one
    bool started = false;
    bool held = false;
    bool asked_to_stop = false;             // here
    std::uint32_t depth = 0;                // of the decisions and places that its present attempt waited for, one behind the other
    const RecordedMove* granted_then = nullptr;  // the present attempt's grant; null: it was never made
    Duration shift{};                       // how much later it is here
    std::optional<Time> retry_at;
  };
  using Asks = std::set<std::pair<std::uint64_t, std::uint32_t>>;   // by when they were granted then

  // ---- the beginning
  void plan_record();
  void plan_first_ask(std::uint32_t ordinal, std::span<const RecordedMove> moves);
  // ---- the loop
  void handle(const Happening& happening);
  void settle();
  bool decide_what_is_due();
  void wake_when_time_decides();
  bool serve();
  bool grant_to(std::uint32_t ordinal, std::uint64_t order);
  std::optional<std::pair<std::uint64_t, std::uint32_t>> next_to_serve();
  bool window_is_open() const;
  auto gates_now() const {
    const auto& s = state();
    return std::tuple(s.promoted, s.status, s.cohort.cardinality(), s.content_pending, s.approved);
  }
  // ---- when it is decided (replay_late.cpp)
  void follow_until(const Happening& next);
  void step_as_then(const RecordedStep& step);
  bool is_time_for(const Event* due);
  void note_decision(const Event& event);
  void note_grant(std::uint32_t ordinal, Device& device);
  void blur();
  void look_whether_it_could_stop();
  void disturb();
  bool cancels_now(bool news);
  // ---- what was recorded (replay_moves.cpp)
  void step(const RecordedStep& step);
  void delete_device(const RecordedStep& step, std::uint32_t ordinal);
  void outside(const RecordedMove& move);
  void cancel_from_outside(const RecordedMove& move, Device& device);
  void ask_again(const RecordedMove& move, Device& device);
  void script(const RecordedMove& move);
  void begin_attempt(std::uint32_t ordinal, Device& device);
  void plan_script(std::uint32_t ordinal, Device& device);
  void plan_unknown_end(std::uint32_t ordinal, Device& device, Time at);
  void end_as_recorded(const RecordedMove& move, Device& device);
  void end_cancelled(const RecordedMove& move, Device& device);
  void end_unknown(std::uint32_t ordinal, Device& device);
  void succeed(std::uint32_t ordinal, Device& device);
  void fail(std::uint32_t ordinal, Device& device, FailureKind kind, const std::string& code, const RecordedMove* as);
  void plan_next_ask(std::uint32_t ordinal, Device& device, const RecordedMove* then, Time earliest, bool waited_then);
  void refute(const RecordedMove& move);
  // ---- what is not known (replay_unknown.cpp)
  struct Fate {                             // of a device, from here on
    bool settled = false;                   // it has ended, and nothing comes that changes that
    bool runs_on = false;                   // it has started, and comes to its recorded end whatever becomes of the campaign
    bool granted = false;                   // it was, or may be
    bool completes = false;                 // it may
    bool fails = false;                     // it may
  };
  void open_here();
  bool draws(std::uint32_t ordinal, std::uint32_t attempt, std::uint64_t what) const;
  Open open_from_here() const;
  Open as_it_is() const;
  Fate fate_of(std::uint32_t ordinal) const;
  bool may_be_granted(std::span<const RecordedMove> moves) const;
  bool can_stop() const;
  bool can_only_succeed() const;
  // What the campaign tells its updates.
  void stop_what_is_to_stop();
  void cancel_untold();
  bool was_asked_then(const Device& device, const RecordedMove& end) const;
  bool campaign_asked_then(const Device& device, const RecordedMove& end) const;
  DeviceUpdate update_of(std::uint32_t ordinal, const Device& device) const;
  bool is_outside(const RecordedMove& move) const;
  bool is_over_here() const;

  const Campaign& state() const { return tally_.state(); }
  Time now() const { return tally_.now(); }
  Device& device(std::uint32_t ordinal);
  static const RecordedMove* next_grant(const Device& device);   // null: there is none
  std::uint64_t made() { return kMadeHere + ++made_; }
  void fold_update(std::uint32_t ordinal, Event event);
  void fold_all(const Events& events, Caller caller);
  bool is_spent() const { return handled_ + tally_.folds() > steps_max_; }

  // What the replay itself makes comes behind what was recorded of the same moment.
  static constexpr std::uint64_t kMadeHere = std::uint64_t{1} << 62;

  const CampaignRecord& record_;
  const CampaignPolicy& policy_;
  const Settings& settings_;
  const ReplayOptions options_;
  std::uint64_t steps_max_ = 0;
  Duration usual_{};                        // that an attempt takes
  std::uint64_t content_order_ = 0;         // when the bytes had come; those granted before fetched them elsewhere
  std::optional<Time> left_come_at_;        // when the record granted nobody any more
  std::vector<std::uint64_t> stops_then_;   // by which those under way were asked to stop
  std::vector<std::uint64_t> stop_all_then_;  // of these, those that asked not only who held
  Bitmap deleted_;                          // at any time
  std::optional<MaintenanceWindow> window_;
  Tally tally_;
  std::unordered_map<std::uint32_t, Device> devices_;
  std::priority_queue<Happening, std::vector<Happening>, Later> queue_;
  Asks first_asks_;
  Asks retry_asks_;
  Asks beside_;                             // a gate stands before them that is none of places and batches
  Asks left_;                               // never granted, and still to come
  std::optional<std::pair<std::uint64_t, std::uint32_t>> at_its_moment_;   // asks just when it was granted then
  std::tuple<bool, CampaignStatus, std::uint64_t, bool, bool> gates_then_{};
  std::optional<Time> wake_;
  bool ended_ = false;
  bool recalled_ = false;
  std::uint64_t made_ = 0;
  std::uint64_t handled_ = 0;
  std::uint32_t unknown_ = 0;
  std::uint32_t left_out_ = 0;
  bool only_succeeds_ = false;
  std::optional<Open> any_mixture_;
  bool is_open_before_ = true;
  // When it is decided.
  bool following_ = false;
  bool has_decided_ = false;
  std::optional<Open> before_;              // what is sure before the first decision or grant whose moment is not
  bool blurred_ = false;                    // the moments of grants are not known so well
  std::uint32_t depth_ = 0;                 // of what is handled
  std::uint32_t depth_max_ = 0;
  std::optional<std::uint32_t> may_ask_now_;   // who has just come
  std::vector<Time> touched_;               // when devices were granted and ended
  std::optional<std::size_t> due_;          // which kind of event, with a late decision
  Time due_since_{};
  bool is_stop_due_ = false;
  std::optional<Time> may_stop_until_;
  bool has_ended_one_ = false;
  bool other_places_ = false;               // than in the record
  std::optional<Time> cancels_at_;
};

}  // namespace ota::domain::campaign
