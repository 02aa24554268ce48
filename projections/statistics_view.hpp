// Counters over everything (spec/api.md section 6, decision 30).
#pragma once

#include "projections/totals.hpp"
#include "projections/view.hpp"

namespace ota::projections {

class StatisticsView final : public View {
 public:
  explicit StatisticsView(Rows& rows);

  std::string_view name() const override { return "statistics"; }
  void apply(Change& change) override;
  void commit() override;

 private:
  void on_device(const DeviceChange& device);

  RowCache<Totals> totals_;
  RowCache<std::uint64_t> named_;
};

// `reader` must be of one moment.
Statistics statistics(const Reader& reader);

}  // namespace ota::projections
