// Campaigns: their own events folded, their target sets, the lists of them. What their updates do
// to them is counted by CampaignCountsView.
#pragma once

#include <map>
#include <set>
#include <optional>
#include <string>
#include <vector>

#include "projections/target_sets.hpp"
#include "projections/view.hpp"

namespace ota::projections {

class CampaignView final : public View {
 public:
  CampaignView(Rows& rows, TargetSets& sets);

  std::string_view name() const override { return "campaigns"; }
  void load(const Reader& reader) override;
  void apply(Change& change) override;
  void commit() override;

  // For the views behind this one. Null: no such campaign. The set is never null for one that
  // exists.
  const CampaignEntry* find(domain::CampaignId id);
  TargetSet targets_of(domain::CampaignId id);
  // Those that are not closed.
  const std::set<domain::CampaignId>& open() const { return open_; }

 private:
  void reopen(const domain::UpdateId& refuted);
  void fold(Change& change, domain::CampaignId id);
  void create(CampaignChange& seen, CampaignEntry& entry);
  void list(const CampaignEntry& entry);
  void relist(const CampaignEntry& entry, domain::CampaignStatus before);

  Rows& rows_;
  TargetSets& sets_;
  RowCache<CampaignEntry> entries_;
  std::set<domain::CampaignId> open_;
  std::map<domain::CampaignId, TargetSet> created_;  // in this group: their rows cannot be read yet
};

}  // namespace ota::projections
