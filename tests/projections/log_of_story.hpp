// A real log with the events of a story, for views that catch up from it.
#pragma once

#include <memory>

#include "eventstore/journal.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections::testing {

class LogOfStory {
 public:
  LogOfStory() : log_(eventstore::Log::open(directory_.path())) {}

  // Appends what was told since the last call, each event at the story's time.
  void write(const Story& story);
  const eventstore::Log& log() const { return *log_; }

 private:
  TempDir directory_;
  std::shared_ptr<eventstore::Log> log_;
};

}  // namespace ota::projections::testing
