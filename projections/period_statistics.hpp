// What was created when, and what became of it: buckets of a minute and of a day, by an update's
// creation.
//
// A period that begins within a minute is exact all the same: what was created in the rest of that
// minute is looked at one by one. Updates of a campaign were created with it, all at once.
#pragma once

#include "projections/answers.hpp"
#include "projections/view.hpp"

namespace ota::projections {

template <>
struct RowCodec<PeriodStatistics> {
  static std::string encode(const PeriodStatistics& bucket);
  static std::optional<PeriodStatistics> decode(std::string_view bytes);
};

class PeriodView final : public View {
 public:
  explicit PeriodView(Rows& rows);

  std::string_view name() const override { return "statistics of periods"; }
  void apply(Change& change) override;
  void commit() override { buckets_.commit(); }

 private:
  template <class Edit>
  void at(domain::Time created, const Edit& edit);

  Rows& rows_;
  RowCache<PeriodStatistics> buckets_;
};

// `reader` must be of one moment: buckets and single rows are added up.
PeriodStatistics statistics_since(const Reader& reader, domain::Time from);

}  // namespace ota::projections
