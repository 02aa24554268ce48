#include "projections/poll_index.hpp"

#include <algorithm>

namespace ota::projections {
namespace {

// When this update may be asked for without any campaign's offer; max: an offer decides, or it is
// running.
domain::Time ask_at(const domain::UpdateId& id, const domain::UnfinishedUpdate& update) {
  if (update.status != domain::UpdateStatus::kScheduled) return domain::Time::max();
  if (update.next_retry_at) return *update.next_retry_at;
  return id.of_campaign ? domain::Time::max() : update.requested_at;
}

}  // namespace

PollRecord poll_record(const domain::Device& device) {
  PollRecord record;
  record.ordinal = device.ordinal;
  record.deleted = device.deleted;
  if (const auto* active = device.active()) {
    record.active = active->second.action;
    record.cancelling = active->second.cancelling;
    record.preemptible =
        !record.cancelling && active->second.plan.priority < domain::Priority::kEmergency;
    record.released = active->second.released;
    record.has_window = active->second.plan.maintenance_window.has_value();
    record.download_only = active->second.plan.download_only;
    record.may_hold = active->second.may_hold;
    record.awaits_version = active->second.awaits_version;
  } else if (const auto* asked = device.awaits_consent()) {
    record.consent = asked->second.action;
  }
  if (device.installed_action) record.installed = *device.installed_action;
  record.auto_confirms = device.auto_confirm.has_value();
  record.push = device.push;
  record.token_generation = device.token_generation;
  record.previous_token_until = device.previous_token_until.value_or(domain::Time::min());
  for (const auto& [id, update] : device.updates) {
    const auto at = ask_at(id, update);
    record.ask_at = std::min(record.ask_at, at);
    if (update.plan.priority == domain::Priority::kEmergency) {
      record.emergency_at = std::min(record.emergency_at, at);
    }
  }
  if (device.return_due && !device.deleted) record.ask_at = domain::Time{};
  record.wants_attributes_from = device.wants_attributes_from.value_or(domain::Time::max());
  return record;
}

std::optional<Underway> underway(const domain::Device& device) {
  const auto* active = device.active();
  if (!active || active->second.awaits_version) return std::nullopt;
  return Underway{active->second.action, {active->first, active->second.attempt}};
}

PollIndex::Shard& PollIndex::shard_of(std::string_view device_id) {
  return shards_[Hash{}(device_id) % kShards];
}
const PollIndex::Shard& PollIndex::shard_of(std::string_view device_id) const {
  return shards_[Hash{}(device_id) % kShards];
}

std::optional<PollRecord> PollIndex::find(std::string_view device_id) const {
  const Shard& shard = shard_of(device_id);
  const std::shared_lock lock(shard.mutex);
  const auto found = shard.records.find(device_id);
  return found == shard.records.end() ? std::nullopt : std::optional<PollRecord>(found->second);
}

std::optional<ActionRef> PollIndex::underway(std::string_view device_id, domain::ActionId action) const {
  const Shard& shard = shard_of(device_id);
  const std::shared_lock lock(shard.mutex);
  const auto found = shard.underway.find(device_id);
  if (found == shard.underway.end() || found->second.action != action) return std::nullopt;
  return found->second.ref;
}

void PollIndex::put(const std::string& device_id, const PollRecord& record, const std::optional<Underway>& underway) {
  Shard& shard = shard_of(device_id);
  const std::unique_lock lock(shard.mutex);
  shard.records.insert_or_assign(device_id, record);
  if (underway) {
    shard.underway.insert_or_assign(device_id, *underway);
  } else {
    shard.underway.erase(device_id);
  }
}

void PollIndex::clear() {
  for (auto& shard : shards_) {
    const std::unique_lock lock(shard.mutex);
    shard.records.clear();
    shard.underway.clear();
  }
}

void PollIndex::exchange_with(PollIndex& other) {
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::scoped_lock lock(shards_[i].mutex, other.shards_[i].mutex);
    shards_[i].records.swap(other.shards_[i].records);
    shards_[i].underway.swap(other.shards_[i].underway);
  }
}

std::size_t PollIndex::size() const {
  std::size_t size = 0;
  for (const auto& shard : shards_) {
    const std::shared_lock lock(shard.mutex);
    size += shard.records.size();
  }
  return size;
}

std::vector<std::string> PollIndex::with_push() const {
  std::vector<std::string> ids;
  for (const auto& shard : shards_) {
    const std::shared_lock lock(shard.mutex);
    for (const auto& [id, record] : shard.records) {
      if (record.push) ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace ota::projections
