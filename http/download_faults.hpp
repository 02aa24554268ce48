// What was seen of downloads that failed, until their devices say so, or until they have their bytes (domain/failure.hpp).
//
// In memory, of the present action of at most kDevicesMax devices; of more, those seen longest ago are forgotten. Safe from
// any thread.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "domain/failure.hpp"

namespace ota::http {

class DownloadFaults {
 public:
  // What is ours is not made less by what breaks off afterwards, and the end of an older action's download is none of a newer.
  void note(const std::string& device, domain::ActionId action, domain::SeenFault seen);
  // It has its bytes, or its action is over.
  void forget(const std::string& device, domain::ActionId action);
  // Of this very action.
  std::optional<domain::SeenFault> find(const std::string& device, domain::ActionId action) const;
  std::size_t size() const;

  // As many as fail at once when the store or the network does.
  static constexpr std::size_t kDevicesMax = 10'000;

 private:
  struct Entry {
    std::string device;
    domain::ActionId action;
    domain::SeenFault seen;
  };
  using Entries = std::list<Entry>;

  mutable std::mutex mutex_;
  Entries entries_;                         // the oldest first
  std::unordered_map<std::string, Entries::iterator> by_device_;
};

}  // namespace ota::http
