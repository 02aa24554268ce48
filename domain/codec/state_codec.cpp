// A state's bytes: version (1), checksum of the rest (4, little endian), a message of states.proto.
//
// The checksum is what tells a damaged state from another one: protobuf itself reads most garbage
// as something.
#include "domain/codec/state_codec.hpp"

#include <cstring>
#include <limits>

#include "domain/codec/convert.hpp"
#include "domain/codec/states.pb.h"

namespace ota::domain {
namespace {

namespace pb = ota::states;

using codec::array_of;
using codec::bytes_of;
using codec::get;
using codec::get_list;
using codec::micros;
using codec::number;
using codec::put;
using codec::put_list;
using codec::time_of;

constexpr char kVersion = 2;
constexpr std::size_t kHeaderBytes = 1 + sizeof(std::uint32_t);

// ---- the frame ----------------------------------------------------------------------------------

// Finds accidents, not attacks. Eight bytes at a time: a row is checked in some tens of
// nanoseconds.
std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  std::uint64_t sum = bytes.size() * kOdd;
  const auto mix = [&sum](std::uint64_t word) {
    sum = (sum ^ word) * kOdd;
    sum ^= sum >> 29;
  };
  for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    mix(word);
  }
  std::uint64_t tail = 0;
  if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());
  mix(tail);
  return static_cast<std::uint32_t>(sum ^ sum >> 32);
}

template <class Message>
std::string frame(const Message& message) {
  const std::size_t size = message.ByteSizeLong();
  std::string bytes(kHeaderBytes + size, '\0');
  bytes[0] = kVersion;
  auto* body = reinterpret_cast<std::uint8_t*>(bytes.data() + kHeaderBytes);
  message.SerializeWithCachedSizesToArray(body);
  const std::uint32_t sum = checksum(std::string_view(bytes).substr(kHeaderBytes));
  for (std::size_t i = 0; i < sizeof(sum); ++i) bytes[1 + i] = static_cast<char>(sum >> (8 * i));
  return bytes;
}

template <class Message>
bool unframe(std::string_view bytes, Message& message) {
  if (bytes.size() < kHeaderBytes || bytes[0] != kVersion) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < sizeof(sum); ++i) {
    sum |= std::uint32_t{static_cast<unsigned char>(bytes[1 + i])} << (8 * i);
  }
  bytes.remove_prefix(kHeaderBytes);
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
  return checksum(bytes) == sum &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// ---- small pieces -------------------------------------------------------------------------------

std::string set_bytes(const Bitmap& set) { return set.isEmpty() ? std::string() : to_bytes(set); }

std::optional<Time> optional_time(bool has, std::int64_t us) {
  return has ? std::optional<Time>(time_of(us)) : std::nullopt;
}

// ---- one pair per state -------------------------------------------------------------------------

void put(const UpdateId& id, const UnfinishedUpdate& u, pb::UnfinishedUpdate* m) {
  m->set_id(to_binary(id));
  m->set_status(number(u.status));
  put(u.plan, m->mutable_plan());
  m->set_attempt(u.attempt);
  m->set_retry_count(u.retry_count);
  if (u.next_retry_at) m->set_next_retry_at(micros(*u.next_retry_at));
  m->set_batch(u.batch);
  m->set_retry(u.retry);
  m->set_action(u.action.value);
  m->set_started(u.started);
  m->set_cancelling(u.cancelling);
  m->set_requested_at(micros(u.requested_at));
  m->set_consent_asked(u.consent_asked);
  m->set_consented(u.consented);
  m->set_released(u.released);
  m->set_awaits_version(u.awaits_version);
}
UnfinishedUpdate get(const pb::UnfinishedUpdate& m) {
  UnfinishedUpdate u;
  u.status = static_cast<UpdateStatus>(m.status());
  u.plan = get(m.plan());
  u.attempt = m.attempt();
  u.retry_count = m.retry_count();
  u.next_retry_at = optional_time(m.has_next_retry_at(), m.next_retry_at());
  u.batch = m.batch();
  u.retry = m.retry();
  u.action = {m.action()};
  u.started = m.started();
  u.cancelling = m.cancelling();
  u.requested_at = time_of(m.requested_at());
  u.consent_asked = m.consent_asked();
  u.consented = m.consented();
  u.released = m.released();
  u.awaits_version = m.awaits_version();
  return u;
}

