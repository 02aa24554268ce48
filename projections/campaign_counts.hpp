// How far campaigns are: counters that follow where their updates stand, per campaign, per batch,
// per error code.
//
// Always: total = pending + in progress + completed + failed + cancelled, and each is what the
// domain's fold of the campaign has. Rows of their own, since a report changes these few bytes and
// nothing else of a campaign.
#pragma once

#include <map>
#include <string>

#include "projections/answers.hpp"
#include "projections/view.hpp"

namespace ota::projections {

struct CampaignCounts {
  std::uint32_t total = 0;
  std::uint32_t in_progress = 0;
  std::uint32_t completed = 0;
  std::uint32_t failed = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t held = 0;
  std::uint32_t undone = 0;
  std::uint32_t without_download = 0;  // successes for which nobody asked for the bytes
  std::uint64_t update_us_total = 0;
  domain::Time updated_at{};  // of the newest event with the campaign's tag

  std::uint32_t pending() const { return total - in_progress - completed - failed - cancelled; }
};
template <>
struct RowCodec<CampaignCounts> {
  static std::string encode(const CampaignCounts& counts);
  static std::optional<CampaignCounts> decode(std::string_view bytes);
};
template <>
struct RowCodec<BatchCounts> {
  static std::string encode(const BatchCounts& counts);
  static std::optional<BatchCounts> decode(std::string_view bytes);
};

class CampaignCountsView final : public View {
 public:
  explicit CampaignCountsView(Rows& rows);

  std::string_view name() const override { return "campaign counts"; }
  void apply(Change& change) override;
  void commit() override;

 private:
  CampaignCounts& of(domain::CampaignId id);
  void on_campaign(CampaignChange& campaign, domain::Time at);
  void on_update(const UpdateChange& update, const domain::Recorded& event);
  void count_batch(domain::CampaignId id, const UpdateChange& update);

  RowCache<CampaignCounts> counts_;
  RowCache<BatchCounts> batches_;
  RowCache<std::uint64_t> errors_;
};

// What readers ask.
CampaignCounts campaign_counts(const Reader& reader, domain::CampaignId id);
std::map<std::uint32_t, BatchCounts> batch_counts(const Reader& reader, domain::CampaignId id);
std::map<std::string, std::uint64_t> error_codes(const Reader& reader, domain::CampaignId id);

}  // namespace ota::projections
