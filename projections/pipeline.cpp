#include "projections/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace ota::projections {
namespace {

constexpr std::string_view kProgress = "position";
constexpr std::string_view kBroken = "broken";

}  // namespace

Pipeline::Pipeline(Database& database, const domain::Settings& settings, PollFront& front, TargetSets& sets)
    : front_(&front),
      rows_(database),
      devices_(rows_, settings, front.index),
      firmware_(rows_),
      campaigns_(rows_, sets),
      updates_(rows_, devices_, campaigns_),
      campaign_counts_(rows_),
      firmware_counts_(rows_),
      statistics_(rows_),
      periods_(rows_),
      deadlines_(rows_),
      users_(rows_) {
  stages_ = {{&devices_, {}, true},
             {&firmware_, {}, true},
             {&campaigns_, {}, true},
             {&updates_, {&devices_, &campaigns_}, true},
             {&campaign_counts_, {&updates_}, false},
             {&firmware_counts_, {&updates_}, false},
             {&statistics_, {&updates_, &campaign_counts_}, false},
             {&periods_, {&updates_}, false},
             {&deadlines_, {&updates_}, true},
             {&users_, {}, true}};
  front.unfit = false;
}

void Pipeline::move_to(PollFront& front) {
  front.index.exchange_with(front_->index);
  devices_.publish_to(front.index);
  front.unfit = front_->unfit.load();
  front_ = &front;
}

void Pipeline::load(const Reader& reader) {
  for (auto& stage : stages_) stage.view->load(reader);
}

// ---- folding ------------------------------------------------------------------------------------

void Pipeline::apply(const domain::Recorded& event) {
  if (unwritable_) return;
  if (event.damaged) {
    set_unfit();
    complain(event.position, "an event cannot be read");
  }
  Change change(event);
  for (auto& stage : stages_) {
    guarded(stage, event.position, [&] { stage.view->apply(change); });
  }
}

bool Pipeline::commit(const Progress& progress) {
  if (unwritable_) return false;
  for (auto& stage : stages_) {
    guarded(stage, progress.position, [&] { stage.view->commit(); });
  }
  try {
    rows_.put(meta_key(kProgress),
              BytesOut().u64(progress.position.value).time(progress.time).take());
    if (complained_) rows_.put(meta_key(kBroken), broken());
    complained_ = false;
    rows_.commit();
  } catch (const std::exception& e) {
    unwritable_ = true;
    set_unfit();
    complain(progress.position, e.what());
    return false;
  }
  for (auto& stage : stages_) {
    guarded(stage, progress.position, [&] { stage.view->publish(); });
  }
  return true;
}

void Pipeline::end_bulk(domain::Position position) {
  try {
    rows_.end_bulk();
  } catch (const std::exception& e) {
    unwritable_ = true;
    set_unfit();
    complain(position, e.what());
  }
}

// ---- what is broken -----------------------------------------------------------------------------

template <class Work>
void Pipeline::guarded(Stage& stage, domain::Position position, const Work& work) {
  if (stage.broken) return;
  try {
    work();
  } catch (const std::exception& e) {
    set_aside(stage, position, e.what());
  } catch (...) {
    set_aside(stage, position, "an exception without words");
  }
}

void Pipeline::set_aside(Stage& stage, domain::Position position, const std::string& why) {
  stage.broken = true;
  if (stage.for_grants) set_unfit();
  complain(position, fmt::format("{}: {}", stage.view->name(), why));
  // Those behind it that read what it makes.
  for (auto& other : stages_) {
    const auto& needs = other.needs;
    if (other.broken || std::find(needs.begin(), needs.end(), stage.view) == needs.end()) continue;
    set_aside(other, position, fmt::format("builds on {}", stage.view->name()));
  }
}

void Pipeline::complain(domain::Position position, const std::string& why) {
  complained_ = true;
  const std::lock_guard lock(mutex_);
  if (!broken_.empty()) broken_ += "; ";
  broken_ += fmt::format("since position {}: {}", position.value, why);
}

std::string Pipeline::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

// ---- where the rows stand -----------------------------------------------------------------------

Progress Pipeline::progress_in(const Reader& reader) {
  rocksdb::PinnableSlice bytes;
  if (!reader.get(meta_key(kProgress), bytes)) return {};
  BytesIn in(view(bytes));
  const domain::Position position{in.u64()};
  return {position, in.time()};
}

std::string Pipeline::broken_in(const Reader& reader) {
  rocksdb::PinnableSlice bytes;
  return reader.get(meta_key(kBroken), bytes) ? std::string(view(bytes)) : std::string();
}

}  // namespace ota::projections
