#include "actors/log_verifier.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

#include "projections/log_key_list.hpp"

namespace ota::actors {
namespace {

constexpr std::size_t kToldMax = 20;

void report(const LogVerifier::Run& run) {
  if (run.is_sound()) {
    spdlog::info("the log was verified: {} events, {} index rows, {} checkpoints in {} ms", run.result.events,
                 run.result.index_rows, run.result.checkpoints, run.took.count());
    return;
  }
  if (!run.error.empty()) spdlog::error("the log cannot be verified: {}", run.error);
  for (std::size_t i = 0; i < std::min(run.result.findings.size(), kToldMax); ++i) {
    spdlog::error("the log is not sound: {}", text_of(run.result.findings[i]));
  }
}

}  // namespace

std::string text_of(const eventstore::Finding& finding) {
  if (finding.first.value == 0) return finding.what;
  if (finding.first == finding.last) return fmt::format("event {}: {}", finding.first.value, finding.what);
  return fmt::format("events {} to {}: {}", finding.first.value, finding.last.value, finding.what);
}

LogVerifier::LogVerifier(std::shared_ptr<const eventstore::Log> log, Options options)
    : log_(std::move(log)),
      options_(std::move(options)),
      state_(begin()),
      chore_(until_due(options_.every, options_.soon, state_.sound, options_.clock()), options_.every, [this](bool asked, const Chore::Stopped& stopped) {
        verify(asked, stopped);
      }) {}

LogVerifier::State LogVerifier::begin() const {
  State state;
  std::int64_t us = 0;
  if (std::ifstream(options_.file) >> us) state.sound = domain::Time(domain::Duration(us));
  return state;
}

// Lost with a power cut, it costs a run.
void LogVerifier::keep(domain::Time ended) const {
  if (options_.file.empty()) return;
  auto fresh = options_.file;
  fresh += ".new";
  std::error_code failed;
  {
    std::ofstream out(fresh);
    out << ended.time_since_epoch().count() << "\n";
    if (!out.flush()) failed = std::make_error_code(std::errc::io_error);
  }
  if (!failed) std::filesystem::rename(fresh, options_.file, failed);
  if (failed) spdlog::warn("{} cannot be written: the log will be verified again after the next start", options_.file.string());
}

LogVerifier::State LogVerifier::state() const {
  const bool running = chore_.is_running();
  const std::lock_guard lock(mutex_);
  auto state = state_;
  // One that was asked for has as good as begun.
  if (running && !state.running_since) state.running_since = options_.clock();
  return state;
}

void LogVerifier::verify(bool asked, const Chore::Stopped& stopped) {
  Run run;
  run.started = options_.clock();
  const auto show = [this, &run](std::uint64_t events, std::uint64_t of) {
    const std::lock_guard lock(mutex_);
    state_.running_since = run.started;
    state_.events = events;
    state_.of = of;
  };
  show(0, log_->head().value);
  const auto begin = std::chrono::steady_clock::now();
  try {
    eventstore::VerifyOptions how;
    how.keys = projections::trusted(projections::log_keys(*log_));
    how.rows_per_second = asked ? 0 : options_.rows_per_second;
    how.progress = show;
    how.stopped = stopped;
    run.result = eventstore::verify(*log_, how);
  } catch (const std::exception& fault) {
    run.error = fault.what();
  }
  run.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  const auto ended = options_.clock();
  if (!run.result.stopped) report(run);
  if (run.is_sound()) keep(ended);
  const std::lock_guard lock(mutex_);
  state_.running_since.reset();
  if (run.is_sound()) state_.sound = ended;
  if (!run.result.stopped) state_.last = std::move(run);
}

}  // namespace ota::actors
