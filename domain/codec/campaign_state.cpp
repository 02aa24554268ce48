// A campaign as a snapshot.
#include "domain/codec/state_codec.hpp"
#include "domain/codec/state_frame.hpp"
#include "domain/codec/states.pb.h"

namespace ota::domain {
namespace {

namespace pb = ota::states;

using codec::array_of;
using codec::bytes_of;
using codec::frame;
using codec::get;
using codec::micros;
using codec::number;
using codec::optional_time;
using codec::put;
using codec::set_bytes;
using codec::time_of;
using codec::unframe;

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
