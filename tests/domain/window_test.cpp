// Decision 14, BR-OTA-028: a window is open by the clock on the wall, whatever that clock does.
#include "domain/window.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

using namespace ota::domain;
using namespace std::chrono_literals;
using std::chrono::floor;
using std::chrono::minutes;

namespace {

constexpr Time utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + minutes(minute);
}

MaintenanceWindow window(std::string_view start, std::string_view end, std::string zone) {
  return {parse_minute_of_day(start).value(), parse_minute_of_day(end).value(), std::move(zone)};
}

Time opens(const MaintenanceWindow& w, Time now) { return opens_at(w, "", now); }
Time closes(const MaintenanceWindow& w, Time now) { return closes_at(w, "", now); }
bool open(const MaintenanceWindow& w, Time now) { return is_open(w, "", now); }

}  // namespace

TEST_CASE("BR-OTA-028: a window is open from its start until before its end") {
  const auto w = window("02:00", "04:30", "UTC");
  CHECK_FALSE(open(w, utc(2025, 6, 1, 2) - 1us));
  CHECK(open(w, utc(2025, 6, 1, 2)));
  CHECK(open(w, utc(2025, 6, 1, 4, 30) - 1us));
  CHECK_FALSE(open(w, utc(2025, 6, 1, 4, 30)));
  CHECK(opens(w, utc(2025, 6, 1, 3, 1) + 7us) == utc(2025, 6, 1, 3, 1) + 7us);
  CHECK(opens(w, utc(2025, 6, 1, 2) - 1us) == utc(2025, 6, 1, 2));
  CHECK(opens(w, utc(2025, 6, 1, 4, 30)) == utc(2025, 6, 2, 2));
  CHECK(closes(w, utc(2025, 6, 1, 3)) == utc(2025, 6, 1, 4, 30));
  CHECK(closes(w, utc(2025, 6, 1, 5)) == utc(2025, 6, 1, 5));
}

TEST_CASE("a window crosses midnight, and may end or start with the day") {
  const auto night = window("22:00", "05:00", "UTC");
  CHECK(open(night, utc(2025, 6, 1, 23)));
  CHECK(open(night, utc(2025, 6, 2)));
  CHECK(open(night, utc(2025, 6, 2, 4, 59)));
  CHECK_FALSE(open(night, utc(2025, 6, 2, 5)));
  CHECK(opens(night, utc(2025, 6, 2, 5)) == utc(2025, 6, 2, 22));
  CHECK(closes(night, utc(2025, 6, 1, 23)) == utc(2025, 6, 2, 5));
  CHECK(closes(night, utc(2025, 6, 2, 1)) == utc(2025, 6, 2, 5));

  const auto evening = window("18:00", "00:00", "UTC");
  CHECK(open(evening, utc(2025, 6, 1, 23, 59)));
  CHECK_FALSE(open(evening, utc(2025, 6, 2)));
  CHECK(closes(evening, utc(2025, 6, 1, 20)) == utc(2025, 6, 2));
  const auto morning = window("00:00", "06:00", "UTC");
  CHECK(opens(morning, utc(2025, 6, 1, 6)) == utc(2025, 6, 2));
  CHECK(open(window("12:00", "11:59", "UTC"), utc(2025, 6, 1, 11, 58)));
  CHECK_FALSE(open(window("12:00", "11:59", "UTC"), utc(2025, 6, 1, 11, 59)));
}

TEST_CASE("a window counts in its own zone, with its daylight saving") {
  const auto w = window("02:00", "04:00", "Europe/Amsterdam");
  CHECK(opens(w, utc(2025, 1, 15)) == utc(2025, 1, 15, 1));
  CHECK(opens(w, utc(2025, 7, 15)) == utc(2025, 7, 15, 0));
  CHECK(closes(w, utc(2025, 7, 15, 1)) == utc(2025, 7, 15, 2));
  const auto kolkata = window("09:15", "10:00", "Asia/Kolkata");
  CHECK(opens(kolkata, utc(2025, 7, 15)) == utc(2025, 7, 15, 3, 45));
}

TEST_CASE("Amsterdam 2025-03-30: 02:00 to 03:00 is skipped, and so is what lies in it") {
  const Time jump = utc(2025, 3, 30, 1);  // 01:59 CET, then 03:00 CEST
  const auto within = window("02:15", "02:45", "Europe/Amsterdam");
  CHECK(opens(within, jump - 2h) == utc(2025, 3, 31, 0, 15));
  CHECK_FALSE(open(within, jump));

  const auto begins_within = window("02:30", "03:30", "Europe/Amsterdam");
  CHECK_FALSE(open(begins_within, jump - 1us));
  CHECK(opens(begins_within, jump - 2h) == jump);
  CHECK(closes(begins_within, jump) == jump + 30min);

  const auto ends_within = window("01:00", "02:30", "Europe/Amsterdam");
  CHECK(opens(ends_within, jump - 2h) == jump - 1h);
  CHECK(closes(ends_within, jump - 1h) == jump);

  const auto around = window("22:00", "06:00", "Europe/Amsterdam");
  CHECK(closes(around, jump - 1h) == utc(2025, 3, 30, 4));
}

