// Sizes, durations, times and foreign text as people read them on a terminal. Pure; header only, so
// that every tool can use it.
#pragma once

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ota::text {

// Answers "0 B", "999 B", "1.5 KiB", "500.0 MiB".
inline std::string human_size(std::int64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024 && bytes > -1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while ((value >= 1023.95 || value <= -1023.95) && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

// Answers the two largest units: "45 s", "3 min 20 s", "2 h 5 min", "4 d 6 h".
inline std::string human_duration(std::chrono::seconds duration) {
  const std::int64_t s = duration.count();
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3600);
}

// Answers "2026-01-31 12:00:00Z" for "2026-01-31T12:00:00.123456Z"; what looks different stays as
// it is.
inline std::string human_time(std::string_view iso) {
  if (iso.size() < 20 || iso[10] != 'T' || !iso.ends_with('Z')) return std::string{iso};
  return fmt::format("{} {}Z", iso.substr(0, 10), iso.substr(11, 8));
}

// Answers the text with control characters (a terminal would obey them) replaced.
inline std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1_control = c == 0xc2 && i + 1 < text.size() &&
                            static_cast<unsigned char>(text[i + 1]) < 0xa0 &&
                            static_cast<unsigned char>(text[i + 1]) >= 0x80;
    if (c1_control) ++i;
    if (c < 0x20 || c == 0x7f || c1_control)
      result += c == '\n' || c == '\t' ? ' ' : '?';
    else
      result += text[i];
  }
  return result;
}

// Answers the number of code points: the columns of text without wide or combining characters.
inline std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++width;
  return width;
}

}  // namespace ota::text
