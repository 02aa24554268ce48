#include "projections/campaign_view.hpp"

#include <algorithm>
#include <utility>

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

std::string entry_key(domain::CampaignId id) { return id_key(Table::kCampaign, id.bytes); }

std::string status_value(domain::CampaignStatus status) {
  return BytesOut().u8(static_cast<std::uint8_t>(status)).take();
}

domain::CampaignId id_in(std::string_view bytes) {
  domain::CampaignId id;
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

}  // namespace

CampaignView::CampaignView(Rows& rows, TargetSets& sets)
    : rows_(rows), sets_(sets), entries_(rows, limits::kCachedCampaigns) {}

void CampaignView::load(const Reader& reader) {
  open_.clear();
  for (Range range(reader, key_in(Table::kOpenCampaign).take()); range.valid(); range.next()) {
    open_.insert(id_in(range.rest()));
  }
}

// ---- for the views behind -----------------------------------------------------------------------

const CampaignEntry* CampaignView::find(domain::CampaignId id) {
  const auto* entry = entries_.find(entry_key(id));
  return entry && entry->state.exists ? entry : nullptr;
}

TargetSet CampaignView::targets_of(domain::CampaignId id) {
  if (auto set = sets_.find(id)) return set;
  if (const auto found = created_.find(id); found != created_.end()) return found->second;
  std::string bytes;
  if (!rows_.get(id_key(Table::kCampaignTargets, id.bytes), bytes)) return nullptr;
  auto set = std::make_shared<const domain::Bitmap>(domain::bitmap_from_bytes(bytes));
  sets_.put(id, set);
  return set;
}

// ---- folding ------------------------------------------------------------------------------------

void CampaignView::apply(Change& change) {
  if (const auto* id = std::get_if<domain::CampaignId>(&change.event.stream)) {
    fold(change, *id);
  } else if (std::holds_alternative<domain::UpdateRefuted>(change.event.event)) {
    reopen(std::get<domain::UpdateId>(change.event.stream));
  }
}

// One that has closed looks once more at what it had counted as completed: that must not be forgotten in a crash.
void CampaignView::reopen(const domain::UpdateId& refuted) {
  const auto id = refuted.campaign();
  const auto* entry = id ? find(*id) : nullptr;
  if (!entry || !entry->state.closed) return;
  open_.insert(*id);
  rows_.put(id_key(Table::kOpenCampaign, id->bytes), {});
}

void CampaignView::fold(Change& change, domain::CampaignId id) {
  const auto& event = change.event;
  auto& entry = entries_.edit_or_make(entry_key(id));
  const bool existed = entry.state.exists;
  const bool had_ended = entry.ended_at.has_value();
  const auto status_before = entry.state.status;
  const bool was_started = entry.state.started_at.has_value();
  entry.state.id = id;
  if (!projections::fold(entry, event) || !entry.state.exists) return;  // the latter: a part of its targets
  CampaignChange& seen = change.campaign.emplace();
  seen.campaign = &entry;
  seen.status_before = status_before;
  seen.created = !existed;
  seen.started = !was_started && entry.state.started_at.has_value();
  if (seen.created) create(seen, entry);
  seen.ended = entry.ended_at.has_value() && !had_ended;
  if (existed && entry.state.status != status_before) relist(entry, status_before);
  if (std::holds_alternative<domain::CampaignRollbackBegun>(event.event)) {
    open_.insert(id);
    rows_.put(id_key(Table::kOpenCampaign, id.bytes), {});
  } else if (entry.state.closed) {
    open_.erase(id);
    rows_.erase(id_key(Table::kOpenCampaign, id.bytes));
  }
}

void CampaignView::create(CampaignChange& seen, CampaignEntry& entry) {
  // From here on the sets live elsewhere: targets in their own row, the others in the updates'
  // rows.
  seen.withdrawn = std::exchange(entry.state.cancelled, {});
  seen.targets = std::make_shared<const domain::Bitmap>(std::exchange(entry.state.targets, {}));
  const auto id = entry.state.id;
  rows_.put(id_key(Table::kCampaignTargets, id.bytes), domain::to_bytes(*seen.targets));
  created_[id] = seen.targets;
  sets_.put(id, seen.targets);
  open_.insert(id);
  rows_.put(id_key(Table::kOpenCampaign, id.bytes), {});
  list(entry);
}

void CampaignView::list(const CampaignEntry& entry) {
  const auto id = domain::view_of(entry.state.id.bytes);
  const auto add = [&](CampaignDimension dimension, std::string_view value) {
    rows_.put(newest_first(campaign_list_prefix(dimension, value), entry.created), id);
  };
  add(CampaignDimension::kAll, {});
  add(CampaignDimension::kStatus, status_value(entry.state.status));
  add(CampaignDimension::kFirmware, domain::view_of(entry.record.firmware.bytes));
  add(CampaignDimension::kPriority,
      BytesOut().u8(static_cast<std::uint8_t>(entry.record.policy.priority)).take());
}

void CampaignView::relist(const CampaignEntry& entry, domain::CampaignStatus before) {
  const auto key = [&](domain::CampaignStatus status) {
    return newest_first(campaign_list_prefix(CampaignDimension::kStatus, status_value(status)),
                        entry.created);
  };
  rows_.erase(key(before));
  rows_.put(key(entry.state.status), domain::view_of(entry.state.id.bytes));
}

void CampaignView::commit() {
  entries_.commit();
  created_.clear();
}

}  // namespace ota::projections
