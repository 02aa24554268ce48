// What every actor can reach. One per process; outlives all actors.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>

#include "actors/alarms.hpp"
#include "actors/limits.hpp"
#include "actors/meters.hpp"
#include "actors/request.hpp"
#include "actors/router.hpp"
#include "actors/shard.hpp"
#include "domain/settings.hpp"
#include "eventstore/journal.hpp"
#include "projections/offers.hpp"
#include "projections/views.hpp"

namespace ota::actors {

struct World {
  domain::Settings settings;
  std::function<domain::Time()> clock;
  std::shared_ptr<eventstore::Log> log;
  projections::Views* views = nullptr;
  projections::Offers offers;
  Router router;
  Alarms alarms;
  Meters meters;
  eventstore::Journal* journal = nullptr;
  std::array<Shard, limits::kShards> shards;
  caf::actor directory;
  // Health names an entity from the one until the other.
  std::function<void(const std::string& key, const std::string& why)> report_poisoned;
  std::function<void(const std::string& key)> report_loaded;

  // Never before the last event: what is folded with its time must not lie in the future of whoever decides next.
  domain::Time now() const { return std::max<domain::Time>(clock(), log->head_time()); }
  domain::Context context(domain::Caller caller) const { return {now(), caller, settings}; }
  Shard& shard_of(const std::string& key) { return shards[std::hash<std::string>{}(key) % shards.size()]; }
  // Hands a request to its entity. From any thread. While the views are unfit it is refused: what is
  // decided by them would be wrong.
  void send(RequestPtr request);
  // The number of a device that is about to be registered or returns.
  void ask_ordinal(const domain::DeviceId& device, std::function<void(std::optional<domain::Ordinal>)> answer);
  // Those of several, in their order; and that these are registered with theirs, which the views know by now.
  void ask_ordinals(std::vector<std::string> devices,
                    std::function<void(domain::Result<std::vector<domain::Ordinal>>)> answer);
  void ordinals_settled(std::vector<std::pair<std::string, domain::Ordinal>> devices);
};

// The log's name of an entity's stream: what shards and the router know it by.
std::string key_of(const EntityId& id);

// The events of a decision, ready for the journal.
std::vector<eventstore::NewEvent> to_append(const domain::Events& events, const Meta& meta);

}  // namespace ota::actors
