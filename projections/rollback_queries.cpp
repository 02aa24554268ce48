// A campaign's rollback is no rows until its devices ask, or its deadline has come: whoever completed,
// is not undone and has no row of the present rollback is shown as one that waits.
#include "projections/rollback_queries.hpp"

#include <algorithm>
#include <vector>

#include "projections/campaign_entry.hpp"
#include "projections/device_view.hpp"
#include "projections/paging.hpp"
#include "projections/update_facts.hpp"
#include "projections/update_queries.hpp"
#include "projections/update_view.hpp"

namespace ota::projections::rollbacks {
namespace {

constexpr char kList = 'r';
using Filler = PageFiller<domain::DeviceUpdate>;

// Places in a list: first those that have not begun, by campaign and ordinal; then what began.
enum class Stage : std::uint8_t { kWaiting = 0, kBegun = 1 };
std::string place_in(Stage stage, std::string_view rest) {
  return BytesOut().u8(static_cast<std::uint8_t>(stage)).raw(rest).take();
}
std::string waiting_place(domain::CampaignId campaign, std::uint32_t ordinal) {
  return place_in(Stage::kWaiting,
                  BytesOut().raw(domain::view_of(campaign.bytes)).u32(ordinal).take());
}

std::optional<CampaignEntry> campaign_of(const Reader& reader, domain::CampaignId id) {
  auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
  return entry && entry->state.exists ? std::move(entry) : std::nullopt;
}

std::optional<domain::DeviceUpdate> waiting(const Reader& reader, const CampaignEntry& campaign,
                                            domain::Ordinal ordinal) {
  const auto number = static_cast<std::uint8_t>(campaign.state.rollback.number);
  const auto id = campaign.state.id;
  if (number == 0 || updates::find(reader, domain::UpdateId::in_campaign(id, ordinal, number))) return {};
  const auto deployment = updates::find(reader, domain::UpdateId::in_campaign(id, ordinal));
  if (!deployment) return std::nullopt;
  return pending_rollback(campaign, *deployment, devices::ordinal_of(reader, deployment->device) != ordinal);
}

// False: the page is full.
bool take_waiting_of_campaign(const Reader& reader, domain::CampaignId id, const std::string& after,
                              Filler& filler) {
  const auto campaign = campaign_of(reader, id);
  if (!campaign || campaign->state.rollback.number == 0) return true;
  for (Range range(reader, status_prefix(id.bytes, domain::UpdateStatus::kCompleted)); range.valid();
       range.next()) {
    BytesIn rest(range.rest());
    const auto ordinal = rest.u32();
    const auto place = waiting_place(id, ordinal);
    if (rest.u8() != domain::UpdateId::kDeployment || (!after.empty() && place <= after)) continue;
    auto update = waiting(reader, *campaign, {ordinal});
    if (update && !filler.take(place, [&] { return std::move(*update); })) return false;
  }
  return true;
}

// False: the page is full.
bool take_waiting_of(const Reader& reader, domain::CampaignId id, domain::Ordinal ordinal,
                     const std::string& after, Filler& filler) {
  const auto place = waiting_place(id, ordinal.value);
  if (!after.empty() && place <= after) return true;
  const auto campaign = campaign_of(reader, id);
  auto update = campaign ? waiting(reader, *campaign, ordinal) : std::nullopt;
  return !update || filler.take(place, [&] { return std::move(*update); });
}

// Of one campaign if that is asked for, also when it has ended; else of those that are in rollback.
bool take_waiting_of_device(const Reader& reader, const RollbackFilter& filter,
                            const std::string& after, Filler& filler) {
  const auto ordinal = devices::ordinal_of(reader, *filter.device);
  if (!ordinal) return true;
  if (filter.campaign) return take_waiting_of(reader, *filter.campaign, *ordinal, after, filler);
  const auto status = BytesOut().u8(static_cast<std::uint8_t>(domain::CampaignStatus::kRollback)).take();
  std::vector<domain::CampaignId> campaigns;
  for (Range range(reader, campaign_list_prefix(CampaignDimension::kStatus, status)); range.valid();
       range.next()) {
    auto& bytes = campaigns.emplace_back().bytes;
    std::copy_n(range.value().begin(), bytes.size(), bytes.begin());
  }
  std::sort(campaigns.begin(), campaigns.end());  // as their places are, which the next page goes on behind
  return std::all_of(campaigns.begin(), campaigns.end(),
                     [&](const auto& id) { return take_waiting_of(reader, id, *ordinal, after, filler); });
}

void take_begun(const Reader& reader, const RollbackFilter& filter, const std::string& after,
                Filler& filler) {
  auto prefix = rollback_list_prefix(RollbackDimension::kAll, {});
  if (filter.campaign) {
    prefix = rollback_list_prefix(RollbackDimension::kCampaign, domain::view_of(filter.campaign->bytes));
  }
  if (filter.device) prefix = rollback_list_prefix(RollbackDimension::kDevice, filter.device->value);
  std::string from;
  if (after > place_in(Stage::kBegun, {})) from = after.substr(1) + '\0';
  for (Range range(reader, std::move(prefix), from); range.valid(); range.next()) {
    const auto id = domain::update_id_from_binary(range.value());
    auto update = id ? updates::find(reader, *id) : std::nullopt;
    if (!update) continue;
    if (filter.campaign && filter.device) {  // the device's list, of one campaign
      const auto& undoes = update->plan.rollback ? update->plan.rollback->undoes : std::nullopt;
      if (id->campaign() != filter.campaign && (!undoes || undoes->campaign() != filter.campaign)) continue;
    }
    if (!filler.take(place_in(Stage::kBegun, range.rest()), [&] { return std::move(*update); })) return;
  }
}

}  // namespace

std::optional<domain::DeviceUpdate> find(const Reader& reader, const domain::UpdateId& id) {
  if (auto update = updates::find(reader, id)) {
    return update->is_rollback() ? std::move(update) : std::nullopt;
  }
  if (!id.of_campaign || id.kind == domain::UpdateId::kDeployment) return std::nullopt;
  const auto campaign = campaign_of(reader, *id.campaign());
  if (!campaign || campaign->state.rollback.number != id.kind) return std::nullopt;
  return waiting(reader, *campaign, id.ordinal);
}

Page<domain::DeviceUpdate> list(const Reader& reader, const RollbackFilter& filter,
                                const PageRequest& request) {
  std::string after;
  if (!request.cursor.empty()) {
    const auto last = place_of(kList, request.cursor);
    if (!last || last->empty()) return Filler::bad_cursor();
    after = *last;
  }
  Filler filler(kList, request);
  bool goes_on = true;
  if (filter.device) {
    goes_on = take_waiting_of_device(reader, filter, after, filler);
  } else if (filter.campaign) {
    goes_on = take_waiting_of_campaign(reader, *filter.campaign, after, filler);
  }
  if (goes_on) take_begun(reader, filter, after, filler);
  return filler.take_page();
}

}  // namespace ota::projections::rollbacks
