#include "actors/shard.hpp"

#include <iterator>
#include <utility>

#include "actors/entities.hpp"
#include "actors/limits.hpp"
#include "actors/messages.hpp"

namespace ota::actors {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

void Shard::open(caf::actor_system& system, World& world, std::size_t entities_max) {
  const std::lock_guard lock(mutex_);
  system_ = &system;
  world_ = &world;
  entities_max_ = entities_max;
}

void Shard::send(std::string key, RequestPtr request) {
  const RequestPtr kept = std::move(request);  // past the lock: who drops the last one answers it
  const std::lock_guard lock(mutex_);
  const auto entity = find_or_wake(std::move(key), kept->to);
  if (entity) caf::anon_send(entity, kept);
}

caf::actor Shard::find_or_wake(std::string key, const EntityId& id) {
  if (!system_) return {};
  if (const auto found = entities_.find(key); found != entities_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second);
  } else {
    if (entities_.size() >= entities_max_) let_oldest_rest(entities_max_ / 16 + 1);
    by_age_.push_back({std::move(key), wake(id), {}});
    entities_.emplace(by_age_.back().key, std::prev(by_age_.end()));
  }
  auto& entry = by_age_.back();
  entry.used = std::chrono::steady_clock::now();
  return entry.actor;
}

caf::actor Shard::wake(const EntityId& id) {
  return std::visit(Overloaded{[&](domain::FirmwareId f) { return spawn_firmware(*system_, *world_, f); },
                               [&](domain::CampaignId c) { return spawn_campaign(*system_, *world_, c); },
                               [&](const domain::DeviceId& d) { return spawn_device(*system_, *world_, d); },
                               [&](domain::UpdateId u) { return spawn_update(*system_, *world_, u); },
                               [&](domain::UserStream u) { return spawn_user(*system_, *world_, u); }},
                    id);
}

bool Shard::forget(const std::string& key, const std::function<bool()>& has_requests) {
  ByAge gone;   // let go of behind the lock
  const std::lock_guard lock(mutex_);
  const auto found = entities_.find(key);
  if (found == entities_.end()) return true;
  if (has_requests()) return false;
  const auto entry = found->second;
  entities_.erase(found);
  gone.splice(gone.end(), by_age_, entry);
  return true;
}

// Asked, not told: an entity with something in flight stays, and is asked again.
void Shard::sweep() {
  const auto idle_since = std::chrono::steady_clock::now() - limits::kIdle;
  const std::lock_guard lock(mutex_);
  for (const auto& entry : by_age_) {
    if (entry.used > idle_since) break;
    caf::anon_send(entry.actor, Rest{});
  }
}

void Shard::let_oldest_rest(std::size_t count) {
  for (const auto& entry : by_age_) {
    if (count-- == 0) break;
    caf::anon_send(entry.actor, Rest{});
  }
}

void Shard::close() {
  ByAge gone;
  {
    const std::lock_guard lock(mutex_);
    system_ = nullptr;
    entities_.clear();
    gone.swap(by_age_);
  }
  for (const auto& entry : gone) caf::anon_send_exit(entry.actor, caf::exit_reason::user_shutdown);
}

}  // namespace ota::actors
