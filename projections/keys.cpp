#include "projections/keys.hpp"

namespace ota::projections {

std::string_view name_of(Table table) {
  switch (table) {
    case Table::kMeta: return "about the rows";
    case Table::kDevice: return "devices";
    case Table::kDeviceName: return "device names";
    case Table::kDevicePlace: return "device places";
    case Table::kFirmware: return "firmware";
    case Table::kFirmwareCounts: return "firmware counts";
    case Table::kFirmwareOfVersion: return "firmware of version";
    case Table::kFirmwareOfNumber: return "firmware of number";
    case Table::kCampaign: return "campaigns";
    case Table::kCampaignCounts: return "campaign counts";
    case Table::kCampaignTargets: return "campaign targets";
    case Table::kBatchCounts: return "batch counts";
    case Table::kErrorCount: return "error counts";
    case Table::kFresh: return "fresh targets";
    case Table::kUpdate: return "updates";
    case Table::kAction: return "actions";
    case Table::kUser: return "users";
    case Table::kTotals: return "totals";
    case Table::kNamedCount: return "named counts";
    case Table::kPeriod: return "periods";
    case Table::kWithdrawn: return "withdrawn targets";
    case Table::kDeviceList: return "device lists";
    case Table::kFirmwareList: return "firmware lists";
    case Table::kFirmwareBytes: return "firmware bytes";
    case Table::kFirmwareToFetch: return "firmware to fetch";
    case Table::kCampaignList: return "campaign lists";
    case Table::kOpenCampaign: return "open campaigns";
    case Table::kUpdatesByStatus: return "updates by status";
    case Table::kWithDeadline: return "updates with a deadline";
    case Table::kDeviceHistory: return "device histories";
    case Table::kRollbackList: return "rollback lists";
    case Table::kCreatedAt: return "created at";
    case Table::kPeriodNames: return "names in periods";
    case Table::kCampaignNames: return "names in campaigns";
    case Table::kPastTotals: return "past totals";
    case Table::kPastCount: return "past counts";
  }
  return "unknown rows";
}

}  // namespace ota::projections
