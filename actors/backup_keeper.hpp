// Takes backups while the service works: as often as is set, and when somebody asks (eventstore/backups.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/chore.hpp"
#include "domain/words.hpp"
#include "eventstore/backups.hpp"

namespace ota::actors {

class BackupKeeper {
 public:
  struct Options {
    std::filesystem::path directory;             // empty: none are taken
    std::chrono::milliseconds every{0};          // 0: only when somebody asks
    std::size_t keep = 7;
    std::function<domain::Time()> clock;
    // A sentence while the disk of the data has no room: a backup that is kept there must not take the log's. Empty: it has.
    std::function<std::optional<std::string>()> disk_refusal;
    std::chrono::milliseconds soon{std::chrono::minutes(5)};   // behind a start, if one is overdue
  };
  struct State {
    bool running = false;
    std::optional<domain::Time> last_ended;
    std::string last_error;                      // of the last one, or why those that are there cannot be read; empty: none
    std::vector<eventstore::BackupInfo> backups; // the oldest first
    bool of_another_log = false;                 // the newest of them: no further one is taken there

    // Of this log and as it was written; empty: there is none.
    std::optional<domain::Time> newest() const;
  };

  // Both outlive it. Backups that cannot be read are no reason not to work: `last_error` says so.
  BackupKeeper(const eventstore::Log& log, const eventstore::Subjects& subjects, Options options);

  bool has_place() const { return !options_.directory.empty(); }
  // One that has everything of now: behind the one that is being taken, if any is.
  void start() { chore_.start_anew(); }
  State state() const;

 private:
  State begin() const;
  void take(const Chore::Stopped& stopped);

  const eventstore::Log& log_;
  const eventstore::Subjects& subjects_;
  Options options_;
  mutable std::mutex mutex_;
  State state_;                                  // its backups as of the last look
  Chore chore_;  // last: it uses the others
};

}  // namespace ota::actors
