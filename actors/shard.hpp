// A shard: knows the entities whose keys hash to it; brings them to life on demand and lets idle ones rest.
//
// A table behind a mutex and no actor: whoever sends a request hands it to its entity, without a turn of somebody else's in
// between. The mutex is held for a look into the table, to bring an entity to life, which reads nothing, and to put a request
// into its mailbox: an entity that is let go of has none left, so that nobody's requests change their order. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include "actors/request.hpp"

namespace ota::actors {

struct World;

class Shard {
 public:
  // Entities are brought to life from here on, until close(); with more than so many the oldest are asked to rest.
  void open(caf::actor_system& system, World& world, std::size_t entities_max);
  // Hands a request to the entity of this key. Closed: the request is dropped, which answers it.
  void send(std::string key, RequestPtr request);
  // The entity of this key may rest, unless it has requests: nobody sends it any from here on. False: it has.
  bool forget(const std::string& key, const std::function<bool()>& has_requests);
  // Lets those rest that nobody has spoken to for a while.
  void sweep();
  // Ends all entities.
  void close();

 private:
  struct Entry {
    std::string key;
    caf::actor actor;
    std::chrono::steady_clock::time_point used;
  };
  using ByAge = std::list<Entry>;

  caf::actor find_or_wake(std::string key, const EntityId& id);
  caf::actor wake(const EntityId& id);
  void let_oldest_rest(std::size_t count);

  std::mutex mutex_;
  caf::actor_system* system_ = nullptr;   // null: closed
  World* world_ = nullptr;
  std::size_t entities_max_ = 0;
  ByAge by_age_;                          // the longest unused first
  std::unordered_map<std::string_view, ByAge::iterator> entities_;   // by the keys in there
};

}  // namespace ota::actors
