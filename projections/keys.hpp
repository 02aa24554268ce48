// The tables of the views and the keys of their rows. The only place that knows how a key is put
// together.
//
// A key is the table's letter, then its fields in the order of the comment. Tables that are only
// ever iterated live in a column family of their own, without bloom filters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/words.hpp"
#include "projections/bytes.hpp"

namespace ota::projections {

enum class Table : char {
  // Looked up.
  kMeta = 'M',               // name -> text
  kDevice = 'd',             // ordinal -> domain::Device
  kDeviceName = 'n',         // ordinal -> device id, for ever
  kDevicePlace = 'i',        // device id -> DevicePlace; iterated too, for the list by id
  kFirmware = 'f',           // id -> domain::Firmware
  kFirmwareCounts = 'F',     // id -> downloads, completed, failed
  kFirmwareOfVersion = 'v',  // model, version -> id
  kFirmwareOfNumber = '#',   // number -> id
  kCampaign = 'c',           // id -> CampaignEntry
  kCampaignCounts = 'C',     // id -> CampaignCounts
  kCampaignTargets = 'T',    // id -> bitmap
  kBatchCounts = 'B',        // campaign, batch -> BatchCounts
  kErrorCount = 'E',         // campaign, code -> number
  kFresh = 'R',              // campaign, chunk -> bits of the targets that have no events yet
  kUpdate = 'u',             // binary id -> domain::DeviceUpdate; a campaign's are in ordinal order
  kAction = 'a',             // device id, action -> attempt, binary id
  kUser = 'U',               // token -> domain::User
  kTotals = 'S',             // -> Totals
  kNamedCount = 'K',         // counter, names -> number
  kPeriod = 'P',             // width, start -> Totals
  // Iterated.
  kWithdrawn = 'G',        // campaign, ordinal -> time: targets deleted before they were granted
  kDeviceList = 'g',       // dimension, value, device id -> nothing
  kFirmwareList = 'm',     // dimension, value, ~position of registration -> id
  kFirmwareBytes = 'y',    // sha256, id -> nothing
  kFirmwareToFetch = 'W',  // id -> nothing
  kCampaignList = 'l',     // dimension, value, ~position of creation -> id
  kOpenCampaign = 'o',     // id -> nothing
  kUpdatesByStatus = 's',  // campaign (zero: direct), indexed_as(status), rest of the id -> nothing
  kWithDeadline = 'D',     // binary id -> nothing: updates that wait for something that has a time
  kDeviceHistory = 'h',    // device id, ~position of the first event -> binary id
  kRollbackList = 'b',     // dimension, value, ~position of the first event -> binary id
  kCreatedAt = 'z',        // time, 'c' or 'u', binary id -> of a granted update its model and version
  kPeriodNames = 'N',      // width, start, counter, name -> number of first grants
  kCampaignNames = 'w',    // campaign, counter, name -> number of first grants
  kPastTotals = 'H',       // ~stretch of the log -> Totals at its end
  kPastCount = 'k',        // counter, names, ~stretch of the log -> number at its end
};

constexpr bool is_iterated(Table table) {
  switch (table) {
    case Table::kWithdrawn:
    case Table::kDeviceList:
    case Table::kFirmwareList:
    case Table::kFirmwareBytes:
    case Table::kFirmwareToFetch:
    case Table::kCampaignList:
    case Table::kOpenCampaign:
    case Table::kUpdatesByStatus:
    case Table::kWithDeadline:
    case Table::kDeviceHistory:
    case Table::kRollbackList:
    case Table::kCreatedAt:
    case Table::kPeriodNames:
    case Table::kCampaignNames:
    case Table::kPastTotals:
    case Table::kPastCount:
      return true;
    default:
      return false;
  }
}

// For people: "updates".
std::string_view name_of(Table table);

inline BytesOut key_in(Table table) {
  BytesOut out;
  out.u8(static_cast<std::uint8_t>(table));
  return out;
}

inline std::string meta_key(std::string_view name) { return key_in(Table::kMeta).raw(name).take(); }

// ---- devices ------------------------------------------------------------------------------------

inline std::string ordinal_key(Table table, domain::Ordinal ordinal) {
  return key_in(table).u32(ordinal.value).take();
}
inline std::string device_place_key(std::string_view device) {
  return key_in(Table::kDevicePlace).raw(device).take();
}
enum class DeviceDimension : std::uint8_t { kModel = 1, kVersion = 2, kGroup = 3, kOwner = 4, kModelVersion = 5 };
inline std::string device_list_prefix(DeviceDimension dimension, std::string_view value) {
  return key_in(Table::kDeviceList).u8(static_cast<std::uint8_t>(dimension)).text(value).take();
}
inline std::string history_prefix(std::string_view device) {
  return key_in(Table::kDeviceHistory).text(device).take();
}
inline std::string action_key(std::string_view device, domain::ActionId action) {
  return key_in(Table::kAction).text(device).u32(action.value).take();
}

// ---- firmware and campaigns ---------------------------------------------------------------------

inline std::string id_key(Table table, const domain::Bytes16& id) {
  return key_in(table).raw(domain::view_of(id)).take();
}
// Of rows that a campaign has many of.
inline BytesOut in_campaign(Table table, domain::CampaignId id) {
  BytesOut out = key_in(table);
  out.raw(domain::view_of(id.bytes));
  return out;
}
inline std::string firmware_version_key(std::string_view model, std::string_view version) {
  return key_in(Table::kFirmwareOfVersion).text(model).raw(version).take();
}
inline std::string firmware_number_key(std::uint32_t number) {
  return key_in(Table::kFirmwareOfNumber).u32(number).take();
}
enum class FirmwareDimension : std::uint8_t { kAll = 0, kModel = 1 };
inline std::string firmware_list_prefix(FirmwareDimension dimension, std::string_view value) {
  return key_in(Table::kFirmwareList).u8(static_cast<std::uint8_t>(dimension)).text(value).take();
}
enum class CampaignDimension : std::uint8_t { kAll = 0, kStatus = 1, kFirmware = 2, kPriority = 3 };
inline std::string campaign_list_prefix(CampaignDimension dimension, std::string_view value) {
  return key_in(Table::kCampaignList).u8(static_cast<std::uint8_t>(dimension)).text(value).take();
}
enum class RollbackDimension : std::uint8_t { kAll = 0, kCampaign = 1, kDevice = 2 };
inline std::string rollback_list_prefix(RollbackDimension dimension, std::string_view value) {
  return key_in(Table::kRollbackList).u8(static_cast<std::uint8_t>(dimension)).text(value).take();
}
// Newest first, under any list's prefix.
inline std::string newest_first(std::string_view prefix, domain::Position position) {
  return BytesOut().raw(prefix).u64(~position.value).take();
}

// ---- updates ------------------------------------------------------------------------------------

inline std::string update_key(Table table, const domain::UpdateId& id) {
  return key_in(table).raw(domain::to_binary(id)).take();
}
// The phases of an attempt share one entry, so that progress moves no index; in a campaign there
// are never more of them than run at a time.
inline domain::UpdateStatus indexed_as(domain::UpdateStatus status) {
  const bool running =
      status >= domain::UpdateStatus::kInProgress && status <= domain::UpdateStatus::kRebooting;
  return running ? domain::UpdateStatus::kInProgress : status;
}
// Of a campaign, or of direct updates (zero id).
inline std::string status_prefix(const domain::Bytes16& campaign, domain::UpdateStatus status) {
  return key_in(Table::kUpdatesByStatus)
      .raw(domain::view_of(campaign))
      .u8(static_cast<std::uint8_t>(indexed_as(status)))
      .take();
}
// What stands behind a campaign's id in an update's binary id; all of it for a direct update.
inline std::string rest_of(const domain::UpdateId& id) {
  return domain::to_binary(id).substr(id.of_campaign ? id.base.size() : 0);
}

}  // namespace ota::projections
