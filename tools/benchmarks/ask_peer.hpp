// The asks' peer: a bare CAF request to an actor that answers at once, with the scheduler that the
// service has.
#pragma once

#include "tools/benchmarks/round_trips.hpp"

namespace ota::bench {

double bare_requests_per_second(const RoundTrips& load);

}  // namespace ota::bench
