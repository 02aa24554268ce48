// One edition of the views: its rows on disk, what is kept in memory beside them, and the pipeline that folds events into both.
//
// The views show one edition. A rebuild makes another in a folder of its own and puts it in the place of the first, which
// readers may hold for a while longer. One thread folds, flushes and begins anew; any thread reads.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "domain/settings.hpp"
#include "eventstore/log.hpp"
#include "projections/limits.hpp"
#include "projections/pipeline.hpp"

namespace ota::projections {

class Edition {
 public:
  // Opens or creates the rows in `folder`; rows of another schema, broken or damaged ones begin anew. What polls read goes to
  // `front`, which outlives this. Throws std::runtime_error with a sentence for people.
  Edition(std::filesystem::path folder, const domain::Settings& settings, PollFront& front);
  // Deletes the rows, if it was told to.
  ~Edition();
  Edition(const Edition&) = delete;
  Edition& operator=(const Edition&) = delete;

  const Database& database() const { return *database_; }
  TargetSets& sets() const { return sets_; }
  const Pipeline& pipeline() const { return *pipeline_; }
  domain::Position position() const { return {position_.load(std::memory_order_acquire)}; }
  // Ahead of it in a bulk rebuild. For the thread that folds.
  domain::Position folded() const { return folded_.position; }
  const std::filesystem::path& folder() const { return folder_; }

  // Folds those of the events that are not folded yet, and shows them at once.
  void fold(const std::vector<domain::Recorded>& events);
  // Begins anew unless the rows come from this log: their last event is in it, and has the same time.
  void belong_to(const eventstore::Log& log);
  // Many events follow and nobody reads: rows are kept in memory and written a lot at a time (Pipeline::begin_bulk), and the
  // position moves with them.
  void begin_bulk(const BulkSize& size);
  void end_bulk();
  // To disk; `wait` false: begins to.
  void flush(bool wait);
  void flush_if_many();  // events are folded and not on disk
  void flush_if_due();    // the same, or for long
  // Takes the place of the edition that filled `front` until now (Pipeline::move_to).
  void move_to(PollFront& front);
  // Its rows go when it ends.
  void delete_at_end() { ends_deleted_ = true; }

 private:
  bool is_usable() const;
  void begin_anew();
  void note_schema();
  void load();
  void commit();
  bool is_of(const eventstore::Log& log, const Progress& at) const;

  const std::filesystem::path folder_;
  const domain::Settings settings_;
  PollFront* front_;
  mutable TargetSets sets_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<std::uint64_t> position_{0};
  Progress folded_;                        // at the position above, or ahead of it in a bulk rebuild
  std::optional<BulkSize> bulk_;           // of the one that is under way
  std::uint64_t events_since_flush_ = 0;
  std::chrono::steady_clock::time_point flushed_at_ = std::chrono::steady_clock::now();
  std::atomic<bool> ends_deleted_{false};
};

// A replay that is long enough to be a bulk rebuild is one until its end, however it ends.
class Bulk {
 public:
  Bulk(Edition& edition, std::uint64_t events) : edition_(events >= limits::kBulkEvents ? &edition : nullptr) {
    if (edition_) edition_->begin_bulk(bulk_size(available_memory()));
  }
  ~Bulk() {
    if (edition_) edition_->end_bulk();
  }
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;

  bool is_under_way() const { return edition_ != nullptr; }

 private:
  Edition* const edition_;
};

}  // namespace ota::projections
