// What must happen at a time unless an event removes it first: start by, time out, give up waiting
// for a cancel.
//
// A function of each update's state, compared before and after every event, so none is left behind
// and none is lost. Kept in memory by time: in rows by time the removed ones would pile up exactly
// where the next one is looked for. Rows only name the updates that have any, so that the start
// finds them. Changed by the thread that applies, read by any.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "projections/answers.hpp"
#include "projections/view.hpp"

namespace ota::projections {

class DeadlineView final : public View {
 public:
  explicit DeadlineView(Rows& rows) : rows_(rows) {}

  std::string_view name() const override { return "deadlines"; }
  void load(const Reader& reader) override;
  void apply(Change& change) override;
  void commit() override {}
  void publish() override;

  // At or before `until`, earliest first: the first `most` of those that `wanted` takes. Any thread; `wanted` is called
  // under a lock and asks nothing of the views.
  std::vector<Deadline> due(domain::Time until, std::size_t most, const WantedDeadline& wanted) const;
  std::optional<domain::Time> next() const;

 private:
  struct Earlier {
    bool operator()(const Deadline& a, const Deadline& b) const {
      return std::tie(a.due, a.update, a.kind, a.attempt) <
             std::tie(b.due, b.update, b.kind, b.attempt);
    }
  };
  Rows& rows_;
  std::vector<std::pair<Deadline, bool>> changed_;  // in this group; true: it is to be met
  mutable std::shared_mutex mutex_;
  std::set<Deadline, Earlier> by_time_;
};

}  // namespace ota::projections
