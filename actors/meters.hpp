// What the actors count of themselves, for whoever watches the service (eventstore/meters.hpp has the log's).
#pragma once

#include "eventstore/histogram.hpp"

namespace ota::actors {

struct Meters {
  eventstore::Histogram activation_us{eventstore::kTimeBoundsUs};  // of an entity: its state read from snapshot and log
};

}  // namespace ota::actors
