#include "actors/router.hpp"

#include <algorithm>

#include "actors/messages.hpp"

namespace ota::actors {

void Router::follow(const std::vector<std::string>& tags, const caf::actor& who) {
  const std::lock_guard lock(mutex_);
  for (const auto& tag : tags) followers_[tag].push_back(who);
}

void Router::leave(const std::vector<std::string>& tags, const caf::actor& who) {
  const std::lock_guard lock(mutex_);
  for (const auto& tag : tags) {
    const auto found = followers_.find(tag);
    if (found == followers_.end()) continue;
    std::erase(found->second, who);
    if (found->second.empty()) followers_.erase(found);
  }
}

void Router::clear() {
  const std::lock_guard lock(mutex_);
  followers_.clear();
}

void Router::deliver(const projections::DecodedPtr& group) {
  // In the order of first mention, so that a run is the same every time.
  std::vector<std::pair<caf::actor, std::shared_ptr<Delivery>>> deliveries;
  std::unordered_map<caf::actor_id, std::size_t> slot_of;
  const auto& raw = group->raw->events();
  {
    const std::lock_guard lock(mutex_);
    std::string name;
    for (std::uint32_t i = 0; i < raw.size(); ++i) {
      const auto give = [&](std::string_view tag) {
        name.assign(tag);
        const auto found = followers_.find(name);
        if (found == followers_.end()) return;
        for (const auto& who : found->second) {
          const auto [slot, fresh] = slot_of.try_emplace(who.id(), deliveries.size());
          if (fresh) {
            deliveries.emplace_back(who, std::make_shared<Delivery>());
            deliveries.back().second->group = group;
          }
          auto& events = deliveries[slot->second].second->events;
          if (events.empty() || events.back() != i) events.push_back(i);
        }
      };
      give(raw[i].stream);
      for (const auto tag : raw[i].tags) give(tag);
    }
  }
  for (auto& [who, delivery] : deliveries) caf::anon_send(who, DeliveryPtr(std::move(delivery)));
}

}  // namespace ota::actors
