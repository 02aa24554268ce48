#include "domain/version.hpp"

#include <array>
#include <optional>
#include <vector>

namespace ota::domain {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_leading_zeros(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// Numbers of any length: the longer run is the larger one once leading zeros are gone.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a = without_leading_zeros(a);
  b = without_leading_zeros(b);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

bool all_digits(std::string_view s) {
  for (const char c : s) {
    if (!is_digit(c)) return false;
  }
  return !s.empty();
}

struct Semantic {
  std::array<std::string_view, 3> core;
  std::vector<std::string_view> pre_release;
};

std::optional<Semantic> parse_semantic(std::string_view text) {
  Semantic v;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) text = text.substr(0, plus);
  std::string_view core = text;
  std::string_view pre;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    core = text.substr(0, dash);
    pre = text.substr(dash + 1);
    if (pre.empty()) return std::nullopt;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto dot = core.find('.');
    if ((i < 2) == (dot == std::string_view::npos)) return std::nullopt;
    v.core[i] = core.substr(0, dot);
    if (!all_digits(v.core[i])) return std::nullopt;
    if (i < 2) core.remove_prefix(dot + 1);
  }
  while (!pre.empty()) {
    const auto dot = pre.find('.');
    v.pre_release.push_back(pre.substr(0, dot));
    if (v.pre_release.back().empty()) return std::nullopt;
    if (dot == std::string_view::npos) break;
    pre.remove_prefix(dot + 1);
    if (pre.empty()) return std::nullopt;
  }
  return v;
}

std::weak_ordering compare_pre_release(const Semantic& a, const Semantic& b) {
  if (a.pre_release.empty() || b.pre_release.empty()) {
    return a.pre_release.empty() <=> b.pre_release.empty();  // none is the release: the higher one
  }
  for (std::size_t i = 0; i < a.pre_release.size() && i < b.pre_release.size(); ++i) {
    const auto x = a.pre_release[i];
    const auto y = b.pre_release[i];
    const bool x_number = all_digits(x);
    const bool y_number = all_digits(y);
    std::weak_ordering order = std::weak_ordering::equivalent;
    if (x_number && y_number) {
      order = compare_numbers(x, y);
    } else if (x_number != y_number) {
      order = y_number <=> x_number;  // a number is below a word
    } else {
      order = x.compare(y) <=> 0;
    }
    if (order != 0) return order;
  }
  return a.pre_release.size() <=> b.pre_release.size();
}

std::string_view take_run(std::string_view& text) {
  const bool digits = is_digit(text.front());
  std::size_t n = 1;
  while (n < text.size() && is_digit(text[n]) == digits) ++n;
  const auto run = text.substr(0, n);
  text.remove_prefix(n);
  return run;
}

std::weak_ordering compare_naturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto x = take_run(a);
    const auto y = take_run(b);
    std::weak_ordering order = std::weak_ordering::equivalent;
    if (is_digit(x.front()) && is_digit(y.front())) {
      order = compare_numbers(x, y);
    } else {
      order = x.compare(y) <=> 0;
    }
    if (order != 0) return order;
  }
  return b.empty() <=> a.empty();
}

}  // namespace

std::weak_ordering compare_versions(std::string_view a, std::string_view b) {
  const auto x = parse_semantic(a);
  const auto y = parse_semantic(b);
  if (!x || !y) return compare_naturally(a, b);
  for (std::size_t i = 0; i < 3; ++i) {
    if (const auto order = compare_numbers(x->core[i], y->core[i]); order != 0) return order;
  }
  return compare_pre_release(*x, *y);
}

bool same_version(std::string_view a, std::string_view b) {
  return !a.empty() && !b.empty() && compare_versions(a, b) == 0;
}

bool in_hardware_range(std::string_view hardware, std::string_view min, std::string_view max) {
  if (!min.empty() && compare_versions(hardware, min) < 0) return false;
  return max.empty() || compare_versions(hardware, max) <= 0;
}

}  // namespace ota::domain
