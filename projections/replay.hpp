// Reads the log from a position on and decodes it ahead of whoever folds it.
#pragma once

#include <functional>
#include <vector>

#include "domain/streams.hpp"
#include "eventstore/log.hpp"
#include "projections/limits.hpp"

namespace ota::projections {

// Calls `fold` on this thread with every event after `after`, in order, in chunks of `chunk_events`, while a second thread
// reads and decodes the next ones. Throws eventstore::LogError if the log cannot be read; what was folded until then stays.
// Passes on what `fold` throws.
void replay(const eventstore::Log& log, domain::Position after,
            const std::function<void(const std::vector<domain::Recorded>&)>& fold,
            std::size_t chunk_events = limits::kReplayChunkEvents);

}  // namespace ota::projections
