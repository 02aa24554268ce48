#include "domain/codec/convert.hpp"

namespace ota::domain::codec {

namespace pb = ota::events;

void put(const FirmwareFacts& f, pb::FirmwareFacts* m) {
  m->set_version(f.version);
  m->set_device_model(f.device_model);
  m->set_min_hardware_version(f.min_hardware_version);
  m->set_max_hardware_version(f.max_hardware_version);
  m->set_number(f.number);
  m->set_file_size(f.file_size);
  m->set_is_beta(f.is_beta);
  m->set_is_security_update(f.is_security_update);
}
FirmwareFacts get(const pb::FirmwareFacts& m) {
  return {m.version(),
          m.device_model(),
          m.min_hardware_version(),
          m.max_hardware_version(),
          m.number(),
          m.file_size(),
          m.is_beta(),
          m.is_security_update()};
}

void put(const MaintenanceWindow& w, pb::MaintenanceWindow* m) {
  m->set_start_minute(w.start_minute);
  m->set_end_minute(w.end_minute);
  m->set_timezone(w.timezone);
}
MaintenanceWindow get(const pb::MaintenanceWindow& m) {
  return {static_cast<std::uint16_t>(m.start_minute()), static_cast<std::uint16_t>(m.end_minute()),
          m.timezone()};
}

void put(const CampaignPolicy& p, pb::CampaignPolicy* m) {
  m->set_strategy(number(p.strategy));
  m->set_priority(number(p.priority));
  m->set_rollout_percentage(p.rollout_percentage);
  m->set_max_concurrent_updates(p.max_concurrent_updates);
  m->set_batch_size(p.batch_size);
  m->set_batch_settle_percent(p.batch_settle_percent);
  if (p.scheduled_start) m->set_scheduled_start(micros(*p.scheduled_start));
  if (p.scheduled_end) m->set_scheduled_end(micros(*p.scheduled_end));
  m->set_timeout_minutes(p.timeout_minutes);
  m->set_auto_rollback(p.auto_rollback);
  m->set_failure_threshold_percent(p.failure_threshold_percent);
  m->set_min_finished_for_verdict(p.min_finished_for_verdict);
  for (const auto t : p.rollback_triggers) m->add_rollback_triggers(number(t));
  m->set_requires_approval(p.requires_approval);
  m->set_allow_beta(p.allow_beta);
  m->set_force_update(p.force_update);
  if (p.maintenance_window) put(*p.maintenance_window, m->mutable_maintenance_window());
  m->set_max_retries(p.max_retries);
  put_list(p.pre_update_commands, m->mutable_pre_update_commands());
  put_list(p.post_update_commands, m->mutable_post_update_commands());
  m->set_notify_on_start(p.notify_on_start);
  m->set_notify_on_complete(p.notify_on_complete);
  m->set_notify_on_failure(p.notify_on_failure);
  put_list(p.notification_channels, m->mutable_notification_channels());
  m->set_canary_p0_basis_points(p.canary_p0_basis_points);
  m->set_canary_p1_basis_points(p.canary_p1_basis_points);
  if (p.switch_at) m->set_switch_at(micros(*p.switch_at));
  m->set_require_version_proof(p.require_version_proof);
  m->set_requires_device_confirmation(p.requires_device_confirmation);
  m->set_download_only(p.download_only);
  m->set_error_threshold_count(p.error_threshold_count);
  m->set_health_window_minutes(p.health_window_minutes);
  m->set_rollback_deadline_minutes(p.rollback_deadline_minutes);
}
CampaignPolicy get(const pb::CampaignPolicy& m) {
  CampaignPolicy p;
  p.strategy = static_cast<Strategy>(m.strategy());
  p.priority = static_cast<Priority>(m.priority());
  p.rollout_percentage = m.rollout_percentage();
  p.max_concurrent_updates = m.max_concurrent_updates();
  p.batch_size = m.batch_size();
  p.batch_settle_percent = m.batch_settle_percent();
  if (m.has_scheduled_start()) p.scheduled_start = time_of(m.scheduled_start());
  if (m.has_scheduled_end()) p.scheduled_end = time_of(m.scheduled_end());
  p.timeout_minutes = m.timeout_minutes();
  p.auto_rollback = m.auto_rollback();
  p.failure_threshold_percent = m.failure_threshold_percent();
  p.min_finished_for_verdict = m.min_finished_for_verdict();
  p.rollback_triggers.clear();
  for (const auto t : m.rollback_triggers())
    p.rollback_triggers.push_back(static_cast<RollbackTrigger>(t));
  p.requires_approval = m.requires_approval();
  p.allow_beta = m.allow_beta();
  p.force_update = m.force_update();
  if (m.has_maintenance_window()) p.maintenance_window = get(m.maintenance_window());
  p.max_retries = m.max_retries();
  p.pre_update_commands = get_list(m.pre_update_commands());
  p.post_update_commands = get_list(m.post_update_commands());
  p.notify_on_start = m.notify_on_start();
  p.notify_on_complete = m.notify_on_complete();
  p.notify_on_failure = m.notify_on_failure();
  p.notification_channels = get_list(m.notification_channels());
  p.canary_p0_basis_points = m.canary_p0_basis_points();
  p.canary_p1_basis_points = m.canary_p1_basis_points();
  if (m.has_switch_at()) p.switch_at = time_of(m.switch_at());
  p.require_version_proof = m.require_version_proof();
  p.requires_device_confirmation = m.requires_device_confirmation();
  p.download_only = m.download_only();
  p.error_threshold_count = m.error_threshold_count();
  p.health_window_minutes = m.health_window_minutes();
  p.rollback_deadline_minutes = m.rollback_deadline_minutes();
  return p;
}

void put(const Verdict& v, pb::Verdict* m) {
  m->set_rule(number(v.rule));
  m->set_decision(number(v.decision));
  m->set_failed(v.failed);
  m->set_counted(v.counted);
  m->set_threshold_percent(v.threshold_percent);
  m->set_of_total(v.of_total);
  m->set_p0_basis_points(v.p0_basis_points);
  m->set_p1_basis_points(v.p1_basis_points);
  m->set_more(v.more);
  m->set_log_likelihood(v.log_likelihood);
  m->set_abort_at(v.abort_at);
  m->set_promote_at(v.promote_at);
}
Verdict get(const pb::Verdict& m) {
  return {static_cast<VerdictRule>(m.rule()),
          static_cast<VerdictDecision>(m.decision()),
          m.failed(),
          m.counted(),
          m.threshold_percent(),
          m.of_total(),
          m.p0_basis_points(),
          m.p1_basis_points(),
          m.more(),
          m.log_likelihood(),
          m.abort_at(),
          m.promote_at()};
}

void put(const EvidenceTable& t, pb::EvidenceTable* m) {
  m->set_p0_basis_points(t.p0_basis_points);
  m->set_p1_basis_points(t.p1_basis_points);
  m->set_failure_weight(t.failure_weight);
  m->set_success_weight(t.success_weight);
  m->set_abort_at(t.abort_at);
  m->set_promote_at(t.promote_at);
  m->set_quota(t.quota);
  m->set_slice(t.slice);
}
EvidenceTable get(const pb::EvidenceTable& m) {
  return {m.p0_basis_points(), m.p1_basis_points(), m.failure_weight(), m.success_weight(),
          m.abort_at(),        m.promote_at(),      m.quota(),          m.slice()};
}

void put(const RollbackOf& r, pb::RollbackOf* m) {
  m->set_trigger(number(r.trigger));
  m->set_reason(r.reason);
  if (r.undoes) m->set_undoes(to_binary(*r.undoes));
  m->set_undone_version(r.undone_version);
}
RollbackOf get(const pb::RollbackOf& m) {
  return {static_cast<RollbackTrigger>(m.trigger()), m.reason(), update_id_from_binary(m.undoes()), m.undone_version()};
}

void put(const UpdatePlan& p, pb::UpdatePlan* m) {
  m->set_firmware(bytes_of(p.firmware.bytes));
  m->set_from_version(p.from_version);
  m->set_to_version(p.to_version);
  m->set_priority(number(p.priority));
  m->set_max_retries(p.max_retries);
  m->set_timeout_minutes(p.timeout_minutes);
  m->set_download_size(p.download_size);
  m->set_firmware_number(p.firmware_number);
  m->set_force_update(p.force_update);
  put_list(p.pre_update_commands, m->mutable_pre_update_commands());
  put_list(p.post_update_commands, m->mutable_post_update_commands());
  if (p.maintenance_window) put(*p.maintenance_window, m->mutable_maintenance_window());
  if (p.rollback) put(*p.rollback, m->mutable_rollback());
  m->set_download_only(p.download_only);
  m->set_requires_consent(p.requires_consent);
  m->set_require_version_proof(p.require_version_proof);
  m->set_rollback_on_timeout(p.rollback_on_timeout);
  m->set_health_window_minutes(p.health_window_minutes);
  m->set_allow_beta(p.allow_beta);
}
UpdatePlan get(const pb::UpdatePlan& m) {
  UpdatePlan p;
  p.firmware = {array_of<16>(m.firmware())};
  p.from_version = m.from_version();
  p.to_version = m.to_version();
  p.priority = static_cast<Priority>(m.priority());
  p.max_retries = m.max_retries();
  p.timeout_minutes = m.timeout_minutes();
  p.download_size = m.download_size();
  p.firmware_number = m.firmware_number();
  p.force_update = m.force_update();
  p.pre_update_commands = get_list(m.pre_update_commands());
  p.post_update_commands = get_list(m.post_update_commands());
  if (m.has_maintenance_window()) p.maintenance_window = get(m.maintenance_window());
  if (m.has_rollback()) p.rollback = get(m.rollback());
  p.download_only = m.download_only();
  p.requires_consent = m.requires_consent();
  p.require_version_proof = m.require_version_proof();
  p.rollback_on_timeout = m.rollback_on_timeout();
  p.health_window_minutes = m.health_window_minutes();
  p.allow_beta = m.allow_beta();
  return p;
}

void put(const FirmwareRegistered& e, pb::FirmwareRegistered* m) {
  m->set_id(bytes_of(e.id.bytes));
  m->set_name(e.name);
  m->set_manufacturer(e.manufacturer);
  m->set_description(e.description);
  put(e.facts, m->mutable_facts());
  m->set_file_name(e.file_name);
  m->set_file_url(e.file_url);
  m->set_md5(bytes_of(e.md5));
  m->set_sha256(bytes_of(e.sha256));
  m->set_signature(e.signature);
  put_list(e.labels, m->mutable_labels());
  m->set_metadata_json(e.metadata_json);
  m->set_changelog(e.changelog);
  m->set_kept_elsewhere(e.kept_elsewhere);
  m->set_signature_key(e.signature_key);
}
FirmwareRegistered get(const pb::FirmwareRegistered& m) {
  return {{array_of<16>(m.id())},
          m.name(),
          m.manufacturer(),
          m.description(),
          get(m.facts()),
          m.file_name(),
          m.file_url(),
          array_of<16>(m.md5()),
          array_of<32>(m.sha256()),
          m.signature(),
          get_list(m.labels()),
          m.metadata_json(),
          m.changelog(),
          m.kept_elsewhere(),
          m.signature_key()};
}

}  // namespace ota::domain::codec
