// Where a backup is restored to: beside the places of log and names until both are whole, then there, or gone.
//
//   <data>/log.restoring        there first and as long as the restore is not done: a process that is killed leaves it, at least
//   <data>/subjects.restoring   the names, if any are wanted
//   <data>/subjects/RESTORE     the names are shown, the log is not yet
//
// The first is held with flock(2), which a kill lets go: one process at a time restores to a place. Where the file system knows
// no such lock nobody is kept away. The log is shown last: without it nothing was restored.
#pragma once

#include <filesystem>

namespace ota::eventstore {

class RestorePlace {
 public:
  // Throws std::runtime_error with a sentence for people, as every verb: there is something, or somebody else restores. What a
  // restore that was killed has left is removed.
  explicit RestorePlace(const std::filesystem::path& data);
  // Unless it is shown, all that was written is gone. Nobody may write there any more.
  ~RestorePlace();
  RestorePlace(const RestorePlace&) = delete;
  RestorePlace& operator=(const RestorePlace&) = delete;

  // Where to write.
  const std::filesystem::path& log() const { return log_; }
  const std::filesystem::path& names() const { return names_; }
  // Puts them in their places, names if there are any; both or none.
  void show();

  // Throws if a backup cannot be restored to `data` for what is there.
  static void refuse_what_is_there(const std::filesystem::path& data);

 private:
  void show_names();

  const std::filesystem::path data_;
  const std::filesystem::path log_;
  const std::filesystem::path names_;
  int lock_ = -1;
  bool shown_ = false;
};

// For whoever begins a log in `data`: throws if a restore to it was killed, or runs, so that there is a part of it and no log.
void refuse_half_restored(const std::filesystem::path& data);
// For whoever has the log in `data`: nobody needs what a restore has left beside it, and names in it would never be erased.
// False: nothing was there, or a restore runs.
bool remove_left_by_restore(const std::filesystem::path& data);

}  // namespace ota::eventstore