void put(const Installed& i, pb::Installed* m) {
  m->set_update(to_binary(i.update));
  m->set_firmware(bytes_of(i.firmware.bytes));
  m->set_from_version(i.from_version);
  m->set_to_version(i.to_version);
  m->set_at(micros(i.at));
  m->set_batch(i.batch);
  m->set_retry(i.retry);
  if (i.health_until) m->set_health_until(micros(*i.health_until));
  m->set_followed(i.followed);
}
std::optional<Installed> get(const pb::Installed& m) {
  const auto update = update_id_from_binary(m.update());
  if (!update) return std::nullopt;
  return Installed{*update,   {array_of<16>(m.firmware())}, m.from_version(), m.to_version(), time_of(m.at()), m.batch(),
                   m.retry(), optional_time(m.has_health_until(), m.health_until()), m.followed()};
}

void put(const ReturnDue& r, pb::ReturnDue* m) {
  m->set_undoes(to_binary(r.undoes));
  m->set_firmware(bytes_of(r.firmware.bytes));
  m->set_to_version(r.to_version);
  m->set_undone_version(r.undone_version);
  m->set_trigger(number(r.trigger));
  m->set_fact(r.fact);
}
std::optional<ReturnDue> get(const pb::ReturnDue& m) {
  const auto undoes = update_id_from_binary(m.undoes());
  if (!undoes) return std::nullopt;
  return ReturnDue{*undoes, {array_of<16>(m.firmware())}, m.to_version(), m.undone_version(),
                   static_cast<RollbackTrigger>(m.trigger()), m.fact()};
}

void put_times(const std::map<std::uint32_t, Time>& from, auto* ordinals, auto* times) {
  for (const auto& [ordinal, at] : from) {
    ordinals->Add(ordinal);
    times->Add(micros(at));
  }
}
std::map<std::uint32_t, Time> get_times(const auto& ordinals, const auto& times) {
  std::map<std::uint32_t, Time> all;
  for (int i = 0; i < ordinals.size(); ++i) all.emplace_hint(all.end(), ordinals[i], time_of(times[i]));
  return all;
}

void put(const CampaignRollback& r, pb::CampaignRollback* m) {
  m->set_number(r.number);
  m->set_trigger(number(r.trigger));
  m->set_reason(r.reason);
  m->set_begun_at(micros(r.begun_at));
  m->set_give_up_at(micros(r.give_up_at));
  m->set_granted(set_bytes(r.granted));
  m->set_ended(set_bytes(r.ended));
  put_times(r.retries, m->mutable_retry_ordinals(), m->mutable_retry_times());
}
CampaignRollback get(const pb::CampaignRollback& m) {
  return {m.number(), static_cast<RollbackTrigger>(m.trigger()), m.reason(), time_of(m.begun_at()),
          time_of(m.give_up_at()), bitmap_from_bytes(m.granted()), bitmap_from_bytes(m.ended()),
          get_times(m.retry_ordinals(), m.retry_times())};
}

}  // namespace

// ---- firmware -----------------------------------------------------------------------------------

std::string encode_state(const Firmware& s) {
  pb::Firmware m;
  m.set_exists(s.exists);
  put(s.record, m.mutable_record());
  m.set_content_here(s.content_here);
  m.set_content_error(s.content_error);
  m.set_sha1(bytes_of(s.sha1));
  m.set_status(number(s.status));
  m.set_status_reason(s.status_reason);
  m.set_created_by(s.created_by.token);
  m.set_created_at(micros(s.created_at));
  m.set_updated_at(micros(s.updated_at));
  m.set_revision(s.revision);
  m.set_position(s.position.value);
  return frame(m);
}

