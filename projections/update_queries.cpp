#include "projections/update_queries.hpp"

#include <algorithm>

#include "projections/campaign_entry.hpp"
#include "projections/device_view.hpp"
#include "projections/paging.hpp"
#include "projections/update_facts.hpp"
#include "projections/update_view.hpp"

namespace ota::projections::updates {
namespace {

constexpr char kOfDevice = 'h';
constexpr char kDirect = 't';
using Filler = PageFiller<domain::DeviceUpdate>;

std::optional<CampaignEntry> campaign_of(const Reader& reader, domain::CampaignId id) {
  auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
  return entry && entry->state.exists ? std::move(entry) : std::nullopt;
}

// ---- a device's ---------------------------------------------------------------------------------

// Places in a device's list: first what waits, by its campaign's creation, then what began, by its
// first event.
enum class Stage : std::uint8_t { kWaiting = 0, kBegun = 1 };
constexpr std::size_t kPlaceBytes = 9;
std::string place_in(Stage stage, std::string_view inverted_position) {
  return BytesOut().u8(static_cast<std::uint8_t>(stage)).raw(inverted_position).take();
}

struct RunningCampaign {
  std::string inverted_position;
  domain::CampaignId id;
};
std::vector<RunningCampaign> running_campaigns(const Reader& reader) {
  std::vector<RunningCampaign> running;
  for (const auto status : {domain::CampaignStatus::kInProgress, domain::CampaignStatus::kPaused}) {
    const auto value = BytesOut().u8(static_cast<std::uint8_t>(status)).take();
    for (Range range(reader, campaign_list_prefix(CampaignDimension::kStatus, value));
         range.valid(); range.next()) {
      RunningCampaign campaign{std::string(range.rest()), {}};
      std::copy_n(range.value().begin(), campaign.id.bytes.size(), campaign.id.bytes.begin());
      running.push_back(std::move(campaign));
    }
  }
  std::sort(running.begin(), running.end(),
            [](const auto& a, const auto& b) { return a.inverted_position < b.inverted_position; });
  return running;
}

// False: the page is full.
bool take_waiting(const Reader& reader, const domain::DeviceId& id, const std::string& after,
                  Filler& filler) {
  const auto ordinal = devices::ordinal_of(reader, id);
  if (!ordinal) return true;
  for (const auto& campaign : running_campaigns(reader)) {
    const auto place = place_in(Stage::kWaiting, campaign.inverted_position);
    if (!after.empty() && place <= after) continue;
    if (!is_fresh(reader, campaign.id, ordinal->value)) continue;
    const auto entry = campaign_of(reader, campaign.id);
    if (!entry) continue;
    auto update = pending_update(*entry, *ordinal, id);
    if (update.status == domain::UpdateStatus::kCancelled) continue;  // of one that only waits for its running devices
    if (!filler.take(place, [&] { return std::move(update); })) return false;
  }
  return true;
}

void take_begun(const Reader& reader, const domain::DeviceId& id, const std::string& after,
                Filler& filler) {
  std::string from;
  if (after > place_in(Stage::kBegun, {})) from = after.substr(1) + '\0';
  for (Range range(reader, history_prefix(id.value), from); range.valid(); range.next()) {
    const auto update_id = domain::update_id_from_binary(range.value());
    auto update = update_id ? find(reader, *update_id) : std::nullopt;
    if (!update) continue;
    if (!filler.take(place_in(Stage::kBegun, range.rest()), [&] { return std::move(*update); })) {
      return;
    }
  }
}

}  // namespace

std::optional<domain::DeviceUpdate> find(const Reader& reader, const domain::UpdateId& id) {
  return reader.row<domain::DeviceUpdate>(update_key(Table::kUpdate, id));
}

std::optional<domain::DeviceUpdate> find_or_pending(const Reader& reader,
                                                    const domain::UpdateId& id) {
  if (auto update = find(reader, id)) return update;
  const auto campaign = id.campaign();
  if (!campaign || id.kind != domain::UpdateId::kDeployment) return std::nullopt;
  const auto entry = campaign_of(reader, *campaign);
  if (!entry) return std::nullopt;
  const auto device = devices::id_of(reader, id.ordinal);
  if (is_fresh(reader, *campaign, id.ordinal.value)) {
    return pending_update(*entry, id.ordinal, device.value_or(domain::DeviceId{}));
  }
  rocksdb::PinnableSlice at;
  if (!reader.get(withdrawn_key(*campaign, id.ordinal.value), at)) return std::nullopt;
  return withdrawn_update(*entry, id.ordinal, device.value_or(domain::DeviceId{}),
                          BytesIn(view(at)).time());
}

Page<domain::DeviceUpdate> of_device(const Reader& reader, const domain::DeviceId& id,
                                     const PageRequest& request) {
  std::string after;
  if (!request.cursor.empty()) {
    const auto last = place_of(kOfDevice, request.cursor);
    if (!last || last->size() != kPlaceBytes) return Filler::bad_cursor();
    after = *last;
  }
  Filler filler(kOfDevice, request);
  if (take_waiting(reader, id, after, filler)) take_begun(reader, id, after, filler);
  return filler.take_page();
}

Page<domain::DeviceUpdate> direct(const Reader& reader, domain::UpdateStatus status,
                                  const PageRequest& request) {
  std::string from;
  if (!request.cursor.empty()) {
    const auto last = place_of(kDirect, request.cursor);
    if (!last || last->size() != domain::Bytes16{}.size()) return Filler::bad_cursor();
    from = *last + '\0';
  }
  Filler filler(kDirect, request);
  for (Range range(reader, status_prefix({}, status), from); range.valid(); range.next()) {
    const auto id = domain::update_id_from_binary(range.rest());
    auto update = id ? find(reader, *id) : std::nullopt;
    if (!update || update->status != status) continue;
    if (!filler.take(range.rest(), [&] { return std::move(*update); })) break;
  }
  return filler.take_page();
}

std::optional<ActionRef> action(const Reader& reader, const domain::DeviceId& device,
                                domain::ActionId action) {
  rocksdb::PinnableSlice bytes;
  if (!reader.get(action_key(device.value, action), bytes)) return std::nullopt;
  BytesIn in(view(bytes));
  const auto attempt = in.u32();
  const auto id = domain::update_id_from_binary(in.rest());
  return id ? std::optional(ActionRef{*id, attempt}) : std::nullopt;
}

}  // namespace ota::projections::updates
