// The counters of the statistics as they were at the end of every so many events, for whoever asks for an earlier moment.
//
// Only what changed has a row for such a stretch of the log: the value at its end, or so far. So the newest row of an earlier
// stretch is what a counter was at the beginning of the one that is asked for; what happened since is folded (past.hpp).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "domain/streams.hpp"
#include "projections/reader.hpp"
#include "projections/row_cache.hpp"
#include "projections/totals.hpp"

namespace ota::projections {

class CountHistory {
 public:
  explicit CountHistory(Rows& rows);

  // What they are behind the event at `position`.
  void note(domain::Position position, const Totals& totals);
  // `counter`: as its row has it behind its table's letter.
  void note(domain::Position position, std::string_view counter, std::uint64_t count);
  void commit();

 private:
  RowCache<Totals> totals_;
  RowCache<std::uint64_t> named_;
};

struct PastCounts {
  domain::Position at;                         // behind this event
  Totals totals;
  std::map<std::string, std::uint64_t> named;  // by `counter` as above; none is 0
};
// As they were at the end of the newest whole stretch that ends at or before `position`.
PastCounts counts_before(const Reader& reader, domain::Position position);

}  // namespace ota::projections
