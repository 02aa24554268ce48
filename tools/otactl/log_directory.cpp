#include "tools/otactl/log_directory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <filesystem>

#include "domain/time_text.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/output.hpp"

namespace ota::ctl {

std::filesystem::path log_in(const std::string& directory) {
  const std::filesystem::path given(directory);
  const auto inside = given / "log";
  return std::filesystem::exists(inside / "CURRENT") ? inside : given;
}

std::filesystem::path subjects_in(const std::string& directory) {
  const auto inside = std::filesystem::path(directory) / "subjects";
  return std::filesystem::exists(inside / "CURRENT") ? inside : std::filesystem::path();
}

int reading(const std::string& directory, const std::function<int(const std::shared_ptr<eventstore::Log>&)>& read) {
  try {
    const auto log = eventstore::Log::open_read_only(log_in(directory));
    if (log->shortfall().empty()) return read(log);
    // What is there is shown all the same; said last it is seen.
    const int code = read(log);
    note("{}\n", log->shortfall());
    return code == 0 ? kExitFailed : code;
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& fault) {
    throw Failure(kExitFailed, fault.what());
  }
}

void expect_at_most(const char* option, std::uint64_t given, std::uint64_t most, const eventstore::Log& log) {
  if (given <= most) return;
  // Of a log that is not all there the end is not where it was.
  const auto shortfall = log.shortfall().empty() ? std::string() : "\n" + log.shortfall();
  throw Failure(kExitFailed, fmt::format("{}: must be at most {}, since the log ends at {}, got '{}'{}", option, most,
                                         log.head().value, given, shortfall));
}

std::string time_text(eventstore::Timestamp time) { return domain::time_text(time); }

}  // namespace ota::ctl
