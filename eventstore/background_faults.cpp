#include "eventstore/background_faults.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace ota::eventstore {
namespace {

using Reason = rocksdb::BackgroundErrorReason;

// Empty: the writer sees it himself.
std::optional<std::string_view> failed_work(Reason reason) {
  switch (reason) {
    case Reason::kFlush:
    case Reason::kFlushNoWAL:
      return "its rows in memory cannot be written to a table";
    case Reason::kCompaction:
      return "its tables cannot be merged";
    case Reason::kManifestWrite:
    case Reason::kManifestWriteNoWAL:
      return "the list of its tables cannot be written";
    case Reason::kWriteCallback:
    case Reason::kMemTable:
      return std::nullopt;
  }
  return "it failed";
}

}  // namespace

void BackgroundFaults::watch(std::function<void(const std::string& why)> on_fault) {
  const std::lock_guard lock(mutex_);
  on_fault_ = std::move(on_fault);
  if (on_fault_ && !fault_.empty()) on_fault_(fault_);
}

void BackgroundFaults::OnBackgroundError(Reason reason, rocksdb::Status* error) {
  if (reason == Reason::kCompaction && error->IsNoSpace()) return;
  const auto failed = failed_work(reason);
  if (!failed) return;
  const std::lock_guard lock(mutex_);
  if (!fault_.empty()) return;
  fault_ = fmt::format("{} cannot be kept: {}: {}", what_, *failed, error->ToString());
  if (on_fault_) on_fault_(fault_);
}

}  // namespace ota::eventstore
