// What a poll needs to know of a device, in memory: most polls have nothing to do and must cost
// next to nothing.
//
// Written by the views as they apply events (one thread); read by every HTTP thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "domain/device/device.hpp"
#include "projections/answers.hpp"

namespace ota::projections {

struct PollRecord {
  domain::Ordinal ordinal;
  domain::ActionId active;     // of the update in progress; 0: none
  domain::ActionId consent;    // its user is asked about this one; 0: none, or one is in progress
  domain::ActionId installed;  // of the newest update that succeeded; 0: none
  bool deleted = false;
  bool cancelling = false;  // cancelAction is offered for `active`
  // An emergency may ask `active` to make room (decision 9), and one of the device's own may be
  // tried from then on.
  bool preemptible = false;
  bool released = false;        // `active` held, and may install now
  bool has_window = false;      // `active` may be installed in a maintenance window alone
  bool download_only = false;   // `active` is not to be installed
  bool may_hold = false;        // its client may have to wait between download and installation
  bool awaits_version = false;  // `active` is done but for its version, which was not seen yet
  bool auto_confirms = false;   // its user need not be asked
  bool push = false;            // it takes its commands over MQTT
  std::uint32_t token_generation = 0;
  // The token of the generation before is good until then.
  domain::Time previous_token_until = domain::Time::min();
  domain::Time emergency_at = domain::Time::max();
  // The earliest moment at which an update that waits on the device itself may be tried: a direct
  // one, or a retry.
  domain::Time ask_at = domain::Time::max();
  domain::Time wants_attributes_from = domain::Time::max();
};
PollRecord poll_record(const domain::Device& device);

// The attempt that a device is at.
struct Underway {
  domain::ActionId action;
  ActionRef ref;
};
// Empty: none, or its device has said how it ended.
std::optional<Underway> underway(const domain::Device& device);

class PollIndex {
 public:
  std::optional<PollRecord> find(std::string_view device_id) const;
  // What a report on this action belongs to, without a look at any row; empty: it is not the one that the device is at.
  std::optional<ActionRef> underway(std::string_view device_id, domain::ActionId action) const;
  void put(const std::string& device_id, const PollRecord& record, const std::optional<Underway>& underway = {});
  void clear();
  // Takes over what the other one has; it is left with what was here. No reader finds a device in neither.
  void exchange_with(PollIndex& other);
  std::size_t size() const;
  // The devices that take their commands over MQTT; a walk over all of them.
  std::vector<std::string> with_push() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  struct Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<std::string, PollRecord, Hash, std::equal_to<>> records;
    // Of few devices at a time: not a part of everybody's record.
    std::unordered_map<std::string, Underway, Hash, std::equal_to<>> underway;
  };
  Shard& shard_of(std::string_view device_id);
  const Shard& shard_of(std::string_view device_id) const;
  // Contention of some dozen threads, and no more memory than that needs.
  static constexpr std::size_t kShards = 64;
  std::array<Shard, kShards> shards_;
};

}  // namespace ota::projections
