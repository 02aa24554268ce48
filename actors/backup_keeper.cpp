#include "actors/backup_keeper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace ota::actors {

BackupKeeper::BackupKeeper(const eventstore::Log& log, const eventstore::Subjects& subjects, Options options)
    : log_(log),
      subjects_(subjects),
      options_(std::move(options)),
      state_(begin()),
      chore_(has_place() ? until_due(options_.every, options_.soon, state_.newest(), options_.clock()) : std::chrono::milliseconds(0),
             has_place() ? options_.every : std::chrono::milliseconds(0), [this](bool, const Chore::Stopped& stopped) { take(stopped); }) {}

std::optional<domain::Time> BackupKeeper::State::newest() const {
  const auto sound = std::find_if(backups.rbegin(), backups.rend(), [](const auto& one) { return one.is_sound; });
  return of_another_log || sound == backups.rend() ? std::nullopt : std::optional<domain::Time>(sound->taken);
}

BackupKeeper::State BackupKeeper::begin() const {
  State state;
  if (!has_place()) return state;
  try {
    const eventstore::Backups there(options_.directory);
    state.backups = there.list();
    there.refuse_another(log_);
  } catch (const eventstore::BackupsOfAnotherLog& fault) {
    state.of_another_log = true;
    state.last_error = fault.what();
    spdlog::error("{}", state.last_error);
  } catch (const std::exception& fault) {
    state.last_error = fmt::format("the backups in {} (backup.directory) cannot be read: {}", options_.directory.string(), fault.what());
    spdlog::error("{}", state.last_error);
  }
  return state;
}

BackupKeeper::State BackupKeeper::state() const {
  const bool running = chore_.is_running();
  const std::lock_guard lock(mutex_);
  auto state = state_;
  state.running = running;
  return state;
}

void BackupKeeper::take(const Chore::Stopped& stopped) {
  State now;
  std::optional<std::string> full;
  const auto is_to_stop = [&] {
    if (options_.disk_refusal && !full) full = options_.disk_refusal();
    return full || stopped();
  };
  try {
    const eventstore::Backups backups(options_.directory);
    if (is_to_stop() && full) throw std::runtime_error(*full);
    const auto taken = backups.take(log_, subjects_, is_to_stop);
    backups.keep(options_.keep);
    now.backups = backups.list();
    spdlog::info("backup {} of {} events was taken to {}", taken.id, taken.head.value, options_.directory.string());
  } catch (const eventstore::BackupsOfAnotherLog& fault) {
    now.of_another_log = true;
    now.last_error = fault.what();
    if (!stopped()) spdlog::error("{}", now.last_error);
  } catch (const std::exception& fault) {
    now.last_error = full ? "the backup was not taken: " + *full : fault.what();
    if (!stopped()) spdlog::error("{}", now.last_error);
  }
  now.last_ended = options_.clock();
  const std::lock_guard lock(mutex_);
  if (!now.last_error.empty()) {
    now.backups = std::move(state_.backups);
    now.of_another_log = now.of_another_log || state_.of_another_log;  // whose they are did not change
  }
  state_ = std::move(now);
}

}  // namespace ota::actors
