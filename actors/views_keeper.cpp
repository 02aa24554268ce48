#include "actors/views_keeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "actors/awaited.hpp"
#include "projections/rebuild.hpp"

namespace ota::actors {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;

// Rows that are built take what the old ones take, and while they are sorted as much again. Views that are damaged may be small:
// then the log says it.
std::uint64_t bytes_wanted(const projections::Views& views, const eventstore::Log& log) {
  return std::max(2 * views.disk_bytes(), log.stats().disk_bytes);
}

std::string_view name_of(ViewsKeeper::Work work) { return work == ViewsKeeper::Work::kRebuild ? "rebuilt" : "verified"; }

void report(const ViewsKeeper::Run& run, ViewsKeeper::Work work) {
  if (!run.error.empty()) {
    spdlog::error("the views cannot be {}: {}", name_of(work), run.error);
    return;
  }
  spdlog::info("the views were {} up to event {} in {} ms", name_of(work), run.position.value, run.took.count());
  for (const auto& table : run.found.differing) {
    spdlog::error("the views differ from the log at event {}: {} of the {} rows of {}", run.position.value, table.differences,
                  table.rows, table.name);
  }
}

}  // namespace

ViewsKeeper::ViewsKeeper(projections::Views& views, const eventstore::Log& log, eventstore::Journal& journal, Options options)
    : views_(views),
      log_(log),
      journal_(journal),
      options_(std::move(options)),
      chore_(std::chrono::milliseconds(0), [this](bool, const Chore::Stopped& stopped) { run(stopped); }) {}

bool ViewsKeeper::start(Work work) {
  const std::lock_guard lock(mutex_);
  if (!chore_.start()) return asked_ == work;
  asked_ = work;
  began_ = std::chrono::steady_clock::now();
  state_.running = Progress{work, options_.clock(), 0, log_.head().value, 0};  // as it begins, it waits for the lock
  return true;
}

ViewsKeeper::State ViewsKeeper::state() const {
  const std::lock_guard lock(mutex_);
  auto state = state_;
  if (!chore_.is_running()) state.running.reset();
  return state;
}

std::optional<std::string> ViewsKeeper::refusal() const {
  const auto wanted = bytes_wanted(views_, log_);
  const auto full = options_.refusal(wanted);
  if (!full) return std::nullopt;
  return fmt::format("what is built beside the views may take {} MB, and {}", wanted / kMegabyte, *full);
}

void ViewsKeeper::run(const Chore::Stopped& stopped) {
  Run run;
  Work what{};
  {
    const std::lock_guard lock(mutex_);
    what = asked_;
    run.started = state_.running->since;
  }
  bool ended = true;
  try {
    ended = work(run, what, stopped);
  } catch (const std::exception& fault) {
    run.error = fault.what();
  }
  run.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
  if (ended) report(run, what);
  const std::lock_guard lock(mutex_);
  if (ended) (what == Work::kRebuild ? state_.last_rebuild : state_.last_verification) = std::move(run);
}

bool ViewsKeeper::work(Run& run, Work what, const Chore::Stopped& stopped) {
  if (const auto full = refusal()) throw std::runtime_error(*full);
  projections::RebuildOptions how;
  how.between_groups = [this](const std::function<void()>& then) { between_groups(then); };
  how.go_on = [&](std::uint64_t done, std::uint64_t of) {
    run.position.value = done;
    const auto took = std::chrono::steady_clock::now() - began_;
    const auto us = std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    // What is folded to the end takes no more room.
    if (auto full = done < of ? options_.refusal(0) : std::nullopt) throw std::runtime_error(std::move(*full));
    const std::lock_guard lock(mutex_);
    state_.running->done = done;
    state_.running->of = of;
    state_.running->events_per_second = done * 1'000'000 / static_cast<std::uint64_t>(us);
    return !stopped();
  };
  if (what == Work::kRebuild) return views_.rebuild(log_, how);
  auto found = views_.verify(log_, how);
  if (found) run.found = std::move(*found);
  return found.has_value();
}

// Completions are called by the thread that lets the views apply, behind the group.
void ViewsKeeper::between_groups(const std::function<void()>& then) {
  const auto failed = std::make_shared<Awaited<std::exception_ptr>>();
  journal_.barrier([failed, &then](const eventstore::AppendOutcome&) {
    std::exception_ptr fault;
    try {
      then();
    } catch (...) {
      fault = std::current_exception();
    }
    failed->set(fault);
  });
  if (const auto fault = failed->take()) std::rethrow_exception(fault);
}

}  // namespace ota::actors
