// Repairs a log whose write-ahead log (WAL) is damaged before its end, or lacks what was acknowledged (acknowledged.hpp), so
// that it can be opened again. Something that was acknowledged is lost by it, or may be; so it happens when somebody asks for
// it, and says what.
//
// The tables hold what was flushed from memory, also rows that are in the damaged part of the WAL. So what is kept is not
// what is before the damage, but all events up to the first one that is in neither: of those the indexes and the proof
// tree are made again from the records. Events behind the first that is missing cannot stay: positions have no holes, and
// the proof tree is one of all events. Not for damaged tables: for those there are backups (backups.hpp).
//
// The note of how far the log was acknowledged is written anew, and says that the log was set back: views may have seen more.
//
// While it is at work the file REPAIR is in the directory: a log with it is not opened, and another repair goes on with it. The
// files of the WAL stay in a sub-directory with the date as they were found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "eventstore/types.hpp"

namespace ota::eventstore {

struct RepairReport {
  std::string damage;               // where and what (WalDamage::text), or what is missing; empty: a repair was broken off
  Position head;                    // the newest event that stays
  Position newest;                  // that the log or its note knew of, if it is more
  Position indexed_from;            // events from here on are put into the indexes again
  std::filesystem::path kept_in;    // where the damaged files are; empty: nothing was changed

  std::uint64_t events_lost() const { return newest.value - head.value; }
};

// What a repair would do; changes nothing. Empty: there is nothing to repair. Throws std::runtime_error with a sentence for people,
// as the next.
std::optional<RepairReport> examine_log(const std::filesystem::path& directory);
// Does it. No other process may have the log open. Where there is nothing to repair the note is written all the same: views
// that are ahead of the log are taken as they are.
std::optional<RepairReport> repair_log(const std::filesystem::path& directory);

}  // namespace ota::eventstore
