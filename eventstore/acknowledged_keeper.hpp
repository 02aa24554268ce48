// Writes down how far the log is durable (acknowledged.hpp), beside the commits and not in them: at once behind a time of
// quiet, then once in limits::kAcknowledgedEvery as long as the log or its list of tables moves, and at the end. So what a crash
// leaves unnoted is the last second.
//
// The journal's writer tells, a thread of its own writes. A note that finds no room on the disk, or no descriptor to list its
// files, is tried again with the next; one that cannot be written otherwise is a fault of the disk, and ends the journal as a
// commit's would.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "eventstore/acknowledged.hpp"

namespace ota::eventstore {

class AcknowledgedKeeper {
 public:
  // The note must be there. `add_files` puts the files into a note that are synced by then, if they are not told. Both are called
  // on the keeper's thread.
  AcknowledgedKeeper(std::filesystem::path directory, std::function<void(Acknowledged&)> add_files,
                     std::function<void(const std::string& why)> on_fault);
  ~AcknowledgedKeeper() { close(); }
  AcknowledgedKeeper(const AcknowledgedKeeper&) = delete;
  AcknowledgedKeeper& operator=(const AcknowledgedKeeper&) = delete;

  // All of this is synced. The older files of the WAL are looked up by the keeper.
  void tell(const Acknowledged& newest);
  // Tables were written, though perhaps no event.
  void tell_of_tables();
  // Writes what was told last, and ends the thread.
  void close();

 private:
  void run();
  bool is_behind() const { return newest_.count > noted_ || has_new_tables_; }
  // False: it is not on the disk.
  bool write(Acknowledged note);

  const std::filesystem::path directory_;
  const std::function<void(Acknowledged&)> add_files_;
  const std::function<void(const std::string& why)> on_fault_;
  AcknowledgedFile file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Acknowledged newest_;             // told,
  std::uint64_t noted_ = 0;         // and up to where it was written
  bool has_new_tables_ = false;     // since then
  bool is_idle_ = false;            // waits to be told
  bool closing_ = false;
  std::thread thread_;              // last: it uses the others
};

}  // namespace ota::eventstore
