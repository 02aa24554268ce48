// A real log with the events of a story, for views that catch up from it. Its files are in memory: each event is a group of its
// own, and nobody needs them on a disk.
#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "eventstore/journal.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections::testing {

class LogOfStory {
 public:
  LogOfStory()
      : files_(rocksdb::NewMemEnv(rocksdb::Env::Default())), log_(eventstore::Log::open(directory_.path(), {files_.get()})) {}

  // Appends what was told since the last call, each event at the story's time; of the story the first `most` events.
  void write(const Story& story, std::size_t most = SIZE_MAX);
  // Appends one event whose bytes say nothing, of the type of a campaign that is paused.
  void write_damaged(const domain::Stream& stream, const std::vector<std::string>& tags = {});
  // Keeps a snapshot of what is there.
  void keep(const std::string& stream, domain::Position position, const std::string& bytes);
  const eventstore::Log& log() const { return *log_; }

 private:
  void append(eventstore::Journal& journal, eventstore::NewEvent event);
  TempDir directory_;
  std::unique_ptr<rocksdb::Env> files_;
  std::shared_ptr<eventstore::Log> log_;
};

}  // namespace ota::projections::testing
