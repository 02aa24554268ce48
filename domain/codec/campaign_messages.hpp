// The messages of events of campaigns: message() fills one, event() reads it back. Inside codec/ only.
#pragma once

#include "domain/codec/convert.hpp"
#include "domain/codec/events.pb.h"

namespace ota::domain::codec {

namespace pb = ota::events;

inline pb::CampaignCreated message(const CampaignCreated& e) {
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
inline Event event(const pb::CampaignCreated& m) {
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

inline pb::CampaignTargetPart message(const CampaignTargetPart& e) {
  pb::CampaignTargetPart m;
  m.set_index(e.index);
  m.set_targets(e.targets);
  return m;
}
inline Event event(const pb::CampaignTargetPart& m) { return CampaignTargetPart{m.index(), m.targets()}; }

inline pb::CampaignStarted message(const CampaignStarted&) { return {}; }
inline Event event(const pb::CampaignStarted&) { return CampaignStarted{}; }

inline pb::CampaignApproved message(const CampaignApproved& e) {
  pb::CampaignApproved m;
  m.set_approved(e.approved);
  m.set_comment(e.comment);
  m.set_conditions(e.conditions);
  return m;
}
inline Event event(const pb::CampaignApproved& m) { return CampaignApproved{m.approved(), m.comment(), m.conditions()}; }

inline pb::CampaignScheduled message(const CampaignScheduled& e) {
  pb::CampaignScheduled m;
  m.set_start_at(micros(e.start_at));
  return m;
}
inline Event event(const pb::CampaignScheduled& m) { return CampaignScheduled{time_of(m.start_at())}; }

inline pb::CampaignPaused message(const CampaignPaused& e) {
  pb::CampaignPaused m;
  m.set_reason(e.reason);
  if (e.cause != PauseCause::kOperator) m.set_cause(number(e.cause));  // the only one there was before the field
  if (e.verdict) put(*e.verdict, m.mutable_verdict());
  return m;
}
inline Event event(const pb::CampaignPaused& m) {
  CampaignPaused e{m.reason(), m.cause() == 0 ? PauseCause::kOperator : static_cast<PauseCause>(m.cause()), {}};
  if (m.has_verdict()) e.verdict = get(m.verdict());
  return e;
}

inline pb::CampaignFinished message(const CampaignFinished& e) {
  pb::CampaignFinished m;
  m.set_reason(e.reason);
  m.set_by_schedule(e.by_schedule);
  return m;
}
inline Event event(const pb::CampaignFinished& m) { return CampaignFinished{m.reason(), m.by_schedule()}; }

inline pb::CanaryPromoted message(const CanaryPromoted& e) {
  pb::CanaryPromoted m;
  put(e.verdict, m.mutable_verdict());
  m.set_by_operator(e.by_operator);
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::CanaryPromoted& m) { return CanaryPromoted{get(m.verdict()), m.by_operator(), m.reason()}; }

inline pb::CanaryToppedUp message(const CanaryToppedUp& e) {
  pb::CanaryToppedUp m;
  m.set_devices(e.devices);
  m.set_cutoff(e.cutoff);
  return m;
}
inline Event event(const pb::CanaryToppedUp& m) { return CanaryToppedUp{m.devices(), m.cutoff()}; }

inline pb::CampaignResumed message(const CampaignResumed&) { return {}; }
inline Event event(const pb::CampaignResumed&) { return CampaignResumed{}; }

inline pb::CampaignCancelled message(const CampaignCancelled& e) {
  pb::CampaignCancelled m;
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::CampaignCancelled& m) { return CampaignCancelled{m.reason()}; }

inline pb::CampaignAborted message(const CampaignAborted& e) {
  pb::CampaignAborted m;
  m.set_trigger(number(e.trigger));
  put(e.verdict, m.mutable_verdict());
  return m;
}
inline Event event(const pb::CampaignAborted& m) {
  return CampaignAborted{static_cast<RollbackTrigger>(m.trigger()), get(m.verdict())};
}

inline pb::CampaignClosed message(const CampaignClosed& e) {
  pb::CampaignClosed m;
  m.set_outcome(number(e.outcome));
  put(e.verdict, m.mutable_verdict());
  return m;
}
inline Event event(const pb::CampaignClosed& m) {
  return CampaignClosed{static_cast<CampaignStatus>(m.outcome()), get(m.verdict())};
}

inline pb::BatchOpened message(const BatchOpened& e) {
  pb::BatchOpened m;
  m.set_batch(e.batch);
  return m;
}
inline Event event(const pb::BatchOpened& m) { return BatchOpened{m.batch()}; }

inline pb::CampaignRollbackBegun message(const CampaignRollbackBegun& e) {
  pb::CampaignRollbackBegun m;
  m.set_number(e.number);
  m.set_trigger(number(e.trigger));
  m.set_reason(e.reason);
  m.set_give_up_at(micros(e.give_up_at));
  if (e.verdict) put(*e.verdict, m.mutable_verdict());
  m.set_error_code(e.error_code);
  m.set_error_devices(e.error_devices);
  return m;
}
inline Event event(const pb::CampaignRollbackBegun& m) {
  CampaignRollbackBegun e;
  e.number = m.number();
  e.trigger = static_cast<RollbackTrigger>(m.trigger());
  e.reason = m.reason();
  e.give_up_at = time_of(m.give_up_at());
  if (m.has_verdict()) e.verdict = get(m.verdict());
  e.error_code = m.error_code();
  e.error_devices = m.error_devices();
  return e;
}

inline pb::CampaignSwitched message(const CampaignSwitched& e) {
  pb::CampaignSwitched m;
  m.set_by_schedule(e.by_schedule);
  m.set_reason(e.reason);
  return m;
}
inline Event event(const pb::CampaignSwitched& m) { return CampaignSwitched{m.by_schedule(), m.reason()}; }

}  // namespace ota::domain::codec
