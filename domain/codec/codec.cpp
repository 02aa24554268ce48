#include "domain/codec/codec.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <limits>
#include <type_traits>

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain {
namespace {

namespace pb = ota::events;

using codec::array_of;
using codec::bytes_of;
using codec::get;
using codec::get_list;
using codec::micros;
using codec::number;
using codec::put;
using codec::put_list;
using codec::time_of;

// ---- one pair per event: put fills the message, get reads it back --------------------------------------------

pb::FirmwareRegistered message(const FirmwareRegistered& e) {
  pb::FirmwareRegistered m;
  put(e, &m);
  return m;
}
Event event(const pb::FirmwareRegistered& m) { return get(m); }

pb::FirmwareContentStored message(const FirmwareContentStored& e) {
  pb::FirmwareContentStored m;
  m.set_sha1(bytes_of(e.sha1));
  return m;
}
Event event(const pb::FirmwareContentStored& m) { return FirmwareContentStored{array_of<20>(m.sha1())}; }

pb::FirmwareDeprecated message(const FirmwareDeprecated& e) {
  pb::FirmwareDeprecated m;
  m.set_reason(e.reason);
  return m;
}
Event event(const pb::FirmwareDeprecated& m) { return FirmwareDeprecated{m.reason()}; }

pb::FirmwareRestored message(const FirmwareRestored& e) {
  pb::FirmwareRestored m;
  m.set_reason(e.reason);
  return m;
}
Event event(const pb::FirmwareRestored& m) { return FirmwareRestored{m.reason()}; }

pb::FirmwareRecalled message(const FirmwareRecalled& e) {
  pb::FirmwareRecalled m;
  m.set_reason(e.reason);
  return m;
}
Event event(const pb::FirmwareRecalled& m) { return FirmwareRecalled{m.reason()}; }

pb::DeviceRegistered message(const DeviceRegistered& e) {
  pb::DeviceRegistered m;
  m.set_ordinal(e.ordinal.value);
  m.set_via(number(e.via));
  m.mutable_attributes()->insert(e.attributes.begin(), e.attributes.end());
  put_list(e.groups, m.mutable_groups());
  return m;
}
Event event(const pb::DeviceRegistered& m) {
  return DeviceRegistered{{m.ordinal()}, static_cast<RegisteredVia>(m.via()),
                          {m.attributes().begin(), m.attributes().end()}, get_list(m.groups())};
}

pb::DeviceAttributesChanged message(const DeviceAttributesChanged& e) {
  pb::DeviceAttributesChanged m;
  m.mutable_set()->insert(e.set.begin(), e.set.end());
  put_list(e.removed, m.mutable_removed());
  m.set_by_device(e.by_device);
  m.set_groups_changed(e.groups_changed);
  put_list(e.groups, m.mutable_groups());
  return m;
}
Event event(const pb::DeviceAttributesChanged& m) {
  return DeviceAttributesChanged{{m.set().begin(), m.set().end()}, get_list(m.removed()), m.by_device(),
                                 m.groups_changed(), get_list(m.groups())};
}

pb::DeviceDeleted message(const DeviceDeleted& e) {
  pb::DeviceDeleted m;
  m.set_reason(e.reason);
  m.set_ordinal(e.ordinal.value);
  return m;
}
Event event(const pb::DeviceDeleted& m) { return DeviceDeleted{m.reason(), {m.ordinal()}}; }

pb::DeviceReturned message(const DeviceReturned& e) {
  pb::DeviceReturned m;
  m.set_ordinal(e.ordinal.value);
  m.set_via(number(e.via));
  return m;
}
Event event(const pb::DeviceReturned& m) {
  return DeviceReturned{{m.ordinal()}, static_cast<RegisteredVia>(m.via())};
}

pb::IdsReserved message(const IdsReserved& e) {
  pb::IdsReserved m;
  m.set_first(e.first.value);
  put_list(e.devices, m.mutable_devices());
  return m;
}
Event event(const pb::IdsReserved& m) { return IdsReserved{{m.first()}, get_list(m.devices())}; }

pb::CampaignCreated message(const CampaignCreated& e) {
  pb::CampaignCreated m;
  m.set_name(e.name);
  m.set_description(e.description);
  m.set_firmware(bytes_of(e.firmware.bytes));
  m.set_firmware_name(e.firmware_name);
  put(e.facts, m.mutable_facts());
  put(e.policy, m.mutable_policy());
  put_list(e.target_groups, m.mutable_target_groups());
  m.set_target_filters_json(e.target_filters_json);
  m.set_target_device_count(e.target_device_count);
  m.mutable_excluded()->insert(e.excluded.begin(), e.excluded.end());
  m.set_targets(e.targets);
  m.set_parts(e.parts);
  if (e.parts > 0) m.set_parts_hash(bytes_of(e.parts_hash));
  m.set_resolved_at(e.resolved_at.value);
  m.set_withdrawn(e.withdrawn);
  m.set_picked(e.picked);
  m.set_pick_cutoff(e.pick_cutoff);
  if (e.canary) put(*e.canary, m.mutable_canary());
  m.set_canary_cutoff(e.canary_cutoff);
  m.set_content_pending(e.content_pending);
  return m;
}
Event event(const pb::CampaignCreated& m) {
  CampaignCreated e;
  e.name = m.name();
  e.description = m.description();
  e.firmware = {array_of<16>(m.firmware())};
  e.firmware_name = m.firmware_name();
  e.facts = get(m.facts());
  e.policy = get(m.policy());
  e.target_groups = get_list(m.target_groups());
  e.target_filters_json = m.target_filters_json();
  e.target_device_count = m.target_device_count();
  e.excluded = {m.excluded().begin(), m.excluded().end()};
  e.targets = m.targets();
  e.parts = m.parts();
  e.parts_hash = array_of<32>(m.parts_hash());
  e.resolved_at = {m.resolved_at()};
  e.withdrawn = m.withdrawn();
  e.picked = m.picked();
  e.pick_cutoff = m.pick_cutoff();
  if (m.has_canary()) e.canary = get(m.canary());
  e.canary_cutoff = m.canary_cutoff();
  e.content_pending = m.content_pending();
  return e;
}

pb::CampaignTargetPart message(const CampaignTargetPart& e) {
  pb::CampaignTargetPart m;
  m.set_index(e.index);
  m.set_targets(e.targets);
  return m;
}
Event event(const pb::CampaignTargetPart& m) { return CampaignTargetPart{m.index(), m.targets()}; }

pb::CampaignStarted message(const CampaignStarted&) { return {}; }
Event event(const pb::CampaignStarted&) { return CampaignStarted{}; }

pb::CampaignApproved message(const CampaignApproved& e) {
  pb::CampaignApproved m;
  m.set_approved(e.approved);
  m.set_comment(e.comment);
  m.set_conditions(e.conditions);
  return m;
}
Event event(const pb::CampaignApproved& m) { return CampaignApproved{m.approved(), m.comment(), m.conditions()}; }

pb::CampaignScheduled message(const CampaignScheduled& e) {
  pb::CampaignScheduled m;
  m.set_start_at(micros(e.start_at));
  return m;
}
Event event(const pb::CampaignScheduled& m) { return CampaignScheduled{time_of(m.start_at())}; }

pb::CampaignPaused message(const CampaignPaused& e) {
  pb::CampaignPaused m;
  m.set_reason(e.reason);
  if (e.cause != PauseCause::kOperator) m.set_cause(number(e.cause));  // the only one there was before the field
  if (e.verdict) put(*e.verdict, m.mutable_verdict());
  return m;
}
Event event(const pb::CampaignPaused& m) {
  CampaignPaused e{m.reason(), m.cause() == 0 ? PauseCause::kOperator : static_cast<PauseCause>(m.cause()), {}};
  if (m.has_verdict()) e.verdict = get(m.verdict());
  return e;
}

pb::CampaignFinished message(const CampaignFinished& e) {
  pb::CampaignFinished m;
  m.set_reason(e.reason);
  m.set_by_schedule(e.by_schedule);
  return m;
}
Event event(const pb::CampaignFinished& m) { return CampaignFinished{m.reason(), m.by_schedule()}; }

pb::CanaryPromoted message(const CanaryPromoted& e) {
  pb::CanaryPromoted m;
  put(e.verdict, m.mutable_verdict());
  m.set_by_operator(e.by_operator);
  m.set_reason(e.reason);
  return m;
}
Event event(const pb::CanaryPromoted& m) { return CanaryPromoted{get(m.verdict()), m.by_operator(), m.reason()}; }

pb::CanaryToppedUp message(const CanaryToppedUp& e) {
  pb::CanaryToppedUp m;
  m.set_devices(e.devices);
  m.set_cutoff(e.cutoff);
  return m;
}
Event event(const pb::CanaryToppedUp& m) { return CanaryToppedUp{m.devices(), m.cutoff()}; }

pb::CampaignResumed message(const CampaignResumed&) { return {}; }
Event event(const pb::CampaignResumed&) { return CampaignResumed{}; }

pb::CampaignCancelled message(const CampaignCancelled& e) {
  pb::CampaignCancelled m;
  m.set_reason(e.reason);
  return m;
}
Event event(const pb::CampaignCancelled& m) { return CampaignCancelled{m.reason()}; }

pb::CampaignAborted message(const CampaignAborted& e) {
  pb::CampaignAborted m;
  m.set_trigger(number(e.trigger));
  put(e.verdict, m.mutable_verdict());
  return m;
}
Event event(const pb::CampaignAborted& m) {
  return CampaignAborted{static_cast<RollbackTrigger>(m.trigger()), get(m.verdict())};
}

pb::CampaignClosed message(const CampaignClosed& e) {
  pb::CampaignClosed m;
  m.set_outcome(number(e.outcome));
  put(e.verdict, m.mutable_verdict());
  return m;
}
Event event(const pb::CampaignClosed& m) {
  return CampaignClosed{static_cast<CampaignStatus>(m.outcome()), get(m.verdict())};
}

pb::BatchOpened message(const BatchOpened& e) {
  pb::BatchOpened m;
  m.set_batch(e.batch);
  return m;
}
Event event(const pb::BatchOpened& m) { return BatchOpened{m.batch()}; }

pb::UpdateRequested message(const UpdateRequested& e) {
  pb::UpdateRequested m;
  put(e.plan, m.mutable_plan());
  return m;
}
Event event(const pb::UpdateRequested& m) { return UpdateRequested{get(m.plan())}; }

pb::AttemptGranted message(const AttemptGranted& e) {
  pb::AttemptGranted m;
  m.set_attempt(e.attempt);
  m.set_action(e.action.value);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  m.set_start_by(micros(e.start_by));
  if (e.plan) put(*e.plan, m.mutable_plan());
  return m;
}
Event event(const pb::AttemptGranted& m) {
  AttemptGranted e{m.attempt(), {m.action()}, m.batch(), m.retry(), time_of(m.start_by()), std::nullopt};
  if (m.has_plan()) e.plan = get(m.plan());
  return e;
}

pb::AttemptStarted message(const AttemptStarted& e) {
  pb::AttemptStarted m;
  m.set_attempt(e.attempt);
  m.set_timeout_at(micros(e.timeout_at));
  return m;
}
Event event(const pb::AttemptStarted& m) { return AttemptStarted{m.attempt(), time_of(m.timeout_at())}; }

pb::ProgressReported message(const ProgressReported& e) {
  pb::ProgressReported m;
  m.set_attempt(e.attempt);
  m.set_phase(number(e.phase));
  m.set_phase_basis_points(e.phase_basis_points);
  m.set_bytes_per_second(e.bytes_per_second);
  if (e.code) m.set_code(*e.code);
  put_list(e.details, m.mutable_details());
  if (e.signature_verified) m.set_signature_verified(*e.signature_verified);
  if (e.checksum_verified) m.set_checksum_verified(*e.checksum_verified);
  return m;
}
Event event(const pb::ProgressReported& m) {
  ProgressReported e{m.attempt(), static_cast<UpdateStatus>(m.phase()), m.phase_basis_points(),
                     m.bytes_per_second(), std::nullopt, get_list(m.details()), std::nullopt, std::nullopt};
  if (m.has_code()) e.code = m.code();
  if (m.has_signature_verified()) e.signature_verified = m.signature_verified();
  if (m.has_checksum_verified()) e.checksum_verified = m.checksum_verified();
  return e;
}

pb::LateReportRecorded message(const LateReportRecorded& e) {
  pb::LateReportRecorded m;
  m.set_attempt(e.attempt);
  m.set_reported(number(e.reported));
  if (e.code) m.set_code(*e.code);
  put_list(e.details, m.mutable_details());
  return m;
}
Event event(const pb::LateReportRecorded& m) {
  LateReportRecorded e{m.attempt(), static_cast<UpdateStatus>(m.reported()), std::nullopt, get_list(m.details())};
  if (m.has_code()) e.code = m.code();
  return e;
}

pb::AttemptEnded message(const AttemptEnded& e) {
  pb::AttemptEnded m;
  m.set_attempt(e.attempt);
  m.set_success(e.success);
  if (!e.success) m.set_kind(number(e.kind));
  m.set_error_code(e.error_code);
  m.set_error_message(e.error_message);
  m.set_batch(e.batch);
  m.set_retry_count(e.retry_count);
  m.set_retry(e.retry);
  m.set_spared_retries(e.spared_retries);
  if (e.retry_at) m.set_retry_at(micros(*e.retry_at));
  return m;
}
Event event(const pb::AttemptEnded& m) {
  AttemptEnded e;
  e.attempt = m.attempt();
  e.success = m.success();
  if (!e.success) e.kind = static_cast<FailureKind>(m.kind());
  e.error_code = m.error_code();
  e.error_message = m.error_message();
  e.batch = m.batch();
  e.retry_count = m.retry_count();
  e.retry = m.retry();
  e.spared_retries = m.spared_retries();
  if (m.has_retry_at()) e.retry_at = time_of(m.retry_at());
  return e;
}

pb::GrantLapsed message(const GrantLapsed& e) {
  pb::GrantLapsed m;
  m.set_attempt(e.attempt);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  return m;
}
Event event(const pb::GrantLapsed& m) { return GrantLapsed{m.attempt(), m.batch(), m.retry()}; }

pb::UpdateSkipped message(const UpdateSkipped& e) {
  pb::UpdateSkipped m;
  m.set_reason(number(e.reason));
  m.set_fact(e.fact);
  return m;
}
Event event(const pb::UpdateSkipped& m) { return UpdateSkipped{static_cast<SkipReason>(m.reason()), m.fact()}; }

pb::CancelRequested message(const CancelRequested& e) {
  pb::CancelRequested m;
  m.set_cause(number(e.cause));
  m.set_give_up_at(micros(e.give_up_at));
  return m;
}
Event event(const pb::CancelRequested& m) {
  return CancelRequested{static_cast<CancelCause>(m.cause()), time_of(m.give_up_at())};
}

pb::CancelRefused message(const CancelRefused& e) {
  pb::CancelRefused m;
  put_list(e.details, m.mutable_details());
  return m;
}
Event event(const pb::CancelRefused& m) { return CancelRefused{get_list(m.details())}; }

pb::UpdateCancelled message(const UpdateCancelled& e) {
  pb::UpdateCancelled m;
  m.set_cause(number(e.cause));
  m.set_attempt(e.attempt);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  return m;
}
Event event(const pb::UpdateCancelled& m) {
  return UpdateCancelled{static_cast<CancelCause>(m.cause()), m.attempt(), m.batch(), m.retry()};
}

pb::RetryAsked message(const RetryAsked& e) {
  pb::RetryAsked m;
  m.set_retry_count(e.retry_count);
  m.set_attempt(e.attempt);
  if (e.plan) put(*e.plan, m.mutable_plan());
  return m;
}
Event event(const pb::RetryAsked& m) {
  RetryAsked e{m.retry_count(), m.attempt(), std::nullopt};
  if (m.has_plan()) e.plan = get(m.plan());
  return e;
}

pb::DownloadCompleted message(const DownloadCompleted& e) {
  pb::DownloadCompleted m;
  m.set_firmware(bytes_of(e.firmware.bytes));
  return m;
}
Event event(const pb::DownloadCompleted& m) { return DownloadCompleted{{array_of<16>(m.firmware())}}; }

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
    {pb::DEVICE_REGISTERED, "device.registered", decode_as<pb::DeviceRegistered>},
    {pb::DEVICE_ATTRIBUTES_CHANGED, "device.attributes_changed", decode_as<pb::DeviceAttributesChanged>},
    {pb::DEVICE_DELETED, "device.deleted", decode_as<pb::DeviceDeleted>},
    {pb::DEVICE_RETURNED, "device.returned", decode_as<pb::DeviceReturned>},
    {pb::IDS_RESERVED, "directory.ids_reserved", decode_as<pb::IdsReserved>},
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
    {pb::DOWNLOAD_COMPLETED, "downloads.completed", decode_as<pb::DownloadCompleted>},
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
    pb::CAMPAIGN_FINISHED, pb::CANARY_PROMOTED, pb::CANARY_TOPPED_UP};
static_assert(std::size(kTypes) == std::variant_size_v<Event>);

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

std::string to_json_text(const Event& e) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, UnknownEvent>) {
          return "{}";
        } else {
          std::string text;
          google::protobuf::util::JsonPrintOptions options;
          options.preserve_proto_field_names = true;
          if (!google::protobuf::util::MessageToJsonString(message(value), &text, options).ok()) return "{}";
          return text;
        }
      },
      e);
}

}  // namespace ota::domain
