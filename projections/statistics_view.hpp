// Counters over everything (spec/api.md section 6, decision 30).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "projections/count_history.hpp"
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
  void on_device(domain::Position position, const DeviceChange& device);
  void count(domain::Position position, const std::string& counter, std::uint64_t more);

  RowCache<Totals> totals_;
  RowCache<std::uint64_t> named_;
  CountHistory history_;
};

// Counters by name, as their rows have them behind their table's letter: of a first grant; of a device that is listed, empty
// if its model or version is not known.
std::vector<std::string> counters_of_grant(const std::string& model, const std::string& version);
std::string counter_of_device(const std::string& model, const std::string& version);
// With counters by these names.
Statistics statistics_of(const Totals& totals, const std::map<std::string, std::uint64_t>& named);

// How many listed devices of this model run this version, however they spell it (decision 3).
std::uint64_t devices_running(const Reader& reader, std::string_view model, std::string_view version);

// `reader` must be of one moment.
Statistics statistics(const Reader& reader);

}  // namespace ota::projections
