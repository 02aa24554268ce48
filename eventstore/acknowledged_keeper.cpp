#include "eventstore/acknowledged_keeper.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include "eventstore/fault.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {

AcknowledgedKeeper::AcknowledgedKeeper(std::filesystem::path directory, std::function<void(Acknowledged&)> add_files,
                                       std::function<void(const std::string& why)> on_fault)
    : directory_(std::move(directory)),
      add_files_(std::move(add_files)),
      on_fault_(std::move(on_fault)),
      file_(directory_),
      newest_(read_acknowledged(directory_).value()),
      noted_(newest_.count),
      thread_([this] { run(); }) {}

void AcknowledgedKeeper::tell(const Acknowledged& newest) {
  const std::lock_guard lock(mutex_);
  newest_ = newest;
  if (std::exchange(is_idle_, false)) changed_.notify_one();  // else it looks by itself
}

void AcknowledgedKeeper::tell_of_tables() {
  const std::lock_guard lock(mutex_);
  has_new_tables_ = true;
  if (std::exchange(is_idle_, false)) changed_.notify_one();
}

void AcknowledgedKeeper::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void AcknowledgedKeeper::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    is_idle_ = true;
    changed_.wait(lock, [this] { return closing_ || is_behind(); });
    is_idle_ = false;
    if (is_behind()) {
      const Acknowledged note = newest_;
      const bool had_new_tables = std::exchange(has_new_tables_, false);
      lock.unlock();
      const bool written = write(note);
      lock.lock();
      if (written) noted_ = note.count;
      if (!written) has_new_tables_ = has_new_tables_ || had_new_tables;
      if (closing_ && !written) return;
    }
    if (closing_ && !is_behind()) return;
    changed_.wait_for(lock, limits::kAcknowledgedEvery, [this] { return closing_; });
  }
}

bool AcknowledgedKeeper::write(Acknowledged note) {
  try {
    note.older.clear();
    add_files_(note);
    for (const auto& [number, bytes] : wal_sizes(directory_)) {
      if (number < note.wal && bytes > 0) note.older.push_back(number);
    }
    file_.write(note);
    OTA_FAULT("journal.noted");
    return true;
  } catch (const std::system_error& error) {
    if (!may_pass(error)) on_fault_(error.what());
    OTA_FAULT("journal.not_noted");
  } catch (const std::exception& error) {
    on_fault_(error.what());
  }
  return false;
}

}  // namespace ota::eventstore
