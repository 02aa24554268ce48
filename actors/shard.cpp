#include "actors/shard.hpp"

#include <chrono>
#include <list>
#include <unordered_map>

#include "actors/entities.hpp"
#include "actors/messages.hpp"
#include "actors/world.hpp"

namespace ota::actors {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

class Shard final : public caf::event_based_actor {
 public:
  Shard(caf::actor_config& config, World& world) : caf::event_based_actor(config), world_(world) {}
  const char* name() const override { return "shard"; }

 protected:
  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    return {
        [this](const RequestPtr& request) { forward(request); },
        [this](const Resting& resting) {
          const auto found = entities_.find(resting.key);
          if (found == entities_.end()) return;
          const auto entry = found->second;
          entities_.erase(found);
          by_age_.erase(entry);
        },
        [this](const Tick&) { sweep(); },
    };
  }

  void on_exit() override {
    for (const auto& entry : by_age_) caf::anon_send_exit(entry.actor, caf::exit_reason::user_shutdown);
    entities_.clear();
    by_age_.clear();
  }

 private:
  struct Entry {
    std::string key;
    caf::actor actor;
    std::chrono::steady_clock::time_point used;
  };
  using ByAge = std::list<Entry>;

  void forward(const RequestPtr& request) {
    std::string key = key_of(request->to);
    const auto found = entities_.find(key);
    if (found != entities_.end()) {
      by_age_.splice(by_age_.end(), by_age_, found->second);
    } else {
      if (entities_.size() >= limits::kEntitiesPerShard) let_oldest_rest(limits::kEntitiesPerShard / 16 + 1);
      by_age_.push_back({std::move(key), wake(request->to), {}});
      entities_.emplace(by_age_.back().key, std::prev(by_age_.end()));
    }
    auto& entry = by_age_.back();
    entry.used = std::chrono::steady_clock::now();
    caf::anon_send(entry.actor, request);
  }

  caf::actor wake(const EntityId& id) {
    const auto self = caf::actor_cast<caf::actor>(this);
    return std::visit(
        Overloaded{[&](domain::FirmwareId f) { return spawn_firmware(system(), world_, self, f); },
                   [&](domain::CampaignId c) { return spawn_campaign(system(), world_, self, c); },
                   [&](const domain::DeviceId& d) { return spawn_device(system(), world_, self, d); },
                   [&](domain::UpdateId u) { return spawn_update(system(), world_, self, u); },
                   [&](domain::UserStream u) { return spawn_user(system(), world_, self, u); }},
        id);
  }

  // Asked, not told: an entity with something in flight stays, and is asked again.
  void sweep() {
    const auto idle_since = std::chrono::steady_clock::now() - limits::kIdle;
    for (const auto& entry : by_age_) {
      if (entry.used > idle_since) break;
      caf::anon_send(entry.actor, Rest{});
    }
  }

  void let_oldest_rest(std::size_t count) {
    for (const auto& entry : by_age_) {
      if (count-- == 0) break;
      caf::anon_send(entry.actor, Rest{});
    }
  }

  World& world_;
  ByAge by_age_;                          // the longest unused first
  std::unordered_map<std::string_view, ByAge::iterator> entities_;   // by the keys in there
};

}  // namespace

caf::actor spawn_shard(caf::actor_system& system, World& world) { return system.spawn<Shard>(std::ref(world)); }

}  // namespace ota::actors
