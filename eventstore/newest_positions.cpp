#include "eventstore/newest_positions.hpp"

#include <algorithm>

#include "eventstore/assert.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {

std::size_t PositionTable::find(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].position.value != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  return at;
}

void PositionTable::put(std::uint64_t hash, Position position) {
  OTA_ASSERT(position.value != 0);
  Slot& slot = slots_[find(hash)];
  const bool added = slot.position.value == 0;
  slot = {hash, position};
  if (added && ++used_ * 4 > slots_.size() * 3) grow();
}

Position PositionTable::get(std::uint64_t hash) const { return slots_[find(hash)].position; }

void PositionTable::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot());
  used_ = 0;
}

void PositionTable::grow() {
  std::vector<Slot> before(slots_.size() * 2);
  std::swap(before, slots_);
  for (const Slot& slot : before) {
    if (slot.position.value != 0) slots_[find(slot.hash)] = slot;
  }
}

namespace {

// The newest event in this group that carries `tag`, compared by name.
Position newest_of(NewestPositions::Uncommitted appends, std::string_view tag) {
  for (auto append = appends.rbegin(); append != appends.rend(); ++append) {
    const std::vector<RecordedEvent>& events = (*append)->views;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (event->stream == tag ||
          std::find(event->tags.begin(), event->tags.end(), tag) != event->tags.end()) {
        return event->position;
      }
    }
  }
  return {};
}

}  // namespace

NewestPositions::NewestPositions(const Log& log, std::uint64_t memory_events)
    : log_(log),
      memory_events_(memory_events),
      newest_(log.head()),
      young_begin_(newest_),
      horizon_(newest_) {}

void NewestPositions::begin_group() {
  if (newest_.value - young_begin_.value < memory_events_ &&
      young_.size() < limits::kTagMemoryTags / 2) {
    return;
  }
  std::swap(young_, old_);
  young_.clear();
  horizon_ = young_begin_;
  young_begin_ = newest_;
  looked_up_.clear();
}

void NewestPositions::remember(std::uint64_t hash, Position position) {
  OTA_ASSERT(position >= newest_);
  newest_ = position;
  young_.put(hash, position);
}

Position NewestPositions::violation(const PreparedCondition& checked, Uncommitted uncommitted) {
  const Condition& condition = checked.condition;
  Position known = young_.get(checked.hash);
  if (known.value == 0) known = old_.get(checked.hash);
  if (known.value != 0 && known <= condition.newest) return {};
  if (known.value == 0 && condition.newest >= horizon_) return {};
  Position newest;
  if (known.value == 0) {
    newest = look_up(condition.tag);
  } else {
    newest = newest_of(uncommitted, condition.tag);
    if (newest.value == 0) newest = log_.newest(condition.tag);
  }
  return newest > condition.newest ? newest : Position{};
}

Position NewestPositions::look_up(const std::string& tag) {
  const auto found = looked_up_.find(tag);
  if (found != looked_up_.end()) return found->second;
  if (looked_up_.size() >= limits::kTagLookups) looked_up_.clear();
  return looked_up_.emplace(tag, log_.newest(tag)).first->second;
}

}  // namespace ota::eventstore
