// The timer: delivers deadlines that are due, from the durable view of them.
//
// A row of the view is removed only by an event of its update. What shows no event is delivered again with back-off; the
// third time in vain it is reported and set aside. After a start, deadlines that fell into the outage get
// min(outage, timeout) from now: a timeout measures the device's silence, not ours.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

namespace ota::actors {

struct World;

caf::actor spawn_timer(caf::actor_system& system, World& world,
                       std::function<void(std::vector<std::string>)> report_stuck);

}  // namespace ota::actors
