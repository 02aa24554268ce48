#include "tools/otactl/log_directory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <filesystem>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {

int reading(const std::string& directory, const std::function<int(const std::shared_ptr<eventstore::Log>&)>& read) {
  try {
    const std::filesystem::path given(directory);
    const auto inside = given / "log";
    return read(eventstore::Log::open_read_only(std::filesystem::exists(inside / "CURRENT") ? inside : given));
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& fault) {
    throw Failure(kExitFailed, fault.what());
  }
}

std::string time_text(eventstore::Timestamp time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}Z", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace ota::ctl
