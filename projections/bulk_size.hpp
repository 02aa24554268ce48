// How much a bulk rebuild keeps in memory: more is faster, and the machine has so much.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ota::projections {

struct BulkSize {
  // Events that are one group: a row that changes often is encoded once in all of them.
  std::uint64_t group_events = 0;
  // Of rows that are gathered before they are written; as many that were written last stay to be read.
  std::size_t rows_bytes = 0;
  // Decoded rows that are kept for the next event, as a multiple of what the views keep otherwise (limits.hpp): what happens to
  // a device within hours follows within a second, and each that has to be read again costs as much as three events.
  std::size_t cache_factor = 1;
};

// Where so many bytes may be taken: it takes about half of them, from 0.4 GB on, and no more than 1.6 GB.
BulkSize bulk_size(std::uint64_t available_bytes);

// That this process may still take, of the machine's and of its control group's.
std::uint64_t available_memory();

}  // namespace ota::projections
