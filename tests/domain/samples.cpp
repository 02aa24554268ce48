#include "tests/domain/samples.hpp"

#include "domain/campaign/campaign.hpp"

#include <limits>

namespace ota::domain::testing {

Bitmap set_of(std::initializer_list<std::uint32_t> ordinals) {
  Bitmap set;
  for (const auto o : ordinals) set.add(o);
  return set;
}

FirmwareFacts facts() {
  FirmwareFacts f;
  f.version = "2.1.0";
  f.device_model = "SF-100";
  f.min_hardware_version = "1.0";
  f.max_hardware_version = "3.0";
  f.number = 88;
  f.file_size = 52'428'800;
  return f;
}

UpdatePlan plan() {
  UpdatePlan p;
  p.firmware = kFirmware;
  p.from_version = "2.0.0";
  p.to_version = "2.1.0";
  p.download_size = 52'428'800;
  p.firmware_number = 88;
  return p;
}

CampaignPolicy policy() {
  CampaignPolicy p;
  p.strategy = Strategy::kImmediate;
  return p;
}

CampaignRollbackBegun rolled_back(const Verdict& verdict, std::uint32_t number) {
  CampaignRollbackBegun begun;
  begun.number = number;
  begun.trigger = RollbackTrigger::kFailureRate;
  begun.reason = sentence(verdict);
  begun.give_up_at = kNow + std::chrono::minutes(policy().rollback_deadline_minutes);
  begun.verdict = verdict;
  return begun;
}

CampaignCreated created(const Bitmap& targets, const CampaignPolicy& policy) {
  CampaignCreated c;
  c.name = "spring";
  c.firmware = kFirmware;
  c.firmware_name = "Smart Frame";
  c.facts = facts();
  c.policy = policy;
  c.target_device_count = static_cast<std::uint32_t>(targets.cardinality());
  c.targets = to_bytes(targets);
  c.picked = c.target_device_count;
  c.pick_cutoff = std::numeric_limits<std::uint64_t>::max();
  return c;
}

CampaignCreated created(std::initializer_list<std::uint32_t> ordinals,
                        const CampaignPolicy& policy) {
  return created(set_of(ordinals), policy);
}

AttemptGranted granted(std::uint32_t attempt) {
  AttemptGranted g;
  g.attempt = attempt;
  g.action = {kAction.value + attempt - 1};
  g.start_by = kNow + minutes(5);
  return g;
}

AttemptGranted first_grant(std::uint32_t batch) {
  AttemptGranted g = granted(1);
  g.batch = batch;
  g.plan = plan();
  return g;
}

AttemptGranted retry_grant(std::uint32_t attempt) {
  AttemptGranted g = granted(attempt);
  g.retry = true;
  return g;
}

AttemptStarted started(std::uint32_t attempt) { return {attempt, kNow + minutes(60)}; }

AttemptEnded succeeded(std::uint32_t attempt) {
  AttemptEnded e;
  e.attempt = attempt;
  e.success = true;
  return e;
}

AttemptEnded failed_for_good(std::uint32_t attempt) {
  AttemptEnded e;
  e.attempt = attempt;
  e.error_code = "flash_failed";
  return e;
}

AttemptEnded failed_until(Time retry_at, std::uint32_t attempt, std::uint32_t retry_count) {
  AttemptEnded e = failed_for_good(attempt);
  e.retry_count = retry_count;
  e.retry_at = retry_at;
  return e;
}

ProgressReported progress(UpdateStatus phase, std::uint32_t phase_basis_points) {
  ProgressReported p;
  p.phase = phase;
  p.phase_basis_points = phase_basis_points;
  return p;
}

FirmwareRegistered firmware_record() {
  FirmwareRegistered r;
  r.id = kFirmware;
  r.name = "Smart Frame";
  r.manufacturer = "Acme";
  r.facts = facts();
  r.file_name = "smart-frame-2.1.0.bin";
  r.sha256[0] = 0xab;
  return r;
}

}  // namespace ota::domain::testing
