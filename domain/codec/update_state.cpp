// A device update as a snapshot.
#include "domain/codec/state_codec.hpp"
#include "domain/codec/state_frame.hpp"
#include "domain/codec/states.pb.h"

namespace ota::domain {
namespace {

namespace pb = ota::states;

using codec::frame;
using codec::get;
using codec::get_list;
using codec::micros;
using codec::number;
using codec::optional_time;
using codec::put;
using codec::put_list;
using codec::time_of;
using codec::unframe;

}  // namespace

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
  m.set_downloads_here(s.downloads_here);
  m.set_artifact_requested(s.artifact_requested);
  m.set_without_download(s.without_download);
  m.set_entries(s.entries);
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
  s.downloads_here = m.downloads_here();
  s.artifact_requested = m.artifact_requested();
  s.without_download = m.without_download();
  s.entries = m.entries();
  s.warnings = get_list(m.warnings());
  return s;
}

}  // namespace ota::domain
