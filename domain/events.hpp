// The vocabulary of the log: everything that can have happened, in the past tense.
//
// Plain values; codec/ turns them into bytes (events.proto) and back. What a fold needs is in the event, its stream
// and its tags. Fields and numbers are for ever: add, never change. Golden files in tests/domain/golden hold each one.
#pragma once

#include <cstdint>
#include <variant>

#include "domain/events/campaign.hpp"
#include "domain/events/device.hpp"
#include "domain/events/firmware.hpp"
#include "domain/events/update.hpp"
#include "domain/events/user.hpp"

namespace ota::domain {

// An event of a type that this version does not know: folded by nobody, skipped by every view.
struct UnknownEvent {
  std::uint16_t type = 0;
  bool operator==(const UnknownEvent&) const = default;
};

using Event = std::variant<
    UnknownEvent, FirmwareRegistered, FirmwareContentStored, FirmwareDeprecated, FirmwareRestored,
    DeviceRegistered, DeviceAttributesChanged, DeviceDeleted, DeviceReturned, IdsReserved, CampaignCreated,
    CampaignTargetPart, CampaignStarted, CampaignPaused, CampaignResumed, CampaignCancelled, CampaignAborted,
    CampaignClosed, BatchOpened, UpdateRequested, AttemptGranted, AttemptStarted, ProgressReported,
    LateReportRecorded, AttemptEnded, GrantLapsed, UpdateSkipped, CancelRequested, CancelRefused,
    UpdateCancelled, RetryAsked, DownloadCompleted, FirmwareRecalled, CampaignApproved, CampaignScheduled,
    CampaignFinished, CanaryPromoted, CanaryToppedUp, CampaignRollbackBegun, CampaignSwitched, ConsentAsked,
    ConsentGiven, UpdateHeld, UpdateRefuted, UpdateUndone, UserPreferencesChanged, SubjectErased, FirmwareContentFailed,
    FirmwareSourceChanged, AutoConfirmChanged, DeviceTokenRotated, DevicePushChanged>;

}  // namespace ota::domain
