#include "domain/window.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <exception>

namespace ota::domain {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr std::string_view kUtc = "UTC";
constexpr std::uint16_t kMinutesPerDay = 24 * 60;

// Null on a machine without the database.
const date::tzdb* database() {
  static const date::tzdb* const found = []() -> const date::tzdb* {
    try {
      return &date::get_tzdb();
    } catch (const std::exception&) {
      return nullptr;
    }
  }();
  return found;
}

// Looks it up by hand: the library's own look-up throws, which costs 40 times as much, and devices
// report anything.
const date::time_zone* find_zone(std::string_view name) {
  // A file beside the zones: what the machine happens to be set to.
  if (name == "localtime" || database() == nullptr) return nullptr;
  const auto& zones = database()->zones;
  const auto at = std::lower_bound(
      zones.begin(), zones.end(), name,
      [](const date::time_zone& zone, std::string_view wanted) { return zone.name() < wanted; });
  return at != zones.end() && at->name() == name ? &*at : nullptr;
}

// A stretch of time in which the zone's clock runs evenly: until `end` it shows UTC + offset.
struct Stretch {
  std::chrono::seconds offset{0};
  Time end = Time::max();
};

// Empty if the zone is not known, or its file cannot be read: the library reads it on first use,
// and throws.
std::optional<Stretch> find_stretch(std::string_view zone, Time now) {
  if (zone == kUtc) return Stretch{};
  const auto* const found = find_zone(zone);
  if (found == nullptr) return std::nullopt;
  try {
    const auto info = found->get_info(now);
    return Stretch{info.offset, info.end};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// What the clock on the wall shows, as if it were UTC.
Time wall(const Stretch& stretch, Time now) { return now + stretch.offset; }

bool shows_open(const MaintenanceWindow& window, Time wall_time) {
  const auto time_of_day = wall_time - std::chrono::floor<days>(wall_time);
  const bool started = time_of_day >= minutes(window.start_minute);
  const bool before_end = time_of_day < minutes(window.end_minute);
  return window.start_minute < window.end_minute ? started && before_end : started || before_end;
}

// The first moment from now on at which the window is open, or is closed. Within a stretch that is
// when the clock next shows the start, or the end; where the clock jumps, the jump itself may do
// it. A stretch of a day has both.
Time first_moment(const MaintenanceWindow& window, std::string_view device_zone, Time now,
                  bool open) {
  assert(window.start_minute != window.end_minute);
  assert(window.start_minute < kMinutesPerDay && window.end_minute < kMinutesPerDay);
  const auto zone = zone_of(window, device_zone);
  const minutes edge(open ? window.start_minute : window.end_minute);
  for (;;) {
    const auto stretch = find_stretch(zone, now).value_or(Stretch{});
    const auto here = wall(stretch, now);
    if (shows_open(window, here) == open) return now;
    Time next = std::chrono::floor<days>(here) + edge;
    if (next < here) next += days(1);
    next -= stretch.offset;
    if (next < stretch.end) return next;
    now = stretch.end;
  }
}

}  // namespace

bool is_time_zone(std::string_view name) { return find_stretch(name, Time{}).has_value(); }

std::string_view zone_of(const MaintenanceWindow& window, std::string_view device_zone) {
  const auto wanted = window.timezone == kDeviceZone ? device_zone : window.timezone;
  return is_time_zone(wanted) ? wanted : kUtc;
}

bool is_open(const MaintenanceWindow& window, std::string_view device_zone, Time now) {
  const auto zone = zone_of(window, device_zone);
  return shows_open(window, wall(find_stretch(zone, now).value_or(Stretch{}), now));
}

Time opens_at(const MaintenanceWindow& window, std::string_view device_zone, Time now) {
  return first_moment(window, device_zone, now, true);
}

Time closes_at(const MaintenanceWindow& window, std::string_view device_zone, Time now) {
  return first_moment(window, device_zone, now, false);
}

std::optional<std::uint16_t> parse_minute_of_day(std::string_view text) {
  const auto digit = [&](std::size_t i) { return static_cast<std::uint32_t>(text[i] - '0'); };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0u, 1u, 3u, 4u}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const auto hour = digit(0) * 10 + digit(1);
  const auto minute = digit(3) * 10 + digit(4);
  if (hour > 23 || minute > 59) return std::nullopt;
  return static_cast<std::uint16_t>(hour * 60 + minute);
}

std::string minute_text(std::uint16_t minute_of_day) {
  assert(minute_of_day < kMinutesPerDay);
  return fmt::format("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60);
}

}  // namespace ota::domain
