// When a maintenance window is open: the wall clock of a zone, minute by minute (decision 14,
// BR-OTA-028).
//
// A window is open from its start until before its end, by whatever the clock on the wall says; end
// before start crosses midnight. So daylight saving needs no rule of its own: an hour that is
// skipped is no part of any window, and an hour that comes twice is open twice. Zones are those of
// the system's tz database, read once and kept (safe from any thread); what it does not know counts
// as UTC, since an update must never wait for a name. That database is not in the log: only
// decisions may ask here, never a fold, and times that matter go into events.
//
// A window has start != end, both below 24:00; whoever accepts one checks it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/events.hpp"

namespace ota::domain {

// As the zone of a window: that of each device.
inline constexpr std::string_view kDeviceZone = "device";

// Whether it names a zone of the tz database; "UTC" always does, "device" does not.
bool is_time_zone(std::string_view name);

// The zone that counts: the window's, or the device's for "device"; "UTC" if it is not known here.
// Valid as long as both arguments.
std::string_view zone_of(const MaintenanceWindow& window, std::string_view device_zone);

bool is_open(const MaintenanceWindow& window, std::string_view device_zone, Time now);
// The first moment from now on at which it is open: now, if it is. At most a day or two ahead, and
// a few steps of work.
Time opens_at(const MaintenanceWindow& window, std::string_view device_zone, Time now);
// The first moment from now on at which it is closed: now, if it is.
Time closes_at(const MaintenanceWindow& window, std::string_view device_zone, Time now);

// "HH:MM", 00:00 to 23:59; nothing else.
std::optional<std::uint16_t> parse_minute_of_day(std::string_view text);
std::string minute_text(std::uint16_t minute_of_day);

}  // namespace ota::domain