TEST_CASE("Amsterdam 2025-10-26: 02:00 to 03:00 comes twice, and a window in it opens twice") {
  const Time back = utc(2025, 10, 26, 1);  // 02:59 CEST, then 02:00 CET
  const auto within = window("02:15", "02:45", "Europe/Amsterdam");
  CHECK(opens(within, back - 2h) == back - 45min);
  CHECK(closes(within, back - 45min) == back - 15min);
  CHECK(opens(within, back - 15min) == back + 15min);
  CHECK(closes(within, back + 15min) == back + 45min);
  CHECK(opens(within, back + 45min) == utc(2025, 10, 27, 1, 15));

  const auto until = window("01:00", "02:30", "Europe/Amsterdam");
  CHECK(closes(until, back - 2h) == back - 30min);
  CHECK(opens(until, back - 30min) == back);
  CHECK(closes(until, back) == back + 30min);

  const auto around = window("01:30", "03:30", "Europe/Amsterdam");
  CHECK(closes(around, back - 1h) == back + 90min);
}

TEST_CASE("New York changes at its own hour: 2025-03-09 and 2025-11-02") {
  const auto w = window("01:30", "03:15", "America/New_York");
  const Time jump = utc(2025, 3, 9, 7);  // 01:59 EST, then 03:00 EDT
  CHECK(opens(w, jump - 3h) == jump - 30min);
  CHECK(closes(w, jump - 30min) == jump + 15min);
  const Time back = utc(2025, 11, 2, 6);  // 01:59 EDT, then 01:00 EST
  CHECK(opens(w, back - 3h) == back - 30min);
  CHECK(closes(w, back - 30min) == back);
  CHECK(opens(w, back) == back + 30min);
  CHECK(closes(w, back + 30min) == back + 2h + 15min);
}

TEST_CASE("half an hour of daylight saving, a midnight that is skipped, a day that is skipped") {
  const auto half = window("02:10", "02:20", "Australia/Lord_Howe");
  CHECK(opens(half, utc(2025, 10, 4, 15)) == utc(2025, 10, 5, 15, 10));  // 02:00, then 02:30

  // Until 2018 midnight was followed by 01:00 on the first day of daylight saving.
  const auto midnight = window("00:00", "02:00", "America/Sao_Paulo");
  CHECK(opens(midnight, utc(2018, 11, 4, 2)) == utc(2018, 11, 4, 3));
  CHECK(closes(midnight, utc(2018, 11, 4, 3)) == utc(2018, 11, 4, 4));
  const auto gone = window("00:00", "01:00", "America/Sao_Paulo");
  CHECK(opens(gone, utc(2018, 11, 4, 2)) == utc(2018, 11, 5, 2));

  // 2011-12-30 never was: the 29th at UTC-10 was followed by the 31st at UTC+14.
  const auto noon = window("12:00", "13:00", "Pacific/Apia");
  CHECK(opens(noon, utc(2011, 12, 29, 23)) == utc(2011, 12, 30, 22));
  const auto night = window("23:00", "01:00", "Pacific/Apia");
  CHECK(opens(night, utc(2011, 12, 30, 8)) == utc(2011, 12, 30, 9));
  CHECK(closes(night, utc(2011, 12, 30, 9)) == utc(2011, 12, 30, 11));
}

TEST_CASE("\"device\" is the zone that the device reports, UTC if it is none") {
  const auto w = window("02:00", "04:00", "device");
  const Time now = utc(2025, 1, 15);
  CHECK(zone_of(w, "Asia/Kolkata") == "Asia/Kolkata");
  CHECK(opens_at(w, "Asia/Kolkata", now) == utc(2025, 1, 15, 20, 30));
  for (const auto* unknown : {"", "Mars/Olympus", "localtime", "device", "../../etc/passwd"}) {
    CHECK(zone_of(w, unknown) == "UTC");
    CHECK(opens_at(w, unknown, now) == utc(2025, 1, 15, 2));
    CHECK(is_open(w, unknown, utc(2025, 1, 15, 3)));
  }
  CHECK(zone_of(window("02:00", "04:00", "Europe/Amsterdam"), "Asia/Kolkata") ==
        "Europe/Amsterdam");
  CHECK(zone_of(window("02:00", "04:00", "Gone/Zone"), "Asia/Kolkata") == "UTC");
}