std::optional<Firmware> decode_firmware_state(std::string_view bytes) {
  pb::Firmware m;
  if (!unframe(bytes, m)) return std::nullopt;
  Firmware s;
  s.exists = m.exists();
  s.record = get(m.record());
  s.content_here = m.content_here();
  s.content_error = m.content_error();
  s.sha1 = array_of<20>(m.sha1());
  s.status = static_cast<FirmwareStatus>(m.status());
  s.status_reason = m.status_reason();
  s.created_by = {m.created_by()};
  s.created_at = time_of(m.created_at());
  s.updated_at = time_of(m.updated_at());
  s.revision = m.revision();
  s.position = {m.position()};
  return s;
}

// ---- device -------------------------------------------------------------------------------------

std::string encode_state(const Device& s) {
  // Kept, since its texts then have their memory already: views encode thousands of devices a second.
  thread_local pb::Device m;
  m.Clear();
  m.set_registered(s.registered);
  m.set_deleted(s.deleted);
  m.set_id(s.id.value);
  m.set_ordinal(s.ordinal.value);
  for (const auto& [key, value] : s.attributes) {
    m.add_attributes(key);
    m.add_attributes(value);
  }
  put_list(s.groups, m.mutable_groups());
  for (const auto& [id, update] : s.updates) put(id, update, m.add_updates());
  if (s.last_action) m.set_last_action(s.last_action->value);
  if (s.installed_action) m.set_installed_action(s.installed_action->value);
  if (s.wants_attributes_from) m.set_wants_attributes_from(micros(*s.wants_attributes_from));
  m.set_registered_at(micros(s.registered_at));
  m.set_updated_at(micros(s.updated_at));
  m.set_position(s.position.value);
  m.set_version(s.version);
  m.set_owner(s.owner.token);
  if (s.installed) put(*s.installed, m.mutable_installed());
  if (s.return_due) put(*s.return_due, m.mutable_return_due());
  return frame(m);
}

namespace {

// Mostly the keys are those that are there already: then only values are written over.
void fill(Attributes& attributes, const pb::Device& m) {
  auto known = attributes.begin();
  for (int i = 0; i < m.attributes_size(); i += 2) {
    if (known != attributes.end() && known->first == m.attributes(i)) {
      known->second = m.attributes(i + 1);
      ++known;
      continue;
    }
    attributes.erase(known, attributes.end());
    attributes.emplace_hint(attributes.end(), m.attributes(i), m.attributes(i + 1));
    known = attributes.end();
  }
  attributes.erase(known, attributes.end());
}

// Whatever `s` held is gone afterwards. False: the bytes are damaged.
bool read_device(std::string_view bytes, pb::Device& m, Device& s) {
  if (!unframe(bytes, m) || m.attributes_size() % 2 != 0) return false;
  s.registered = m.registered();
  s.deleted = m.deleted();
  s.id.value = m.id();
  s.ordinal = {m.ordinal()};
  fill(s.attributes, m);
  s.groups.assign(m.groups().begin(), m.groups().end());
  s.updates.clear();
  for (const auto& update : m.updates()) {
    const auto id = update_id_from_binary(update.id());
    if (!id) return false;
    s.updates.emplace(*id, get(update));
  }
  s.last_action.reset();
  if (m.has_last_action()) s.last_action = {m.last_action()};
  s.installed_action.reset();
  if (m.has_installed_action()) s.installed_action = {m.installed_action()};
  s.wants_attributes_from = optional_time(m.has_wants_attributes_from(), m.wants_attributes_from());
  s.registered_at = time_of(m.registered_at());
  s.updated_at = time_of(m.updated_at());
  s.position = {m.position()};
  s.version = m.version();
  s.owner = {m.owner()};
  s.installed = m.has_installed() ? get(m.installed()) : std::nullopt;
  s.return_due = m.has_return_due() ? get(m.return_due()) : std::nullopt;
  return true;
}

}  // namespace

std::optional<Device> decode_device_state(std::string_view bytes) {
  pb::Device message;
  Device device;
  if (!read_device(bytes, message, device)) return std::nullopt;
  return device;
}

struct DeviceStates::Reused {
  pb::Device message;
  Device device;
};

