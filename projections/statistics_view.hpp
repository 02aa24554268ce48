// Counters over everything (spec/api.md section 6, decision 30).
#pragma once

#include <array>

#include "projections/answers.hpp"
#include "projections/view.hpp"

namespace ota::projections {

// What every report may change, in one small row.
struct Totals {
  std::array<std::uint64_t, 9> campaigns{};  // by status
  std::uint64_t updates = 0;
  std::uint64_t in_progress = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t update_seconds = 0;
  std::uint64_t data_transferred = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t started_campaigns = 0;
  std::uint64_t devices = 0;
};
template <>
struct RowCodec<Totals> {
  static std::string encode(const Totals& totals);
  static std::optional<Totals> decode(std::string_view bytes);
};

class StatisticsView final : public View {
 public:
  explicit StatisticsView(Rows& rows);

  std::string_view name() const override { return "statistics"; }
  void apply(Change& change) override;
  void commit() override;

 private:
  void on_campaign(const CampaignChange& campaign);
  void on_update(const UpdateChange& update, const Change& change);
  void on_device(const DeviceChange& device);

  RowCache<Totals> totals_;
  RowCache<std::uint64_t> named_;
};

// `reader` must be of one moment.
Statistics statistics(const Reader& reader);

}  // namespace ota::projections
