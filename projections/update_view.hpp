// Device updates: each one's fold, by status, by device, by action; and which targets have none
// yet.
//
// A campaign's update has no row before its first event. It then begins as what was shown of it
// until then, so that it keeps its campaign's creation time and plan. Only deployments of targets
// count: an id can be made up for any device, and rollbacks have their own list (decision 10).
#pragma once

#include <optional>
#include <string>

#include "projections/campaign_view.hpp"
#include "projections/device_view.hpp"
#include "projections/fresh_targets.hpp"
#include "projections/view.hpp"

namespace ota::projections {

template <>
struct RowCodec<domain::DeviceUpdate> {
  static std::string encode(const domain::DeviceUpdate& update);
  static std::optional<domain::DeviceUpdate> decode(std::string_view bytes);
};

class UpdateView final : public View {
 public:
  UpdateView(Rows& rows, DeviceView& devices, CampaignView& campaigns);

  std::string_view name() const override { return "updates"; }
  void apply(Change& change) override;
  void commit() override;

 private:
  // An update's campaign, and whether the update counts there, or by itself.
  struct Owner {
    const CampaignEntry* campaign = nullptr;
    bool counts = false;
  };
  void fold(Change& change, const domain::UpdateId& id);
  Owner owner_of(const domain::UpdateId& id);
  Standing begin(domain::DeviceUpdate& update, const domain::UpdateId& id, const Owner& owner,
                 const domain::Recorded& event);
  void index(const UpdateChange& seen, const domain::UpdateId& id, const domain::Recorded& event,
             bool counts);
  void list_rollback(const domain::DeviceUpdate& update, domain::Position position);
  void spread(const CampaignChange& campaign, domain::Time at);
  void withdraw(Change& change, domain::Ordinal ordinal);

  Rows& rows_;
  DeviceView& devices_;
  CampaignView& campaigns_;
  RowCache<domain::DeviceUpdate> updates_;
  FreshTargets fresh_;
};

inline std::string withdrawn_key(domain::CampaignId campaign, std::uint32_t ordinal) {
  return in_campaign(Table::kWithdrawn, campaign).u32(ordinal).take();
}

}  // namespace ota::projections
