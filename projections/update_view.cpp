#include "projections/update_view.hpp"

#include "domain/codec/state_codec.hpp"
#include "projections/limits.hpp"
#include "projections/update_facts.hpp"

namespace ota::projections {

std::string RowCodec<domain::DeviceUpdate>::encode(const domain::DeviceUpdate& update) {
  return domain::encode_state(update);
}
std::optional<domain::DeviceUpdate> RowCodec<domain::DeviceUpdate>::decode(std::string_view bytes) {
  return domain::decode_update_state(bytes);
}

UpdateView::UpdateView(Rows& rows, DeviceView& devices, CampaignView& campaigns)
    : rows_(rows),
      devices_(devices),
      campaigns_(campaigns),
      updates_(rows, limits::kCachedEntities),
      fresh_(rows) {}

void UpdateView::apply(Change& change) {
  const auto& event = change.event;
  if (const auto* id = std::get_if<domain::UpdateId>(&event.stream)) {
    fold(change, *id);
  } else if (change.campaign && change.campaign->created) {
    spread(*change.campaign, event.time);
  } else if (const auto* deleted = std::get_if<domain::DeviceDeleted>(&event.event)) {
    withdraw(change, deleted->ordinal);
  }
}

void UpdateView::commit() {
  updates_.commit();
  fresh_.commit();
}

// ---- one update ---------------------------------------------------------------------------------

UpdateView::Owner UpdateView::owner_of(const domain::UpdateId& id) {
  const auto campaign = id.campaign();
  if (!campaign) return {nullptr, true};
  const auto* entry = campaigns_.find(*campaign);
  if (!entry) return {};
  if (id.kind != domain::UpdateId::kDeployment) return {entry, false};
  const auto targets = campaigns_.targets_of(*campaign);
  return {entry, targets && targets->contains(id.ordinal.value)};
}

void UpdateView::fold(Change& change, const domain::UpdateId& id) {
  const auto& event = change.event;
  const Owner owner = owner_of(id);
  const auto has_no_row = [&] { return id.of_campaign && owner.counts && fresh_.has(*id.campaign(), id.ordinal.value); };
  auto& update = updates_.edit_or_make(update_key(Table::kUpdate, id), has_no_row);
  UpdateChange& seen = change.update.emplace();
  seen.campaign = owner.campaign;
  const bool ended = owner.campaign && owner.campaign->ended();
  if (!update.exists) {
    seen.stood = begin(update, id, owner, event);
  } else if (owner.counts) {
    seen.stood = standing_of(update.status, ended);
  }
  seen.before = facts_of(update);
  domain::evolve(update, event);
  seen.after = facts_of(update);
  if (update.is_rollback()) seen.stood = Standing::kNone;
  if (owner.counts && !update.is_rollback()) seen.stands = standing_of(update.status, ended);
  seen.update = &update;
  index(seen, id, event, owner.counts);
}

// What the update was before its first event, and where that counted.
Standing UpdateView::begin(domain::DeviceUpdate& update, const domain::UpdateId& id,
                           const Owner& owner, const domain::Recorded& event) {
  if (!id.of_campaign || !owner.counts) return Standing::kNone;
  std::string device = event.device ? event.device->value : devices_.id_of(id.ordinal);
  update = pending_update(*owner.campaign, id.ordinal, {std::move(device)});
  if (fresh_.take(*id.campaign(), id.ordinal.value)) return standing_of(update.status, false);
  rows_.erase(withdrawn_key(*id.campaign(), id.ordinal.value));
  return Standing::kCancelled;
}

void UpdateView::index(const UpdateChange& seen, const domain::UpdateId& id,
                       const domain::Recorded& event, bool counts) {
  if (!seen.before.exists && !seen.update->device.value.empty()) {
    rows_.put(newest_first(history_prefix(seen.update->device.value), event.position),
              domain::to_binary(id));
    if (seen.update->is_rollback()) list_rollback(*seen.update, event.position);
  }
  if (counts &&
      (!seen.before.exists || indexed_as(seen.before.status) != indexed_as(seen.after.status))) {
    const domain::Bytes16 owner = id.of_campaign ? id.base : domain::Bytes16{};
    const auto rest = rest_of(id);
    if (seen.before.exists) rows_.erase(status_prefix(owner, seen.before.status) + rest);
    rows_.put(status_prefix(owner, seen.after.status) + rest, {});
  }
  const auto act = [&](domain::ActionId action, std::uint32_t attempt) {
    rows_.put(action_key(seen.update->device.value, action),
              BytesOut().u32(attempt).raw(domain::to_binary(id)).take());
  };
  if (const auto* granted = std::get_if<domain::AttemptGranted>(&event.event)) {
    act(granted->action, granted->attempt);
  } else if (const auto* asked = std::get_if<domain::ConsentAsked>(&event.event)) {
    act(asked->action, asked->attempt);
  }
}

void UpdateView::list_rollback(const domain::DeviceUpdate& update, domain::Position position) {
  const auto id = domain::to_binary(update.id);
  const auto add = [&](RollbackDimension dimension, std::string_view value) {
    rows_.put(newest_first(rollback_list_prefix(dimension, value), position), id);
  };
  add(RollbackDimension::kAll, {});
  add(RollbackDimension::kDevice, update.device.value);
  std::optional<domain::CampaignId> campaign = update.id.campaign();
  // One of a single device is of the campaign whose update it undoes.
  if (!campaign && update.plan.rollback && update.plan.rollback->undoes) {
    campaign = update.plan.rollback->undoes->campaign();
  }
  if (campaign) add(RollbackDimension::kCampaign, domain::view_of(campaign->bytes));
}

// ---- targets without an update ------------------------------------------------------------------

void UpdateView::spread(const CampaignChange& campaign, domain::Time at) {
  const auto id = campaign.campaign->state.id;
  fresh_.add(id, *campaign.targets - campaign.withdrawn);
  for (const std::uint32_t ordinal : campaign.withdrawn) {
    rows_.put(withdrawn_key(id, ordinal), BytesOut().time(at).take());
  }
}

// No event says of a deleted device's campaigns that they lost it: of whoever had a grant, its
// update does.
void UpdateView::withdraw(Change& change, domain::Ordinal ordinal) {
  for (const auto id : campaigns_.open()) {
    const auto* entry = campaigns_.find(id);
    if (!entry || entry->ended() || !fresh_.take(id, ordinal.value)) continue;
    rows_.put(withdrawn_key(id, ordinal.value), BytesOut().time(change.event.time).take());
    change.withdrawn_from.push_back({id, entry->state.created_at});
  }
}

}  // namespace ota::projections
