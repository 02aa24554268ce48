#include "tools/otactl/transfer_progress.hpp"

#include <unistd.h>

#include <utility>

#include "tools/otactl/output.hpp"

namespace ota::ctl {

TransferProgress::TransferProgress(std::string what, Unit unit)
    : what_(std::move(what)), unit_(unit), on_terminal_(::isatty(STDERR_FILENO) != 0) {}

void TransferProgress::operator()(std::int64_t done, std::int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_terminal_ || (done < total && now - shown_ < std::chrono::milliseconds{100})) return;
  if (done == total && finished_) return;
  finished_ = done == total;
  shown_ = now;
  rate_.add(now, static_cast<std::uint64_t>(done));
  note("\r{} {}\x1b[K{}", what_, transfer_line(done, total, rate_, unit_), finished_ ? "\n" : "");
}

}  // namespace ota::ctl
