// All views in their order, and what happens when one of them fails.
//
// One thread folds and commits. A view that throws is broken from that position on: it and those
// that build on it are called no more, the rest goes on. That is remembered in the rows, so the
// next start builds all anew.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "projections/batched_rows.hpp"
#include "projections/campaign_counts.hpp"
#include "projections/campaign_view.hpp"
#include "projections/deadlines.hpp"
#include "projections/device_view.hpp"
#include "projections/firmware_counts.hpp"
#include "projections/firmware_view.hpp"
#include "projections/limits.hpp"
#include "projections/period_statistics.hpp"
#include "projections/statistics_view.hpp"
#include "projections/update_view.hpp"
#include "projections/user_view.hpp"

namespace ota::projections {

// Where the rows stand: the last event that they contain, and its time, which tells one log from
// another.
struct Progress {
  domain::Position position;
  domain::Time time{};
};

// What is read without a look at any row. It stays where it is when another pipeline takes the place of the one that fills it.
struct PollFront {
  PollIndex index;
  std::atomic<bool> unfit{false};  // something that grants depend on is broken
};

class Pipeline {
 public:
  Pipeline(Database& database, const domain::Settings& settings, PollFront& front, TargetSets& sets);

  // Brings into memory what is kept there, before the first event.
  void load(const Reader& reader);
  // Folds one event. Never throws.
  void apply(const domain::Recorded& event);
  // Makes everything folded since the last commit visible, together with where it stands. False if
  // it cannot be written: then nothing is folded any more.
  bool commit(const Progress& progress);
  // Many events follow and nobody reads: rows are kept in memory and written a lot at a time. Ended, everything committed is in
  // the database; what cannot be written is complained of.
  void begin_bulk(const BulkSize& size) { rows_.begin_bulk(size); }
  void end_bulk(domain::Position position);
  // Notes that something is wrong from `position` on, whatever the views make of it.
  void complain(domain::Position position, const std::string& why);
  // Takes the place of whoever filled `front` until now, and stands where that one does; the front that was filled until now is
  // left with what the other had.
  void move_to(PollFront& front);

  const DeadlineView& deadlines() const { return deadlines_; }
  // Empty: healthy. Any thread.
  std::string broken() const;
  void set_unfit() { front_->unfit = true; }

  static Progress progress_in(const Reader& reader);
  // What was wrong when the rows were last written; empty: nothing.
  static std::string broken_in(const Reader& reader);

 private:
  struct Stage {
    View* view;
    std::vector<const View*> needs;
    bool for_grants;
    bool broken = false;
  };
  template <class Work>
  void guarded(Stage& stage, domain::Position position, const Work& work);
  void set_aside(Stage& stage, domain::Position position, const std::string& why);

  PollFront* front_;
  BatchedRows rows_;
  DeviceView devices_;
  FirmwareView firmware_;
  CampaignView campaigns_;
  UpdateView updates_;
  CampaignCountsView campaign_counts_;
  FirmwareCountsView firmware_counts_;
  StatisticsView statistics_;
  PeriodView periods_;
  DeadlineView deadlines_;
  UserView users_;
  std::vector<Stage> stages_;
  bool unwritable_ = false;
  bool complained_ = false;  // since the last commit
  mutable std::mutex mutex_;
  std::string broken_;
};

}  // namespace ota::projections
