#include "eventstore/kept_snapshots.hpp"

#include <algorithm>

#include "eventstore/limits.hpp"
#include "eventstore/name_rows.hpp"

namespace ota::eventstore {

std::vector<Position>& KeptSnapshots::of(const std::string& stream) {
  if (const auto found = positions_.find(stream); found != positions_.end()) return found->second;
  if (positions_.size() >= limits::kSnapshotStreamsKnown) positions_.clear();
  std::vector<Position> positions;
  NameRows rows(database_, Family::kSnapshots, stream);
  for (rows.seek_after({}); rows.valid(); rows.next()) positions.push_back(rows.position());
  return positions_.emplace(stream, std::move(positions)).first->second;
}

std::optional<Position> KeptSnapshots::add(const std::string& stream, Position position) {
  auto& kept = of(stream);
  const auto place = std::lower_bound(kept.begin(), kept.end(), position);
  if (place != kept.end() && *place == position) return std::nullopt;
  kept.insert(place, position);
  if (kept.size() <= limits::kSnapshotsKept) return std::nullopt;
  // The one that leaves the smallest gap behind, neither the first nor one of the two newest: what is loaded is near its end.
  auto goes = kept.begin() + 1;
  const auto gap = [](auto at) { return (at + 1)->value - (at - 1)->value; };
  for (auto at = goes; at < kept.end() - 2; ++at) {
    if (gap(at) < gap(goes)) goes = at;
  }
  const auto gone = *goes;
  kept.erase(goes);
  return gone;
}

}  // namespace ota::eventstore
