// What the renderers share: how absent values, shares and times look (spec/api.md section 1).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "domain/ids.hpp"
#include "http/time_format.hpp"

namespace ota::http::json_of {

inline nlohmann::json when(domain::Time t) { return t == domain::Time{} ? nlohmann::json(nullptr) : nlohmann::json(format_time(t)); }
inline nlohmann::json when(const std::optional<domain::Time>& t) {
  return t ? nlohmann::json(format_time(*t)) : nlohmann::json(nullptr);
}
inline nlohmann::json text_or_null(const std::string& s) { return s.empty() ? nlohmann::json(nullptr) : nlohmann::json(s); }
template <class T>
nlohmann::json or_null(const std::optional<T>& v) {
  return v ? nlohmann::json(*v) : nlohmann::json(nullptr);
}
inline std::string hex(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

inline double two_decimals(double value) { return std::round(value * 100.0) / 100.0; }
// 0.0 of nothing.
inline double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : two_decimals(100.0 * static_cast<double>(part) / static_cast<double>(whole));
}
// The mean of so many times, in minutes; 0.0 of none.
inline double minutes(std::uint64_t us_total, std::uint64_t count) {
  return count == 0 ? 0.0 : two_decimals(static_cast<double>(us_total) / static_cast<double>(count) / 60e6);
}

}  // namespace ota::http::json_of
