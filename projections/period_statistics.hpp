// What was created when, and what became of it: buckets of a minute and of a day, by the time of creation.
//
// A period that begins or ends within a minute is exact all the same: what was created in that part of the minute is
// looked at one by one. Updates of a campaign were created with it, all at once.
#pragma once

#include "projections/totals.hpp"
#include "projections/view.hpp"

namespace ota::projections {

class PeriodView final : public View {
 public:
  explicit PeriodView(Rows& rows);

  std::string_view name() const override { return "statistics of periods"; }
  void apply(Change& change) override;
  void commit() override {
    buckets_.commit();
    named_.commit();
  }

 private:
  void note_creation(const Change& change);
  void count_grant(const FirstGrant& granted);

  Rows& rows_;
  RowCache<Totals> buckets_;
  RowCache<std::uint64_t> named_;
};

// What was created in [from, until). `reader` must be of one moment: buckets and single rows are added up.
Statistics statistics_between(const Reader& reader, domain::Time from, domain::Time until);

}  // namespace ota::projections
