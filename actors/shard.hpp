// A shard: owns the entities whose keys hash to it; brings them to life on demand and lets idle ones rest.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

namespace ota::actors {

struct World;

caf::actor spawn_shard(caf::actor_system& system, World& world);

}  // namespace ota::actors
