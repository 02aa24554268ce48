// Bars and rates of things that take their time. Pure: time and widths are given.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ota::ctl {

// Answers exactly `width` characters, each part with its share of them (largest remainders first);
// a part that is not zero gets at least one character while there are enough. Nothing at all: dots.
std::string stacked_bar(const std::vector<std::pair<char, std::uint64_t>>& parts,
                        std::size_t width);

// Units per second over the recent past.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RateMeter(std::chrono::seconds window) : window_(window) {}
  void add(Time at, std::uint64_t total);

  bool has_history() const { return samples_.size() >= 2; }
  // Empty until two samples show an increase.
  std::optional<double> per_second() const;
  // Answers how long `left` more will take; empty without a rate.
  std::optional<std::chrono::seconds> time_for(std::uint64_t left) const;

 private:
  std::chrono::seconds window_;
  std::deque<std::pair<Time, std::uint64_t>> samples_;
};

enum class Unit { kBytes, kCount };
// Answers one line: "[#####.....]  50 %  10.0 MiB of 20.0 MiB  5.0 MiB/s  2 s left".
std::string transfer_line(std::int64_t done, std::int64_t total, const RateMeter& rate, Unit unit = Unit::kBytes);

}  // namespace ota::ctl
