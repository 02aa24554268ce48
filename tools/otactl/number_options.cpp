#include "tools/otactl/number_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

// Answers the number that `given` is all of and that is in the range, or nothing.
template <class Number>
std::optional<Number> number_in(const std::string& given, Number least, Number most) {
  Number number{};
  const char* const end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, number);
  const bool fits = error == std::errc() && stop == end && number >= least && number <= most;  // not a number is in no range
  return fits ? std::optional(number) : std::nullopt;
}

std::string no_number(const std::string& given, const char* kind, const std::string& range) {
  return fmt::format("'{}' is no {} {}", text::printable(given), kind, range);
}

}  // namespace

CLI::Option* take_whole(CLI::Option* option, std::uint64_t least, std::uint64_t most) {
  const auto check = [least, most](std::string& given) {
    const auto number = number_in(given, least, most);
    if (!number) {
      return no_number(given, "whole number", most == kNumberMax ? fmt::format("from {}", least) : fmt::format("from {} to {}", least, most));
    }
    given = std::to_string(*number);  // without leading zeros
    return std::string();
  };
  return option->transform(CLI::Validator(check, ""));
}

CLI::Option* take_seconds(CLI::Option* option, double least, double most) {
  const auto check = [least, most](const std::string& given) {
    if (number_in(given, least, most)) return std::string();
    return no_number(given, "number of seconds", most == kAnyTime ? fmt::format("from {}", least) : fmt::format("from {} to {}", least, most));
  };
  return option->check(CLI::Validator(check, ""));
}

}  // namespace ota::ctl
