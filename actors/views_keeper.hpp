// Builds the views once more while the service works, when somebody asks: to put them in the place of those that are shown, or
// to compare the two (projections/rebuild.hpp).
//
// That heals views that broke, without a restart. The thread gives way to all others, and what it does to the disk is no more
// than a start without views would do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "actors/chore.hpp"
#include "domain/words.hpp"
#include "eventstore/journal.hpp"
#include "projections/comparison.hpp"
#include "projections/views.hpp"

namespace ota::actors {

class ViewsKeeper {
 public:
  enum class Work { kRebuild, kVerify };
  struct Options {
    std::function<domain::Time()> clock;
    // A sentence if the disk has no room for so many bytes; what it refuses is not begun, or broken off.
    std::function<std::optional<std::string>(std::uint64_t bytes)> refusal;
  };
  struct Progress {
    Work work = Work::kRebuild;
    domain::Time since;
    std::uint64_t done = 0;               // events,
    std::uint64_t of = 0;                 //   of so many
    std::uint64_t events_per_second = 0;  // since it began
  };
  struct Run {
    domain::Time started;
    std::chrono::milliseconds took{0};
    domain::Position position;            // up to which they were built
    std::string error;                    // why it came to nothing; empty: it did not
    projections::Comparison found;        // of a verification
  };
  struct State {
    std::optional<Progress> running;
    std::optional<Run> last_rebuild;      // that came to an end
    std::optional<Run> last_verification;
  };

  // All outlive it.
  ViewsKeeper(projections::Views& views, const eventstore::Log& log, eventstore::Journal& journal, Options options);

  // As soon and as fast as it goes. False: something else is running; the same work once more is no other.
  bool start(Work work);
  State state() const;
  // A sentence if the disk has no room for that: it is not begun then.
  std::optional<std::string> refusal() const;

 private:
  void run(const Chore::Stopped& stopped);
  bool work(Run& run, Work work, const Chore::Stopped& stopped);
  void between_groups(const std::function<void()>& work);

  projections::Views& views_;
  const eventstore::Log& log_;
  eventstore::Journal& journal_;
  const Options options_;
  mutable std::mutex mutex_;
  State state_;                           // `running`: of the last one, while it runs
  Work asked_ = Work::kRebuild;
  std::chrono::steady_clock::time_point began_;
  Chore chore_;  // last: it uses the others
};

}  // namespace ota::actors
