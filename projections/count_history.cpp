#include "projections/count_history.hpp"

#include "projections/keys.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

// Of the stretch that an event is in. Newer ones come first.
std::string stretch_bytes(std::uint64_t stretch) { return BytesOut().u64(~stretch).take(); }
std::uint64_t stretch_of(domain::Position position) { return (position.value - 1) / limits::kCountsKeptEvery; }

}  // namespace

CountHistory::CountHistory(Rows& rows) : totals_(rows, limits::kCachedCounters), named_(rows, limits::kCachedCounters) {}

void CountHistory::note(domain::Position position, const Totals& totals) {
  totals_.edit_or_make(key_in(Table::kPastTotals).take() + stretch_bytes(stretch_of(position))) = totals;
}

void CountHistory::note(domain::Position position, std::string_view counter, std::uint64_t count) {
  named_.edit_or_make(key_in(Table::kPastCount).text(counter).take() + stretch_bytes(stretch_of(position))) = count;
}

void CountHistory::commit() {
  totals_.commit();
  named_.commit();
}

PastCounts counts_before(const Reader& reader, domain::Position position) {
  const std::uint64_t stretches = position.value / limits::kCountsKeptEvery;  // that have ended
  PastCounts counts;
  counts.at = {stretches * limits::kCountsKeptEvery};
  if (stretches == 0) return counts;
  const auto newest = stretch_bytes(stretches - 1);
  if (const Range totals(reader, key_in(Table::kPastTotals).take(), newest); totals.valid()) {
    counts.totals = Reader::decoded<Totals>(totals.value());
  }
  // From name to name, however many stretches each has.
  for (Range named(reader, key_in(Table::kPastCount).take()); named.valid();) {
    const std::string counter(BytesIn(named.rest()).text());
    const auto name = BytesOut().text(counter).take();
    named.skip_to(name + newest);
    if (named.valid() && named.rest().starts_with(name)) {
      if (const auto count = Reader::decoded<std::uint64_t>(named.value())) counts.named.emplace(counter, count);
    }
    named.skip_to(name + std::string(newest.size() + 1, '\xff'));
  }
  return counts;
}

}  // namespace ota::projections
