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

// How many listed devices of this model run this version, however they spell it (decision 3).
std::uint64_t devices_running(const Reader& reader, std::string_view model, std::string_view version);

// `reader` must be of one moment.
Statistics statistics(const Reader& reader);

}  // namespace ota::projections