DeviceStates::DeviceStates() : reused_(std::make_unique<Reused>()) {}
DeviceStates::~DeviceStates() = default;

const Device* DeviceStates::decode(std::string_view bytes) {
  return read_device(bytes, reused_->message, reused_->device) ? &reused_->device : nullptr;
}

// ---- update -------------------------------------------------------------------------------------

std::string encode_state(const DeviceUpdate& s) {
  pb::DeviceUpdate m;
  m.set_exists(s.exists);
  m.set_id(to_binary(s.id));
  m.set_device(s.device.value);
  put(s.plan, m.mutable_plan());
  m.set_status(number(s.status));
  m.set_attempt(s.attempt);
  m.set_action(s.action.value);
  m.set_batch(s.batch);
  m.set_retry(s.retry);
  m.set_retry_count(s.retry_count);
  m.set_spared_retries(s.spared_retries);
  if (s.retry_at) m.set_retry_at(micros(*s.retry_at));
  if (s.start_by) m.set_start_by(micros(*s.start_by));
  if (s.started_at) m.set_started_at(micros(*s.started_at));
  if (s.timeout_at) m.set_timeout_at(micros(*s.timeout_at));
  if (s.completed_at) m.set_completed_at(micros(*s.completed_at));
  if (s.cancel) {
    m.mutable_cancel()->set_cause(number(s.cancel->cause));
    m.mutable_cancel()->set_give_up_at(micros(s.cancel->give_up_at));
  }
  m.set_cancel_refused(s.cancel_refused);
  m.set_late_reports(s.late_reports);
  m.set_last_late(s.last_late);
  if (s.cancel_requested_at) m.set_cancel_requested_at(micros(*s.cancel_requested_at));
  m.set_phase_basis_points(s.phase_basis_points);
  m.set_progress_basis_points(s.progress_basis_points);
  m.set_bytes_per_second(s.bytes_per_second);
  if (s.code) m.set_code(*s.code);
  put_list(s.details, m.mutable_details());
  if (s.signature_verified) m.set_signature_verified(*s.signature_verified);
  if (s.checksum_verified) m.set_checksum_verified(*s.checksum_verified);
  m.set_error_code(s.error_code);
  m.set_error_message(s.error_message);
  m.set_created_at(micros(s.created_at));
  m.set_updated_at(micros(s.updated_at));
  m.set_revision(s.revision);
  m.set_position(s.position.value);
  m.set_hold(s.hold);
  m.set_held(s.held);
  m.set_released(s.released);
  m.set_consent_asked(s.consent_asked);
  m.set_consented(s.consented);
  if (s.undone_by) m.set_undone_by(to_binary(*s.undone_by));
  if (s.held_until) m.set_held_until(micros(*s.held_until));
  m.set_extended(s.extended);
  put_list(s.warnings, m.mutable_warnings());
  return frame(m);
}

std::optional<DeviceUpdate> decode_update_state(std::string_view bytes) {
  pb::DeviceUpdate m;
  if (!unframe(bytes, m)) return std::nullopt;
  const auto id = update_id_from_binary(m.id());
  if (!id) return std::nullopt;
  DeviceUpdate s;
  s.exists = m.exists();
  s.id = *id;
  s.device = {m.device()};
  s.plan = get(m.plan());
  s.status = static_cast<UpdateStatus>(m.status());
  s.attempt = m.attempt();
  s.action = {m.action()};
  s.batch = m.batch();
  s.retry = m.retry();
  s.retry_count = m.retry_count();
  s.spared_retries = m.spared_retries();
  s.retry_at = optional_time(m.has_retry_at(), m.retry_at());
  s.start_by = optional_time(m.has_start_by(), m.start_by());
  s.started_at = optional_time(m.has_started_at(), m.started_at());
  s.timeout_at = optional_time(m.has_timeout_at(), m.timeout_at());
  s.completed_at = optional_time(m.has_completed_at(), m.completed_at());
  if (m.has_cancel()) {
    s.cancel = {static_cast<CancelCause>(m.cancel().cause()), time_of(m.cancel().give_up_at())};
  }
  s.cancel_refused = m.cancel_refused();
  s.late_reports = m.late_reports();
  s.last_late = m.last_late();
  s.cancel_requested_at = optional_time(m.has_cancel_requested_at(), m.cancel_requested_at());
  s.phase_basis_points = m.phase_basis_points();
  s.progress_basis_points = m.progress_basis_points();
  s.bytes_per_second = m.bytes_per_second();
  if (m.has_code()) s.code = m.code();
  s.details = get_list(m.details());
  if (m.has_signature_verified()) s.signature_verified = m.signature_verified();
  if (m.has_checksum_verified()) s.checksum_verified = m.checksum_verified();
  s.error_code = m.error_code();
  s.error_message = m.error_message();
  s.created_at = time_of(m.created_at());
  s.updated_at = time_of(m.updated_at());
  s.revision = m.revision();
  s.position = {m.position()};
  s.hold = m.hold();
  s.held = m.held();
  s.released = m.released();
  s.consent_asked = m.consent_asked();
  s.consented = m.consented();
  s.undone_by = update_id_from_binary(m.undone_by());
  s.held_until = optional_time(m.has_held_until(), m.held_until());
  s.extended = m.extended();
  s.warnings = get_list(m.warnings());
  return s;
}

