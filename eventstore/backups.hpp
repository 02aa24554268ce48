// Backups of the log and of the subjects, taken while the service writes.
//
//   <directory>/log        the log; files that two backups share are kept once, so that each further one costs what is new
//   <directory>/subjects   who stands behind the tokens, apart from it: names have to go from backups, too, and sooner
//
// A backup holds a state of the log that was there, whole groups, and of the subjects all that it speaks of: they are copied
// behind it, and say behind which backup of the log. One that was cut off between the two has no subjects that know all of its
// people: it is not restored with older ones unless somebody wants that. What lies in the directory is RocksDB's own form of
// backups; the note of how far the log was acknowledged is not in it, since it may be ahead. The firmware's bytes, the views
// and the keys are not in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "eventstore/log.hpp"
#include "eventstore/subjects.hpp"

namespace ota::eventstore {

struct BackupInfo {
  std::uint32_t id = 0;                  // counts up
  Timestamp taken;
  Position head;                         // at least so far
  std::uint64_t bytes = 0;               // of all its files, shared ones too
  bool is_sound = true;                  // false: what it says of itself is damaged, and how far it goes is not known
};

// Those that are there are of another log, or of this one as it went on elsewhere: it was set back, or copied.
struct BackupsOfAnotherLog : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// With which names a log is restored.
enum class NamesOf {
  kAllItSpeaksOf,   // or it is refused
  kWhateverIsThere, // the newest that can be read, or none: whom they do not know is an unknown user
  kNone             // to look at the log alone
};

// One process at a time; restores look after that themselves. Every verb throws std::runtime_error with a sentence for people.
class Backups {
 public:
  explicit Backups(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // `stop` is asked now and then; true: break off, and leave the earlier ones as they are. Throws BackupsOfAnotherLog, too: the
  // names that only those know would be lost.
  BackupInfo take(const Log& log, const Subjects& subjects, const std::function<bool()>& stop = {}) const;
  // Throws BackupsOfAnotherLog if none may be taken beside those that are there.
  void refuse_another(const Log& log) const;
  // The oldest first. Of a directory without any: none. One that cannot be read is passed over.
  std::vector<BackupInfo> list() const;
  // Compares the checksums of all its files, and of the names that are restored with it, and what they say of themselves
  // (backup_label.hpp). 0: of the newest; one that cannot even be listed is a fault then.
  BackupInfo check(std::uint32_t id = 0) const;
  // Writes `data`/log and `data`/subjects, neither of which may exist; `data` is created if it is missing. Both or none, and
  // nothing beside them. The log has a note of how far it is acknowledged, and that it was set back (Log::is_set_back). 0: the
  // newest, if that can be read; one that is named is restored also if nobody knows how far it goes (BackupInfo::is_sound). What a restore that was killed has left is replaced (restore_place.hpp); while one runs
  // another is refused.
  BackupInfo restore(const std::filesystem::path& data, std::uint32_t id = 0, NamesOf names = NamesOf::kAllItSpeaksOf) const;
  // Deletes all but the newest, and the files that only they needed.
  void keep(std::size_t newest) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace ota::eventstore
