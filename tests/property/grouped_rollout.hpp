// A rollout as the service has it: what happens is written in groups that share a time, a campaign decides once behind each, and
// what it decides is decided anew when it is its turn and written some groups later. Grants are decided on what had been delivered,
// and written with the group behind that.
//
// Its devices are the same whatever the policy: when each comes, how long its attempts take and how they end is theirs. So two
// policies can be compared in one world.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/campaign/grant.hpp"

namespace ota::domain::testing {

struct GroupedDevice {
  Duration comes{};                         // behind the start; from then on it asks
  struct Attempt {
    Duration starts{};                      // behind its grant
    Duration ends{};                        // behind its start
    bool success = true;
    std::string code{};
  };
  std::vector<Attempt> attempts;            // the last is repeated
  Duration comes_again{};                   // behind when its next attempt may begin
};

struct GroupedWorld {
  std::vector<GroupedDevice> devices;
  std::uint32_t seed = 0;                   // of the groups and of how late it decides
  std::uint32_t group_max = 50;
  std::uint32_t late_max = 3;               // groups that a decision is written late
  Duration gap_max = std::chrono::milliseconds(200);   // between two groups
};

struct GroupedTruth {
  Campaign campaign;
  Bitmap granted;
  std::optional<Time> stopped_at;
  std::uint32_t granted_when_stopped = 0;
  std::vector<Recorded> log;
  bool is_over = false;
};

// Until it has closed, or stands still for ever.
GroupedTruth roll_out(const GroupedWorld& world, const CampaignPolicy& policy);

}  // namespace ota::domain::testing
