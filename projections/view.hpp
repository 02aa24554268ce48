// View: a part of what the log looks like, folded event by event.
//
// Called by the one thread that applies. A view that throws is set aside by its caller and called
// no more.
#pragma once

#include <string_view>

#include "projections/change.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

namespace ota::projections {

class View {
 public:
  View() = default;
  virtual ~View() = default;
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  virtual std::string_view name() const = 0;
  // Brings into memory what is kept there, before the first event.
  virtual void load(const Reader&) {}
  // Folds one event, and notes in `change` what later views want to know.
  virtual void apply(Change& change) = 0;
  // Puts the rows that the group changed into its batch.
  virtual void commit() = 0;
  // The batch is written: shows readers what they find in memory.
  virtual void publish() {}
};

}  // namespace ota::projections
