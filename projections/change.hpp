// One event on its way through the views, with what the views before have made of it.
//
// Views run in a fixed order (views.cpp): devices, firmware, campaigns, updates, then those that
// only count. A later one reads here what an earlier one found out, so that nothing is looked up or
// compared twice.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/bitmap.hpp"
#include "domain/device/device.hpp"
#include "domain/streams.hpp"
#include "domain/update/update.hpp"
#include "projections/campaign_entry.hpp"

namespace ota::projections {

// Where an update counts. Pending, in progress and the rest are as in decision 25; none: nowhere.
enum class Standing : std::uint8_t {
  kNone,
  kPending,
  kInProgress,
  kCompleted,
  kFailed,
  kCancelled
};

// What is compared of an update before and after an event. Cheap to copy.
struct UpdateFacts {
  bool exists = false;
  domain::UpdateStatus status = domain::UpdateStatus::kScheduled;
  std::uint32_t attempt = 0;
  std::uint32_t batch = 0;  // that it counts in; 0: none
  bool held = false;
  domain::FirmwareId firmware;
  std::uint64_t download_size = 0;
  domain::Time created_at{};
  std::uint64_t took_us = 0;  // of a completed one, started_at to completed_at
  std::optional<domain::Time> start_by;
  std::optional<domain::Time> timeout_at;
  std::optional<domain::Time> give_up_at;
  std::optional<domain::Time> window_opens_at;  // it holds till then
};

struct UpdateChange {
  const domain::DeviceUpdate* update = nullptr;  // after the event
  const CampaignEntry* campaign = nullptr;  // null: a direct update, or one that no campaign knows
  UpdateFacts before;
  UpdateFacts after;
  Standing stood = Standing::kNone;
  Standing stands = Standing::kNone;
};

struct CampaignChange {
  const CampaignEntry* campaign = nullptr;  // after the event
  bool created = false;
  bool started = false;  // for the first time
  domain::CampaignStatus status_before = domain::CampaignStatus::kCreated;
  bool ended = false;                   // by this event
  std::uint64_t pending_cancelled = 0;  // ended: how many were pending; set by the view that counts
  // created: the devices, and those of them that were deleted while the parts of the set went
  // ahead.
  std::shared_ptr<const domain::Bitmap> targets;
  domain::Bitmap withdrawn;
};

// What lists and counts know of a device. A device that is deleted, or only reserved, is not
// listed.
struct DeviceListing {
  bool listed = false;
  std::string model;
  std::string version;
  std::vector<std::string> groups;
  domain::Caller owner;
};
struct DeviceChange {
  const domain::Device* device = nullptr;  // after the event
  bool relisted = false;                   // the two below are filled, and may differ
  DeviceListing before;
  DeviceListing after;
};

// A target was deleted before it was granted: its campaign, and when that was created.
struct WithdrawnFrom {
  domain::CampaignId campaign;
  domain::Time created_at{};
};

struct Change {
  explicit Change(const domain::Recorded& e) : event(e) {}

  const domain::Recorded& event;
  std::optional<DeviceChange> device;
  std::optional<CampaignChange> campaign;
  std::optional<UpdateChange> update;
  std::vector<WithdrawnFrom> withdrawn_from;
};

}  // namespace ota::projections