// ---- campaign -----------------------------------------------------------------------------------

std::string encode_state(const Campaign& s) {
  pb::Campaign m;
  m.set_exists(s.exists);
  m.set_id(bytes_of(s.id.bytes));
  m.set_name(s.name);
  m.set_description(s.description);
  m.set_firmware(bytes_of(s.firmware.bytes));
  m.set_firmware_name(s.firmware_name);
  put(s.facts, m.mutable_facts());
  m.set_firmware_recalled(s.firmware_recalled);
  put(s.policy, m.mutable_policy());
  m.set_status(number(s.status));
  m.set_status_reason(s.status_reason);
  m.set_closed(s.closed);
  m.set_targets(set_bytes(s.targets));
  m.set_granted(set_bytes(s.granted));
  m.set_completed(set_bytes(s.completed));
  m.set_failed(set_bytes(s.failed));
  m.set_cancelled(set_bytes(s.cancelled));
  m.set_untold(set_bytes(s.untold));
  m.set_lapsed(set_bytes(s.lapsed));
  m.set_pause_cause(number(s.pause_cause));
  if (s.starts_at) m.set_starts_at(micros(*s.starts_at));
  m.set_approved(s.approved);
  m.set_approved_by(s.approved_by.token);
  m.set_approval_comment(s.approval_comment);
  m.set_approval_conditions(s.approval_conditions);
  m.set_finished(s.finished);
  m.set_ended_by_schedule(s.ended_by_schedule);
  m.set_content_pending(s.content_pending);
  if (s.canary) put(*s.canary, m.mutable_canary());
  for (const auto& entry : s.evidence.sequence()) {
    m.add_evidence_ordinals(entry.ordinal.value);
    m.add_evidence_outcomes(number(entry.outcome));
  }
  m.set_topped_up(s.evidence.topped_up());
  m.set_cohort(set_bytes(s.cohort));
  m.set_promoted(s.promoted);
  m.set_own_faults(set_bytes(s.own_faults));
  m.set_judged_failed(s.judged_failed);
  put_times(s.retries, m.mutable_retry_ordinals(), m.mutable_retry_times());
  m.set_undone(set_bytes(s.undone));
  m.set_left_out(set_bytes(s.left_out));
  m.set_gone(set_bytes(s.gone));
  m.set_held(set_bytes(s.held));
  m.set_in_window(set_bytes(s.in_window));
  m.set_released(set_bytes(s.released));
  m.set_switched(s.switched);
  if (s.rollback.number > 0) put(s.rollback, m.mutable_rollback());
  for (const auto& [code, devices] : s.error_devices) {
    auto* entry = m.add_error_devices();
    entry->set_code(code);
    entry->set_devices(set_bytes(devices));
  }
  m.set_batch(s.batch);
  m.set_batch_granted(s.batch_granted);
  m.set_batch_settled(s.batch_settled);
  if (s.verdict) put(*s.verdict, m.mutable_verdict());
  m.set_created_by(s.created_by.token);
  m.set_created_at(micros(s.created_at));
  m.set_updated_at(micros(s.updated_at));
  if (s.started_at) m.set_started_at(micros(*s.started_at));
  if (s.ended_at) m.set_ended_at(micros(*s.ended_at));
  m.set_revision(s.revision);
  m.set_position(s.position.value);
  return frame(m);
}

