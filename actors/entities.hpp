// How the shards bring entities to life: one function per kind.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include "actors/request.hpp"

namespace ota::actors {

struct World;

caf::actor spawn_firmware(caf::actor_system&, World&, domain::FirmwareId);
caf::actor spawn_campaign(caf::actor_system&, World&, domain::CampaignId);
caf::actor spawn_device(caf::actor_system&, World&, domain::DeviceId);
caf::actor spawn_update(caf::actor_system&, World&, domain::UpdateId);
caf::actor spawn_user(caf::actor_system&, World&, domain::UserStream);

}  // namespace ota::actors
