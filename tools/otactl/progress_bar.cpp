#include "tools/otactl/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

struct Part {
  char mark = ' ';
  std::size_t columns = 0;
  double remainder = 0;
  bool present = false;
};

}  // namespace

std::string stacked_bar(const std::vector<std::pair<char, std::uint64_t>>& parts,
                        std::size_t width) {
  double total = 0;
  for (const auto& [mark, count] : parts) total += static_cast<double>(count);
  if (total <= 0) return std::string(width, '.');

  std::vector<Part> shares;
  std::size_t used = 0;
  for (const auto& [mark, count] : parts) {
    const double exact = static_cast<double>(count) / total * static_cast<double>(width);
    const double whole = std::floor(exact);
    shares.push_back({mark, static_cast<std::size_t>(whole), exact - whole, count > 0});
    used += shares.back().columns;
  }
  const auto larger_remainder = [](const Part& a, const Part& b) {
    return a.remainder < b.remainder;
  };
  for (; used < width; ++used) {
    const auto next = std::max_element(shares.begin(), shares.end(), larger_remainder);
    ++next->columns;
    next->remainder = -1;
  }
  // One failure among a million is still to be seen: it takes a column from the widest part.
  for (Part& part : shares) {
    if (!part.present || part.columns > 0) continue;
    const auto widest =
        std::max_element(shares.begin(), shares.end(),
                         [](const Part& a, const Part& b) { return a.columns < b.columns; });
    if (widest->columns < 2) break;
    --widest->columns;
    ++part.columns;
  }
  std::string bar;
  for (const Part& part : shares) bar.append(part.columns, part.mark);
  return bar;
}

void RateMeter::add(Time at, std::uint64_t total) {
  samples_.emplace_back(at, total);
  while (samples_.size() > 2 && at - samples_.front().first > window_) samples_.pop_front();
}

std::optional<double> RateMeter::per_second() const {
  if (samples_.size() < 2) return std::nullopt;
  const auto& [from, first] = samples_.front();
  const auto& [to, last] = samples_.back();
  const double seconds = std::chrono::duration<double>(to - from).count();
  if (seconds <= 0 || last <= first) return std::nullopt;
  return static_cast<double>(last - first) / seconds;
}

std::optional<std::chrono::seconds> RateMeter::time_for(std::uint64_t left) const {
  const auto rate = per_second();
  if (!rate) return std::nullopt;
  return std::chrono::seconds{std::llround(std::ceil(static_cast<double>(left) / *rate))};
}

std::string transfer_line(std::int64_t done, std::int64_t total, const RateMeter& rate, Unit unit) {
  constexpr std::size_t kWidth = 30;
  const auto amount = [unit](std::int64_t number) {
    return unit == Unit::kBytes ? text::human_size(number) : std::to_string(number);
  };
  const auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, total - done));
  std::string line = fmt::format(
      "[{}] {:3} %  {} of {}",
      stacked_bar({{'#', static_cast<std::uint64_t>(done)}, {'.', left}}, kWidth),
      total > 0 ? done * 100 / total : 0, amount(done), amount(total));
  if (const auto per_second = rate.per_second())
    line += fmt::format("  {}/s", amount(static_cast<std::int64_t>(*per_second)));
  if (const auto time = rate.time_for(left); time && left > 0)
    line += fmt::format("  {} left", text::human_duration(*time));
  return line;
}

}  // namespace ota::ctl
