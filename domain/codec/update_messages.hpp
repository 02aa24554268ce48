// The messages of events of device updates: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::UpdateRequested message(const UpdateRequested& e) {
  pb::UpdateRequested m;
  put(e.plan, m.mutable_plan());
  return m;
}
inline Event event(const pb::UpdateRequested& m) { return UpdateRequested{get(m.plan())}; }

inline pb::AttemptGranted message(const AttemptGranted& e) {
  pb::AttemptGranted m;
  m.set_attempt(e.attempt);
  m.set_action(e.action.value);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  m.set_start_by(micros(e.start_by));
  if (e.plan) put(*e.plan, m.mutable_plan());
  m.set_hold(e.hold);
  put_list(e.warnings, m.mutable_warnings());
  return m;
}
inline Event event(const pb::AttemptGranted& m) {
  AttemptGranted e{m.attempt(), {m.action()}, m.batch(), m.retry(), time_of(m.start_by()), std::nullopt, m.hold(),
                   get_list(m.warnings())};
  if (m.has_plan()) e.plan = get(m.plan());
  return e;
}

inline pb::AttemptStarted message(const AttemptStarted& e) {
  pb::AttemptStarted m;
  m.set_attempt(e.attempt);
  m.set_timeout_at(micros(e.timeout_at));
  m.set_released(e.released);
  m.set_extended(e.extended);
  m.set_downloads_here(e.downloads_here);
  return m;
}
inline Event event(const pb::AttemptStarted& m) {
  return AttemptStarted{m.attempt(), time_of(m.timeout_at()), m.released(), m.extended(), m.downloads_here()};
}

inline pb::ProgressReported message(const ProgressReported& e) {
  pb::ProgressReported m;
  m.set_attempt(e.attempt);
  m.set_phase(number(e.phase));
  m.set_phase_basis_points(e.phase_basis_points);
  m.set_bytes_per_second(e.bytes_per_second);
  if (e.code) m.set_code(*e.code);
  put_list(e.details, m.mutable_details());
  if (e.signature_verified) m.set_signature_verified(*e.signature_verified);
  if (e.checksum_verified) m.set_checksum_verified(*e.checksum_verified);
  m.set_artifact_requested(e.artifact_requested);
  return m;
}
inline Event event(const pb::ProgressReported& m) {
  ProgressReported e{m.attempt(), static_cast<UpdateStatus>(m.phase()), m.phase_basis_points(),
                     m.bytes_per_second(), std::nullopt, get_list(m.details()), std::nullopt, std::nullopt};
  if (m.has_code()) e.code = m.code();
  if (m.has_signature_verified()) e.signature_verified = m.signature_verified();
  if (m.has_checksum_verified()) e.checksum_verified = m.checksum_verified();
  e.artifact_requested = m.artifact_requested();
  return e;
}

inline pb::LateReportRecorded message(const LateReportRecorded& e) {
  pb::LateReportRecorded m;
  m.set_attempt(e.attempt);
  m.set_reported(number(e.reported));
  if (e.code) m.set_code(*e.code);
  put_list(e.details, m.mutable_details());
  return m;
}
inline Event event(const pb::LateReportRecorded& m) {
  LateReportRecorded e{m.attempt(), static_cast<UpdateStatus>(m.reported()), std::nullopt, get_list(m.details())};
  if (m.has_code()) e.code = m.code();
  return e;
}

inline pb::AttemptEnded message(const AttemptEnded& e) {
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
  m.set_takes_back(e.takes_back);
  m.set_without_download(e.without_download);
  return m;
}
inline Event event(const pb::AttemptEnded& m) {
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
  e.takes_back = m.takes_back();
  e.without_download = m.without_download();
  return e;
}

inline pb::GrantLapsed message(const GrantLapsed& e) {
  pb::GrantLapsed m;
  m.set_attempt(e.attempt);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  return m;
}
inline Event event(const pb::GrantLapsed& m) { return GrantLapsed{m.attempt(), m.batch(), m.retry()}; }

