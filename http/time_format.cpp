#include "http/time_format.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ota::http {
namespace {

using namespace std::chrono;

constexpr Time kFirst = sys_days{year{0} / January / 1};
constexpr Time kLast = sys_days{year{9999} / December / 31} + hours{24} - microseconds{1};
constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Writes `value` with exactly `width` digits.
template <typename Integer>
void put(char* out, Integer value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

struct Civil {
  int year;
  unsigned month;
  unsigned day;
  std::int64_t us_of_day;
  unsigned weekday;
};

Civil civil_of(Time time) {
  const auto days = floor<std::chrono::days>(std::clamp(time, kFirst, kLast));
  const year_month_day date{days};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), (std::clamp(time, kFirst, kLast) - days).count(),
          weekday{days}.c_encoding()};
}

// Reads fixed-width numbers and single characters from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool skip(char expected) {
    if (peek() != expected || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  bool number(int width, int& value) {
    value = 0;
    if (rest_.size() < static_cast<std::size_t>(width)) return false;
    for (int i = 0; i < width; ++i) {
      if (peek() < '0' || peek() > '9') return false;
      value = value * 10 + (peek() - '0');
      rest_.remove_prefix(1);
    }
    return true;
  }

  // A fraction of a second of any length as microseconds.
  bool fraction(std::int64_t& us) {
    std::int64_t unit = 100'000;
    us = 0;
    if (peek() < '0' || peek() > '9') return false;
    for (; peek() >= '0' && peek() <= '9'; rest_.remove_prefix(1)) {
      us += unit * (peek() - '0');
      unit /= 10;
    }
    return true;
  }

 private:
  std::string_view rest_;
};

std::optional<Time> time_of(int year_number, int month_number, int day_number, int hour, int minute,
                            int second, std::int64_t us) {
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + microseconds{us};
}

}  // namespace

void append_time(std::string& out, Time time) {
  const Civil civil = civil_of(time);
  char text[] = "0000-00-00T00:00:00.000000Z";
  const std::int64_t second_of_day = civil.us_of_day / 1'000'000;
  put(text, civil.year, 4);
  put(text + 5, civil.month, 2);
  put(text + 8, civil.day, 2);
  put(text + 11, second_of_day / 3600, 2);
  put(text + 14, second_of_day / 60 % 60, 2);
  put(text + 17, second_of_day % 60, 2);
  put(text + 20, civil.us_of_day % 1'000'000, 6);
  out.append(text, sizeof text - 1);
}

std::string format_time(Time time) {
  std::string text;
  append_time(text, time);
  return text;
}

std::string format_http_date(Time time) {
  const Civil civil = civil_of(time);
  std::string text = "Sun, 00 Jan 0000 00:00:00 GMT";
  const std::int64_t second_of_day = civil.us_of_day / 1'000'000;
  text.replace(0, 3, kWeekdays[civil.weekday]);
  put(text.data() + 5, civil.day, 2);
  text.replace(8, 3, kMonths[civil.month - 1]);
  put(text.data() + 12, civil.year, 4);
  put(text.data() + 17, second_of_day / 3600, 2);
  put(text.data() + 20, second_of_day / 60 % 60, 2);
  put(text.data() + 23, second_of_day % 60, 2);
  return text;
}

ParsedTime parse_time(std::string_view text) {
  constexpr ParsedTime kWrong{{}, TimeError::kNotATime};
  Scanner scan(text);
  int year_number, month_number, day_number, hour, minute, second = 0;
  std::int64_t us = 0;
  if (!scan.number(4, year_number) || !scan.skip('-') || !scan.number(2, month_number) ||
      !scan.skip('-') || !scan.number(2, day_number)) {
    return kWrong;
  }
  if (!scan.skip('T') && !scan.skip('t') && !scan.skip(' ')) return kWrong;
  if (!scan.number(2, hour) || !scan.skip(':') || !scan.number(2, minute)) return kWrong;
  if (scan.skip(':')) {
    if (!scan.number(2, second)) return kWrong;
    if ((scan.skip('.') || scan.skip(',')) && !scan.fraction(us)) return kWrong;
  }
  const auto local = time_of(year_number, month_number, day_number, hour, minute, second, us);
  if (!local) return kWrong;
  if (scan.at_end()) return {{}, TimeError::kNoOffset};
  if (scan.skip('Z') || scan.skip('z')) {
    return scan.at_end() ? ParsedTime{*local, TimeError::kNone} : kWrong;
  }
  const bool east = scan.peek() == '+';
  int offset_hours, offset_minutes = 0;
  if (!scan.skip('+') && !scan.skip('-')) return kWrong;
  if (!scan.number(2, offset_hours)) return kWrong;
  scan.skip(':');
  if (!scan.at_end() && !scan.number(2, offset_minutes)) return kWrong;
  if (!scan.at_end() || offset_hours > 23 || offset_minutes > 59) return kWrong;
  const auto offset = hours{offset_hours} + minutes{offset_minutes};
  return {east ? *local - offset : *local + offset, TimeError::kNone};
}

std::optional<Time> parse_http_date(std::string_view text) {
  const auto comma = text.find(',');
  if (comma != 3 ||
      std::find(kWeekdays.begin(), kWeekdays.end(), text.substr(0, 3)) == kWeekdays.end()) {
    return std::nullopt;
  }
  Scanner scan(text.substr(4));
  int day_number, year_number, hour, minute, second;
  if (!scan.skip(' ') || !scan.number(2, day_number) || !scan.skip(' ')) return std::nullopt;
  int month_number = 0;
  while (month_number < 12 && !scan.skip(kMonths[static_cast<std::size_t>(month_number)])) {
    ++month_number;
  }
  if (month_number == 12 || !scan.skip(' ') || !scan.number(4, year_number) || !scan.skip(' ') ||
      !scan.number(2, hour) || !scan.skip(':') || !scan.number(2, minute) || !scan.skip(':') ||
      !scan.number(2, second) || !scan.skip(" GMT") || !scan.at_end()) {
    return std::nullopt;
  }
  return time_of(year_number, month_number + 1, day_number, hour, minute, second, 0);
}

}  // namespace ota::http
