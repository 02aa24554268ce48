// The list of a campaign's updates: three walks over its ordinals, merged. Whoever has events has a
// row; who waits for its grant is fresh; who was deleted before it is withdrawn; nobody is two of
// them. Each walk begins where the page does and costs what it shows.
#include <algorithm>

#include "projections/campaign_entry.hpp"
#include "projections/campaign_queries.hpp"
#include "projections/device_view.hpp"
#include "projections/paging.hpp"
#include "projections/update_facts.hpp"
#include "projections/update_queries.hpp"
#include "projections/update_view.hpp"

namespace ota::projections::updates {
namespace {

constexpr char kOfCampaign = 'u';
using Filler = PageFiller<domain::DeviceUpdate>;

std::string ordinal_bytes(std::uint32_t ordinal) { return BytesOut().u32(ordinal).take(); }

// Those that have events: all by their rows, or those of one status by the index.
class RowWalk {
 public:
  RowWalk(const Reader& reader, domain::CampaignId campaign, const domain::Bitmap& targets,
          std::optional<domain::UpdateStatus> status, std::uint32_t from)
      : reader_(reader),
        campaign_(campaign),
        targets_(targets),
        status_(status),
        rows_(reader,
              status ? status_prefix(campaign.bytes, *status)
                     : id_key(Table::kUpdate, campaign.bytes),
              ordinal_bytes(from)) {
    skip_others();
  }
  std::optional<std::uint32_t> ordinal() const { return ordinal_; }
  void next() {
    rows_.next();
    skip_others();
  }
  domain::DeviceUpdate update() {
    if (!status_) return Reader::decoded<domain::DeviceUpdate>(rows_.value());
    return std::move(*update_);
  }

 private:
  // Rollbacks, ids that somebody made up for a device that is no target, other phases of an
  // attempt.
  void skip_others() {
    for (ordinal_.reset(); rows_.valid(); rows_.next()) {
      BytesIn rest(rows_.rest());
      const auto ordinal = rest.u32();
      const auto kind = rest.u8();
      if (kind != domain::UpdateId::kDeployment || !targets_.contains(ordinal)) continue;
      if (status_) {
        update_ = find(reader_, domain::UpdateId::in_campaign(campaign_, {ordinal}));
        if (!update_ || update_->status != *status_) continue;
      }
      ordinal_ = ordinal;
      return;
    }
  }

  const Reader& reader_;
  domain::CampaignId campaign_;
  const domain::Bitmap& targets_;
  std::optional<domain::UpdateStatus> status_;
  Range rows_;
  std::optional<domain::DeviceUpdate> update_;  // status_ only
  std::optional<std::uint32_t> ordinal_;
};

// Those that were deleted before they were granted.
class WithdrawnWalk {
 public:
  WithdrawnWalk(const Reader& reader, domain::CampaignId campaign, std::uint32_t from)
      : rows_(reader, id_key(Table::kWithdrawn, campaign.bytes), ordinal_bytes(from)) {}
  std::optional<std::uint32_t> ordinal() const {
    return rows_.valid() ? std::optional(BytesIn(rows_.rest()).u32()) : std::nullopt;
  }
  void next() { rows_.next(); }
  domain::Time at() const { return BytesIn(rows_.value()).time(); }

 private:
  Range rows_;
};

}  // namespace

Page<domain::DeviceUpdate> of_campaign(const Reader& reader, TargetSets& sets,
                                       domain::CampaignId id,
                                       std::optional<domain::UpdateStatus> status,
                                       const PageRequest& request) {
  std::uint32_t from = 0;
  if (!request.cursor.empty()) {
    const auto last = place_of(kOfCampaign, request.cursor);
    if (!last || last->size() != sizeof(from)) return Filler::bad_cursor();
    from = BytesIn(*last).u32() + 1;
    if (from == 0) return {};
  }
  const auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
  const auto targets = campaigns::targets(reader, sets, id);
  if (!entry || !targets) return {};

  RowWalk rows(reader, id, *targets, status, from);
  std::optional<FreshWalk> fresh;
  std::optional<WithdrawnWalk> withdrawn;
  if (!status || *status == pending_status(*entry)) fresh.emplace(reader, id, from);
  if (!status || *status == domain::UpdateStatus::kCancelled) withdrawn.emplace(reader, id, from);
  const auto device = [&](std::uint32_t ordinal) {
    return devices::id_of(reader, {ordinal}).value_or(domain::DeviceId{});
  };

  constexpr std::uint64_t kEnd = std::uint64_t{1} << 32;
  Filler filler(kOfCampaign, request);
  for (;;) {
    const std::uint64_t of_rows = rows.ordinal() ? *rows.ordinal() : kEnd;
    const std::uint64_t of_fresh = fresh && fresh->ordinal() ? *fresh->ordinal() : kEnd;
    const std::uint64_t of_withdrawn =
        withdrawn && withdrawn->ordinal() ? *withdrawn->ordinal() : kEnd;
    const std::uint64_t least = std::min({of_rows, of_fresh, of_withdrawn});
    if (least == kEnd) break;
    const auto ordinal = static_cast<std::uint32_t>(least);
    const auto make = [&] {
      if (least == of_rows) return rows.update();
      if (least == of_fresh) return pending_update(*entry, {ordinal}, device(ordinal));
      return withdrawn_update(*entry, {ordinal}, device(ordinal), withdrawn->at());
    };
    if (!filler.take(ordinal_bytes(ordinal), make)) break;
    if (least == of_rows) rows.next();
    if (least == of_fresh) fresh->next();
    if (least == of_withdrawn) withdrawn->next();
  }
  return filler.take_page();
}

}  // namespace ota::projections::updates
