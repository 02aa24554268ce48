// Which actors follow which tags, and the delivery of committed events to them.
//
// deliver() runs on the journal's dispatcher thread, in position order; follow() and leave() on any. An actor that
// follows before it reads the log misses nothing: what it has read already, it skips by position.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>

#include "projections/decoded.hpp"

namespace ota::actors {

// The events of one group that an actor follows, by index.
struct Delivery {
  projections::DecodedPtr group;
  std::vector<std::uint32_t> events;
};
using DeliveryPtr = std::shared_ptr<const Delivery>;

class Router {
 public:
  void follow(const std::vector<std::string>& tags, const caf::actor& who);
  void leave(const std::vector<std::string>& tags, const caf::actor& who);
  void clear();
  void deliver(const projections::DecodedPtr& group);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<caf::actor>> followers_;
};

}  // namespace ota::actors
