// What is checked when a log is opened: that its families tell one story about the newest events.
//
// A group is one atomic batch, so after any crash all families end at the same event. If they do
// not, files were lost or mixed, and the log must not be written to: better no service than a
// second history.
#pragma once

#include "eventstore/database.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

struct Recovered {
  Position head;
  Timestamp head_time;
};

// Finds the newest event and compares the events of the last tile with the proof tree, one by one.
// Throws LogError if they differ, or if an event is missing.
Recovered recover_head(const Database& database);

}  // namespace ota::eventstore