std::optional<Campaign> decode_campaign_state(std::string_view bytes) {
  pb::Campaign m;
  if (!unframe(bytes, m) || m.retry_ordinals_size() != m.retry_times_size() ||
      m.rollback().retry_ordinals_size() != m.rollback().retry_times_size() ||
      m.evidence_ordinals_size() != m.evidence_outcomes_size()) {
    return std::nullopt;
  }
  Campaign s;
  s.exists = m.exists();
  s.id = {array_of<16>(m.id())};
  s.name = m.name();
  s.description = m.description();
  s.firmware = {array_of<16>(m.firmware())};
  s.firmware_name = m.firmware_name();
  s.facts = get(m.facts());
  s.firmware_recalled = m.firmware_recalled();
  s.policy = get(m.policy());
  s.status = static_cast<CampaignStatus>(m.status());
  s.status_reason = m.status_reason();
  s.closed = m.closed();
  s.targets = bitmap_from_bytes(m.targets());
  s.granted = bitmap_from_bytes(m.granted());
  s.completed = bitmap_from_bytes(m.completed());
  s.failed = bitmap_from_bytes(m.failed());
  s.cancelled = bitmap_from_bytes(m.cancelled());
  s.untold = bitmap_from_bytes(m.untold());
  s.lapsed = bitmap_from_bytes(m.lapsed());
  s.pause_cause = static_cast<PauseCause>(m.pause_cause());
  s.starts_at = optional_time(m.has_starts_at(), m.starts_at());
  s.approved = m.approved();
  s.approved_by = {m.approved_by()};
  s.approval_comment = m.approval_comment();
  s.approval_conditions = m.approval_conditions();
  s.finished = m.finished();
  s.ended_by_schedule = m.ended_by_schedule();
  s.content_pending = m.content_pending();
  if (m.has_canary()) s.canary = get(m.canary());
  std::vector<Evidence::Entry> sequence;
  for (int i = 0; i < m.evidence_ordinals_size(); ++i) {
    sequence.push_back({{m.evidence_ordinals(i)}, static_cast<Outcome>(m.evidence_outcomes(i))});
  }
  s.evidence = Evidence(std::move(sequence), m.topped_up());
  s.cohort = bitmap_from_bytes(m.cohort());
  s.promoted = m.promoted();
  s.own_faults = bitmap_from_bytes(m.own_faults());
  s.judged_failed = m.judged_failed();
  s.retries = get_times(m.retry_ordinals(), m.retry_times());
  s.undone = bitmap_from_bytes(m.undone());
  s.left_out = bitmap_from_bytes(m.left_out());
  s.gone = bitmap_from_bytes(m.gone());
  s.held = bitmap_from_bytes(m.held());
  s.in_window = bitmap_from_bytes(m.in_window());
  s.released = bitmap_from_bytes(m.released());
  s.switched = m.switched();
  if (m.has_rollback()) s.rollback = get(m.rollback());
  for (const auto& entry : m.error_devices()) s.error_devices[entry.code()] = bitmap_from_bytes(entry.devices());
  s.batch = m.batch();
  s.batch_granted = m.batch_granted();
  s.batch_settled = m.batch_settled();
  if (m.has_verdict()) s.verdict = get(m.verdict());
  s.created_by = {m.created_by()};
  s.created_at = time_of(m.created_at());
  s.updated_at = time_of(m.updated_at());
  s.started_at = optional_time(m.has_started_at(), m.started_at());
  s.ended_at = optional_time(m.has_ended_at(), m.ended_at());
  s.revision = m.revision();
  s.position = {m.position()};
  return s;
}

}  // namespace ota::domain
