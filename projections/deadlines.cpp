#include "projections/deadlines.hpp"

#include "projections/update_facts.hpp"
#include "projections/update_view.hpp"

namespace ota::projections {
namespace {

std::vector<Deadline> deadlines_of(const domain::UpdateId& id, const UpdateFacts& facts) {
  std::vector<Deadline> deadlines;
  const auto add = [&](const std::optional<domain::Time>& due, domain::UpdateDeadline kind) {
    if (due) deadlines.push_back({*due, id, kind, facts.attempt});
  };
  add(facts.start_by, domain::UpdateDeadline::kStartBy);
  add(facts.timeout_at, domain::UpdateDeadline::kTimeout);
  add(facts.give_up_at, domain::UpdateDeadline::kCancelGiveUp);
  add(facts.window_opens_at, domain::UpdateDeadline::kWindowOpens);
  return deadlines;
}

bool same(const UpdateFacts& a, const UpdateFacts& b) {
  return a.attempt == b.attempt && a.start_by == b.start_by && a.timeout_at == b.timeout_at &&
         a.give_up_at == b.give_up_at && a.window_opens_at == b.window_opens_at;
}

}  // namespace

void DeadlineView::load(const Reader& reader) {
  const std::unique_lock lock(mutex_);
  by_time_.clear();
  for (Range range(reader, key_in(Table::kWithDeadline).take()); range.valid(); range.next()) {
    const auto row = key_in(Table::kUpdate).raw(range.rest()).take();
    const auto update = reader.row<domain::DeviceUpdate>(row);
    if (!update) continue;
    for (const auto& d : deadlines_of(update->id, facts_of(*update))) by_time_.insert(d);
  }
}

void DeadlineView::apply(Change& change) {
  if (!change.update || same(change.update->before, change.update->after)) return;
  const auto& id = change.update->update->id;
  const auto before = deadlines_of(id, change.update->before);
  const auto after = deadlines_of(id, change.update->after);
  for (const auto& deadline : before) changed_.emplace_back(deadline, false);
  for (const auto& deadline : after) changed_.emplace_back(deadline, true);
  if (before.empty() == after.empty()) return;
  const auto key = update_key(Table::kWithDeadline, id);
  if (before.empty()) {
    rows_.put(key, {});
  } else {
    rows_.erase(key);
  }
}

void DeadlineView::publish() {
  if (changed_.empty()) return;
  const std::unique_lock lock(mutex_);
  for (const auto& [deadline, to_be_met] : changed_) {
    if (to_be_met) {
      by_time_.insert(deadline);
    } else {
      by_time_.erase(deadline);
    }
  }
  changed_.clear();
}

std::vector<Deadline> DeadlineView::due(domain::Time until, std::size_t most,
                                        const WantedDeadline& wanted) const {
  std::vector<Deadline> found;
  const std::shared_lock lock(mutex_);
  for (const auto& deadline : by_time_) {
    if (deadline.due > until || found.size() == most) break;
    if (!wanted || wanted(deadline)) found.push_back(deadline);
  }
  return found;
}

std::optional<domain::Time> DeadlineView::next() const {
  const std::shared_lock lock(mutex_);
  return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->due);
}

}  // namespace ota::projections
