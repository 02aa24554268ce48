// What the views answer with, and what may be asked of their lists.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "domain/campaign/campaign.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"

namespace ota::projections {

// Firmware with what is counted about it.
struct FirmwareRow {
  domain::Firmware firmware;
  std::uint64_t download_count = 0;  // decision 15
  std::uint64_t completed = 0;       // updates, for success_rate (BR-OTA-041)
  std::uint64_t failed = 0;
};

struct BatchCounts {
  std::uint32_t granted = 0;
  std::uint32_t completed = 0;
  std::uint32_t failed = 0;
  std::uint32_t cancelled = 0;
};

// A campaign without its sets. pending = total - in_progress - completed - failed - cancelled,
// always.
struct CampaignRow {
  domain::CampaignId id;
  domain::CampaignCreated record;  // `targets` emptied: see Views::targets
  domain::CampaignStatus status = domain::CampaignStatus::kCreated;
  std::string status_reason;
  std::optional<domain::Verdict> verdict;
  bool closed = false;
  bool finished = false;
  bool promoted = false;
  bool switched = false;
  domain::CampaignRollback rollback;  // the present or last one, without its sets; number 0: none
  bool approved = false;
  domain::Caller approved_by;
  std::string approval_comment;
  std::string approval_conditions;
  std::uint32_t total = 0;
  std::uint32_t in_progress = 0;
  std::uint32_t completed = 0;
  std::uint32_t failed = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t held = 0;    // of those in progress: verified, they wait for the switch
  std::uint32_t undone = 0;  // of the completed: taken back by a rollback
  std::uint32_t without_download = 0;  // successes for which nobody asked for the bytes
  std::uint32_t batch = 0;   // the open one
  std::map<std::uint32_t, BatchCounts> batches;
  std::map<std::string, std::uint64_t> error_codes;  // of failed attempts
  std::uint64_t update_us_total = 0;  // of completed updates, started_at to completed_at
  domain::Caller created_by;
  domain::Time created_at{};
  domain::Time updated_at{};
  std::optional<domain::Time> started_at;
  std::optional<domain::Time> ended_at;
  std::uint32_t revision = 0;
  std::uint32_t pending() const { return total - in_progress - completed - failed - cancelled; }
};

// Counters over everything, or over what was created in a period (spec/api.md section 6, decision 30;
// of a period `devices` and what follows it are empty). Updates of campaigns count from the
// campaign's creation.
struct Statistics {
  std::map<domain::CampaignStatus, std::uint64_t> campaigns;
  std::uint64_t total_updates = 0;
  std::uint64_t in_progress_updates = 0;
  std::uint64_t completed_updates = 0;
  std::uint64_t failed_updates = 0;
  std::uint64_t cancelled_updates = 0;
  std::uint64_t update_us_total = 0;
  std::uint64_t data_transferred = 0;  // bytes: file sizes of completed updates (BR-OTA-045)
  std::map<std::string, std::uint64_t> by_device_type;  // granted updates
  std::map<std::string, std::uint64_t> by_firmware_version;
  std::uint64_t rollbacks = 0;
  std::uint64_t started_campaigns = 0;
  std::uint64_t devices = 0;  // registered, not deleted
  // Of these, by device_model and firmware version, where both are known.
  std::map<std::string, std::map<std::string, std::uint64_t>> devices_by_model_version;
  std::uint64_t pending_updates() const {
    return total_updates - in_progress_updates - completed_updates - failed_updates -
           cancelled_updates;
  }
};

struct FirmwareFilter {
  std::optional<std::string> device_model, manufacturer, version, label;
  std::optional<domain::FirmwareStatus> status;
  std::optional<domain::Content> content = {};
  std::optional<bool> is_beta, is_security_update;
};
struct CampaignFilter {
  std::optional<domain::CampaignStatus> status;
  std::optional<domain::Priority> priority;
  std::optional<domain::FirmwareId> firmware;
};
struct RollbackFilter {
  std::optional<domain::DeviceId> device;
  std::optional<domain::CampaignId> campaign;
};
struct DeviceFilter {
  std::optional<std::string> model, firmware_version, group, id_prefix;
  std::optional<domain::Caller> owner = {};  // not nobody
};

// The update and attempt behind a DDI action of a device.
struct ActionRef {
  domain::UpdateId update;
  std::uint32_t attempt = 0;
};

// Something that must happen at a time unless an event removes it first.
struct Deadline;
using WantedDeadline = std::function<bool(const Deadline&)>;

struct Deadline {
  domain::Time due{};
  domain::UpdateId update;
  domain::UpdateDeadline kind = domain::UpdateDeadline::kTimeout;
  std::uint32_t attempt = 0;
};

}  // namespace ota::projections