inline pb::UpdateSkipped message(const UpdateSkipped& e) {
  pb::UpdateSkipped m;
  m.set_reason(number(e.reason));
  m.set_fact(e.fact);
  return m;
}
inline Event event(const pb::UpdateSkipped& m) { return UpdateSkipped{static_cast<SkipReason>(m.reason()), m.fact()}; }

inline pb::CancelRequested message(const CancelRequested& e) {
  pb::CancelRequested m;
  m.set_cause(number(e.cause));
  m.set_give_up_at(micros(e.give_up_at));
  return m;
}
inline Event event(const pb::CancelRequested& m) {
  return CancelRequested{static_cast<CancelCause>(m.cause()), time_of(m.give_up_at())};
}

inline pb::CancelRefused message(const CancelRefused& e) {
  pb::CancelRefused m;
  put_list(e.details, m.mutable_details());
  return m;
}
inline Event event(const pb::CancelRefused& m) { return CancelRefused{get_list(m.details())}; }

inline pb::UpdateCancelled message(const UpdateCancelled& e) {
  pb::UpdateCancelled m;
  m.set_cause(number(e.cause));
  m.set_attempt(e.attempt);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  return m;
}
inline Event event(const pb::UpdateCancelled& m) {
  return UpdateCancelled{static_cast<CancelCause>(m.cause()), m.attempt(), m.batch(), m.retry()};
}

inline pb::RetryAsked message(const RetryAsked& e) {
  pb::RetryAsked m;
  m.set_retry_count(e.retry_count);
  m.set_attempt(e.attempt);
  if (e.plan) put(*e.plan, m.mutable_plan());
  m.set_batch(e.batch);
  return m;
}
inline Event event(const pb::RetryAsked& m) {
  RetryAsked e{m.retry_count(), m.attempt(), std::nullopt, m.batch()};
  if (m.has_plan()) e.plan = get(m.plan());
  return e;
}

inline pb::ConsentAsked message(const ConsentAsked& e) {
  pb::ConsentAsked m;
  m.set_attempt(e.attempt);
  m.set_action(e.action.value);
  if (e.plan) put(*e.plan, m.mutable_plan());
  return m;
}
inline Event event(const pb::ConsentAsked& m) {
  ConsentAsked e{m.attempt(), {m.action()}, {}};
  if (m.has_plan()) e.plan = get(m.plan());
  return e;
}

inline pb::ConsentGiven message(const ConsentGiven& e) {
  pb::ConsentGiven m;
  m.set_attempt(e.attempt);
  put_list(e.details, m.mutable_details());
  return m;
}
inline Event event(const pb::ConsentGiven& m) { return ConsentGiven{m.attempt(), get_list(m.details())}; }

inline pb::UpdateHeld message(const UpdateHeld& e) {
  pb::UpdateHeld m;
  m.set_attempt(e.attempt);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  if (e.until) m.set_until(micros(*e.until));
  return m;
}
inline Event event(const pb::UpdateHeld& m) {
  UpdateHeld e{m.attempt(), m.batch(), m.retry()};
  if (m.has_until()) e.until = time_of(m.until());
  return e;
}

inline pb::UpdateRefuted message(const UpdateRefuted& e) {
  pb::UpdateRefuted m;
  m.set_by(number(e.by));
  m.set_fact(e.fact);
  m.set_batch(e.batch);
  m.set_retry(e.retry);
  m.set_takes_back(e.takes_back);
  return m;
}
inline Event event(const pb::UpdateRefuted& m) {
  return UpdateRefuted{static_cast<RefutedBy>(m.by()), m.fact(), m.batch(), m.retry(), m.takes_back()};
}

inline pb::UpdateUndone message(const UpdateUndone& e) {
  pb::UpdateUndone m;
  m.set_by(to_binary(e.by));
  return m;
}
inline Event event(const pb::UpdateUndone& m) {
  return UpdateUndone{update_id_from_binary(m.by()).value_or(UpdateId{})};
}

}  // namespace ota::domain::codec
