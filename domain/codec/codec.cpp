#include "domain/codec/codec.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>
#include <type_traits>

#include "domain/codec/campaign_messages.hpp"
#include "domain/codec/device_messages.hpp"
#include "domain/codec/events.pb.h"
#include "domain/codec/firmware_messages.hpp"
#include "domain/codec/readable_message.hpp"
#include "domain/codec/service_messages.hpp"
#include "domain/codec/update_messages.hpp"
#include "domain/codec/user_messages.hpp"

namespace ota::domain {
namespace {

namespace pb = ota::events;

using codec::event;
using codec::message;

// ---- the table -----------------------------------------------------------------------------------------------

struct Row {
  std::uint16_t type;
  std::string_view name;
  std::optional<Event> (*decode)(std::string_view);
};

template <class Message>
std::optional<Event> decode_as(std::string_view payload) {
  Message m;
  if (payload.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return std::nullopt;
  if (!m.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  return event(m);
}

constexpr Row kRows[] = {
    {pb::FIRMWARE_REGISTERED, "firmware.registered", decode_as<pb::FirmwareRegistered>},
    {pb::FIRMWARE_CONTENT_STORED, "firmware.content_stored", decode_as<pb::FirmwareContentStored>},
    {pb::FIRMWARE_DEPRECATED, "firmware.deprecated", decode_as<pb::FirmwareDeprecated>},
    {pb::FIRMWARE_RESTORED, "firmware.restored", decode_as<pb::FirmwareRestored>},
    {pb::FIRMWARE_RECALLED, "firmware.recalled", decode_as<pb::FirmwareRecalled>},
    {pb::FIRMWARE_CONTENT_FAILED, "firmware.content_failed", decode_as<pb::FirmwareContentFailed>},
    {pb::FIRMWARE_SOURCE_CHANGED, "firmware.source_changed", decode_as<pb::FirmwareSourceChanged>},
    {pb::DEVICE_REGISTERED, "device.registered", decode_as<pb::DeviceRegistered>},
    {pb::DEVICE_ATTRIBUTES_CHANGED, "device.attributes_changed", decode_as<pb::DeviceAttributesChanged>},
    {pb::DEVICE_DELETED, "device.deleted", decode_as<pb::DeviceDeleted>},
    {pb::DEVICE_RETURNED, "device.returned", decode_as<pb::DeviceReturned>},
    {pb::IDS_RESERVED, "directory.ids_reserved", decode_as<pb::IdsReserved>},
    {pb::AUTO_CONFIRM_CHANGED, "device.auto_confirm_changed", decode_as<pb::AutoConfirmChanged>},
    {pb::DEVICE_TOKEN_ROTATED, "device.token_rotated", decode_as<pb::DeviceTokenRotated>},
    {pb::DEVICE_PUSH_CHANGED, "device.push_changed", decode_as<pb::DevicePushChanged>},
    {pb::CAMPAIGN_CREATED, "campaign.created", decode_as<pb::CampaignCreated>},
    {pb::CAMPAIGN_TARGET_PART, "campaign.target_part", decode_as<pb::CampaignTargetPart>},
    {pb::CAMPAIGN_STARTED, "campaign.started", decode_as<pb::CampaignStarted>},
    {pb::CAMPAIGN_PAUSED, "campaign.paused", decode_as<pb::CampaignPaused>},
    {pb::CAMPAIGN_RESUMED, "campaign.resumed", decode_as<pb::CampaignResumed>},
    {pb::CAMPAIGN_ABORTED, "campaign.aborted", decode_as<pb::CampaignAborted>},
    {pb::CAMPAIGN_CANCELLED, "campaign.cancelled", decode_as<pb::CampaignCancelled>},
    {pb::CAMPAIGN_CLOSED, "campaign.closed", decode_as<pb::CampaignClosed>},
    {pb::CAMPAIGN_APPROVED, "campaign.approved", decode_as<pb::CampaignApproved>},
    {pb::CAMPAIGN_SCHEDULED, "campaign.scheduled", decode_as<pb::CampaignScheduled>},
    {pb::CAMPAIGN_FINISHED, "campaign.finished", decode_as<pb::CampaignFinished>},
    {pb::CANARY_PROMOTED, "campaign.canary_promoted", decode_as<pb::CanaryPromoted>},
    {pb::CANARY_TOPPED_UP, "campaign.canary_topped_up", decode_as<pb::CanaryToppedUp>},
    {pb::CAMPAIGN_ROLLBACK_BEGUN, "campaign.rollback_begun", decode_as<pb::CampaignRollbackBegun>},
    {pb::CAMPAIGN_SWITCHED, "campaign.switched", decode_as<pb::CampaignSwitched>},
    {pb::BATCH_OPENED, "campaign.batch_opened", decode_as<pb::BatchOpened>},
    {pb::UPDATE_REQUESTED, "update.requested", decode_as<pb::UpdateRequested>},
    {pb::ATTEMPT_GRANTED, "update.granted", decode_as<pb::AttemptGranted>},
    {pb::ATTEMPT_STARTED, "update.started", decode_as<pb::AttemptStarted>},
    {pb::PROGRESS_REPORTED, "update.progress", decode_as<pb::ProgressReported>},
    {pb::LATE_REPORT_RECORDED, "update.late_report", decode_as<pb::LateReportRecorded>},
    {pb::ATTEMPT_ENDED, "update.attempt_ended", decode_as<pb::AttemptEnded>},
    {pb::GRANT_LAPSED, "update.grant_lapsed", decode_as<pb::GrantLapsed>},
    {pb::UPDATE_SKIPPED, "update.skipped", decode_as<pb::UpdateSkipped>},
    {pb::CANCEL_REQUESTED, "update.cancel_requested", decode_as<pb::CancelRequested>},
    {pb::CANCEL_REFUSED, "update.cancel_refused", decode_as<pb::CancelRefused>},
    {pb::UPDATE_CANCELLED, "update.cancelled", decode_as<pb::UpdateCancelled>},
    {pb::RETRY_ASKED, "update.retry_asked", decode_as<pb::RetryAsked>},
    {pb::CONSENT_ASKED, "update.consent_asked", decode_as<pb::ConsentAsked>},
    {pb::CONSENT_GIVEN, "update.consent_given", decode_as<pb::ConsentGiven>},
    {pb::UPDATE_HELD, "update.held", decode_as<pb::UpdateHeld>},
    {pb::UPDATE_REFUTED, "update.refuted", decode_as<pb::UpdateRefuted>},
    {pb::UPDATE_UNDONE, "update.undone", decode_as<pb::UpdateUndone>},
    {pb::USER_PREFERENCES_CHANGED, "user.preferences_changed", decode_as<pb::UserPreferencesChanged>},
    {pb::SUBJECT_ERASED, "user.erased", decode_as<pb::SubjectErased>},
    {pb::DOWNLOAD_COMPLETED, "downloads.completed", decode_as<pb::DownloadCompleted>},
    {pb::LOG_KEY_ADOPTED, "service.log_key_adopted", decode_as<pb::LogKeyAdopted>},
    {pb::AUDIT_READ, "audit.read", decode_as<pb::AuditRead>},
};

// In the order of the variant's alternatives.
constexpr std::uint16_t kTypes[] = {
    pb::UNKNOWN, pb::FIRMWARE_REGISTERED, pb::FIRMWARE_CONTENT_STORED, pb::FIRMWARE_DEPRECATED,
    pb::FIRMWARE_RESTORED, pb::DEVICE_REGISTERED, pb::DEVICE_ATTRIBUTES_CHANGED, pb::DEVICE_DELETED,
    pb::DEVICE_RETURNED, pb::IDS_RESERVED, pb::CAMPAIGN_CREATED, pb::CAMPAIGN_TARGET_PART,
    pb::CAMPAIGN_STARTED, pb::CAMPAIGN_PAUSED, pb::CAMPAIGN_RESUMED, pb::CAMPAIGN_CANCELLED,
    pb::CAMPAIGN_ABORTED, pb::CAMPAIGN_CLOSED, pb::BATCH_OPENED, pb::UPDATE_REQUESTED, pb::ATTEMPT_GRANTED,
    pb::ATTEMPT_STARTED, pb::PROGRESS_REPORTED, pb::LATE_REPORT_RECORDED, pb::ATTEMPT_ENDED,
    pb::GRANT_LAPSED, pb::UPDATE_SKIPPED, pb::CANCEL_REQUESTED, pb::CANCEL_REFUSED, pb::UPDATE_CANCELLED,
    pb::RETRY_ASKED, pb::DOWNLOAD_COMPLETED, pb::FIRMWARE_RECALLED, pb::CAMPAIGN_APPROVED, pb::CAMPAIGN_SCHEDULED,
    pb::CAMPAIGN_FINISHED, pb::CANARY_PROMOTED, pb::CANARY_TOPPED_UP, pb::CAMPAIGN_ROLLBACK_BEGUN,
    pb::CAMPAIGN_SWITCHED, pb::CONSENT_ASKED, pb::CONSENT_GIVEN, pb::UPDATE_HELD, pb::UPDATE_REFUTED, pb::UPDATE_UNDONE,
    pb::USER_PREFERENCES_CHANGED, pb::SUBJECT_ERASED, pb::FIRMWARE_CONTENT_FAILED, pb::FIRMWARE_SOURCE_CHANGED,
    pb::AUTO_CONFIRM_CHANGED, pb::DEVICE_TOKEN_ROTATED, pb::DEVICE_PUSH_CHANGED, pb::LOG_KEY_ADOPTED,
    pb::AUDIT_READ};
static_assert(std::size(kTypes) == std::variant_size_v<EventVariant>);

// Maps are written in key order, so that equal events have equal bytes.
std::string serialise(const google::protobuf::Message& m) {
  std::string bytes;
  google::protobuf::io::StringOutputStream out(&bytes);
  google::protobuf::io::CodedOutputStream coded(&out);
  coded.SetSerializationDeterministic(true);
  m.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

std::uint16_t event_type(const Event& e) {
  if (const auto* unknown = std::get_if<UnknownEvent>(&e)) return unknown->type;
  return kTypes[e.index()];
}

EncodedEvent encode(const Event& e) {
  return std::visit(
      [&](const auto& value) -> EncodedEvent {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, UnknownEvent>) {
          return {value.type, {}};
        } else {
          return {event_type(e), serialise(message(value))};
        }
      },
      e);
}

std::optional<Event> decode(std::uint16_t type, std::string_view payload) {
  for (const auto& row : kRows) {
    if (row.type == type) return row.decode(payload);
  }
  return UnknownEvent{type};
}

std::string_view event_name(std::uint16_t type) {
  for (const auto& row : kRows) {
    if (row.type == type) return row.name;
  }
  return "unknown";
}

ReadableFields readable(const Event& e) {
  return std::visit(
      [](const auto& value) -> ReadableFields {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, UnknownEvent>) {
          return {};
        } else {
          return codec::readable_message(message(value));
        }
      },
      e);
}

}  // namespace ota::domain
