// What an operator asked of a campaign.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/words.hpp"

namespace ota::domain {

struct MaintenanceWindow {
  std::uint16_t start_minute = 0;         // of the day
  std::uint16_t end_minute = 0;
  std::string timezone;                   // IANA, or "device"
  bool operator==(const MaintenanceWindow&) const = default;
};

// What an operator asked for (spec/api.md section 4). Defaults are those of the specification.
struct CampaignPolicy {
  Strategy strategy = Strategy::kStaged;
  Priority priority = Priority::kNormal;
  std::uint32_t rollout_percentage = 100;
  std::uint32_t max_concurrent_updates = 10;
  std::uint32_t batch_size = 50;
  std::uint32_t batch_settle_percent = 95;
  std::optional<Time> scheduled_start;
  std::optional<Time> scheduled_end;
  std::uint32_t timeout_minutes = 60;
  bool auto_rollback = true;
  std::uint32_t failure_threshold_percent = 20;
  std::uint32_t min_finished_for_verdict = 20;
  std::vector<RollbackTrigger> rollback_triggers{RollbackTrigger::kFailureRate};
  bool requires_approval = false;
  bool allow_beta = false;
  bool force_update = false;
  std::optional<MaintenanceWindow> maintenance_window;
  std::uint32_t max_retries = 3;
  std::vector<std::string> pre_update_commands;
  std::vector<std::string> post_update_commands;
  bool notify_on_start = false;
  bool notify_on_complete = false;
  bool notify_on_failure = true;
  std::vector<std::string> notification_channels;
  std::uint32_t canary_p0_basis_points = 0;   // 1/100 %; 0: the rule of the evidence verdict
  std::uint32_t canary_p1_basis_points = 0;
  std::optional<Time> switch_at;
  bool require_version_proof = false;
  bool requires_device_confirmation = false;
  bool download_only = false;
  std::uint32_t error_threshold_count = 10;
  std::uint32_t health_window_minutes = 0;    // 0: as timeout_minutes
  std::uint32_t rollback_deadline_minutes = 1440;
  bool operator==(const CampaignPolicy&) const = default;
};

}  // namespace ota::domain