TEST_CASE("zones are those of the tz database") {
  for (const auto* name : {"UTC", "Etc/UTC", "GMT", "Europe/Amsterdam", "Asia/Calcutta",
                           "America/Argentina/Buenos_Aires", "Etc/GMT+12"}) {
    CHECK(is_time_zone(name));
  }
  for (const auto* name : {"", "utc", "europe/amsterdam", "Europe", "Europe/", "Europe/Amsterdam ",
                           "localtime", "posixrules", "tzdata.zi", "zone.tab", "leapseconds",
                           "right/UTC", "posix/UTC", "device", "+01:00", "/etc/localtime"}) {
    CHECK_FALSE(is_time_zone(name));
  }
  CHECK_FALSE(is_time_zone(std::string_view("UTC\0", 4)));
  CHECK_FALSE(is_time_zone(std::string(100'000, 'A')));
}

TEST_CASE("a minute of the day is written HH:MM, and in no other way") {
  CHECK(parse_minute_of_day("00:00") == 0);
  CHECK(parse_minute_of_day("09:05") == 545);
  CHECK(parse_minute_of_day("23:59") == 1439);
  for (const auto* text : {"", "24:00", "23:60", "9:05", "09:5", "0905", "09:05 ", " 9:05", "09-05",
                           "09:05:00", "-1:00", "+1:00", "0x:00", "09:0/", "0::00"}) {
    CHECK_FALSE(parse_minute_of_day(text));
  }
  for (std::uint16_t minute = 0; minute < 1440; ++minute) {
    CHECK(parse_minute_of_day(minute_text(minute)) == minute);
  }
}

namespace {

struct Change {
  const char* zone;
  Time around;
};
// Both changes of the year, one with none, and what happened once.
const std::array<Change, 13> kChanges{{{"Europe/Amsterdam", utc(2025, 3, 30, 1)},
                                       {"Europe/Amsterdam", utc(2025, 10, 26, 1)},
                                       {"America/New_York", utc(2025, 3, 9, 7)},
                                       {"America/New_York", utc(2025, 11, 2, 6)},
                                       {"Australia/Lord_Howe", utc(2025, 4, 5, 15)},
                                       {"Australia/Lord_Howe", utc(2025, 10, 4, 15, 30)},
                                       {"Asia/Kolkata", utc(2025, 6, 1)},
                                       {"Pacific/Apia", utc(2011, 12, 30, 10)},
                                       {"Pacific/Apia", utc(2012, 3, 31, 14)},
                                       {"America/Sao_Paulo", utc(2018, 11, 4, 3)},
                                       {"America/Sao_Paulo", utc(2019, 2, 17, 2)},
                                       {"UTC", utc(2025, 3, 30, 1)},
                                       {"Europe/Amsterdam", utc(2025, 7, 1)}}};

// Any window, half of them short: those are the ones that fit into a gap.
MaintenanceWindow any_window(const std::string& zone) {
  const auto start = *rc::gen::inRange(0, 1440);
  const auto length = *rc::gen::oneOf(rc::gen::inRange(1, 61), rc::gen::inRange(1, 1440));
  return {static_cast<std::uint16_t>(start), static_cast<std::uint16_t>((start + length) % 1440),
          zone};
}

// That is_open says `wanted` at `moment`, and the contrary from `now` until before it.
void check_first(const MaintenanceWindow& w, Time now, Time moment, bool wanted) {
  RC_ASSERT(moment >= now);
  RC_ASSERT(is_open(w, "", moment) == wanted);
  if (moment == now) return;
  RC_ASSERT(is_open(w, "", now) != wanted);
  RC_ASSERT(is_open(w, "", moment - 1us) != wanted);
  for (Time t = floor<minutes>(now) + 1min; t < moment; t += 1min) {
    RC_ASSERT(is_open(w, "", t) != wanted);
  }
}

}  // namespace

TEST_CASE("a window opens and closes at the first moment at which it is open, and is closed") {
  for (const auto& change : kChanges) {
    CAPTURE(change.zone);
    CHECK(rc::check([&] {
      const auto w = any_window(change.zone);
      const auto from = *rc::gen::inRange<std::int64_t>(-1500 * 60'000'000LL, 180 * 60'000'000LL);
      const Time now = change.around + Duration(from);
      check_first(w, now, opens_at(w, "", now), true);
      check_first(w, now, closes_at(w, "", now), false);
    }));
  }
}

TEST_CASE("every short window around a change agrees with the clock, minute by minute") {
  for (const auto& change : kChanges) {
    for (int start = 0; start < 1440; start += 10) {
      const MaintenanceWindow w{static_cast<std::uint16_t>(start),
                                static_cast<std::uint16_t>((start + 10) % 1440), change.zone};
      // Backwards, so that the next opening is the one that a scan of the minutes would have found.
      Time next = opens_at(w, "", change.around + 3h);
      for (Time t = change.around + 3h; t > change.around - 3h; t -= 1min) {
        if (is_open(w, "", t)) next = t;
        REQUIRE(opens_at(w, "", t) == next);
      }
    }
  }
}
