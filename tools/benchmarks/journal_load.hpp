// The events of the journal's row, and the threads that append them.
//
// An event is what an update's report costs: a stream, two tags and a payload, ~250 bytes as a
// record. Payloads are random, so compression saves nothing. Each append carries one event and the
// condition that the entities use: nothing newer in its stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "eventstore/journal.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {

struct JournalLoad {
  std::size_t producers = 16;
  std::size_t events_per_producer = 0;
  // How many appends a producer hands in before it waits for the first: actors do not wait, one
  // shard has many under way.
  std::size_t in_flight_each = 1;

  std::size_t events() const { return producers * events_per_producer; }
};

struct JournalRun {
  Cost cost;                          // from the first append to the last completion
  std::vector<std::uint16_t> groups;  // events in each, in order: what the writer made of it
};

// Writes all events into a new log in `directory`. Throws std::runtime_error if one was not
// committed.
JournalRun run_journal(const std::filesystem::path& directory, const JournalLoad& load);

}  // namespace ota::bench
