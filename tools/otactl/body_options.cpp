#include "tools/otactl/body_options.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

namespace ota::ctl {
namespace {

nlohmann::json parse_json(const std::string& option, const std::string& value) {
  auto parsed = nlohmann::json::parse(value, nullptr, false);
  if (parsed.is_discarded())
    throw CLI::ValidationError(option, fmt::format("'{}' is not JSON", value));
  return parsed;
}

}  // namespace

std::string read_text_file(const std::string& option, const std::string& path) {
  if (path == "-")
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::ifstream file{path, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad())
    throw CLI::ValidationError(option, fmt::format("cannot read '{}'", path));
  return content;
}

CLI::Option* BodyOptions::text(const std::string& flag, const std::string& member,
                               const std::string& help) {
  return command_.add_option_function<std::string>(
      flag, [body = body_, member](const std::string& value) { (*body)[member] = value; }, help);
}

CLI::Option* BodyOptions::text_or_file(const std::string& flag, const std::string& member,
                                       const std::string& help) {
  return command_.add_option_function<std::string>(
      flag,
      [body = body_, member, flag](const std::string& value) {
        (*body)[member] = value.starts_with('@') ? read_text_file(flag, value.substr(1)) : value;
      },
      help + " (@FILE reads it from a file)");
}

CLI::Option* BodyOptions::integer(const std::string& flag, const std::string& member,
                                  const std::string& help) {
  return command_.add_option_function<std::int64_t>(
      flag, [body = body_, member](const std::int64_t& value) { (*body)[member] = value; }, help);
}

CLI::Option* BodyOptions::number(const std::string& flag, const std::string& member,
                                 const std::string& help) {
  return command_.add_option_function<double>(
      flag, [body = body_, member](const double& value) { (*body)[member] = value; }, help);
}

CLI::Option* BodyOptions::json(const std::string& flag, const std::string& member,
                               const std::string& help) {
  return command_.add_option_function<std::string>(
      flag,
      [body = body_, member, flag](const std::string& value) {
        (*body)[member] = parse_json(flag, value);
      },
      help);
}

CLI::Option* BodyOptions::texts(const std::string& flag, const std::string& member,
                                const std::string& help) {
  return command_
      .add_option_function<std::vector<std::string>>(
          flag,
          [body = body_, member](const std::vector<std::string>& values) {
            for (const std::string& value : values) (*body)[member].push_back(value);
          },
          help + "; may be repeated")
      ->allow_extra_args(false);
}

CLI::Option* BodyOptions::flag(const std::string& flag, const std::string& member,
                               const std::string& help) {
  return command_.add_flag_function(
      flag, [body = body_, member](std::int64_t count) { (*body)[member] = count > 0; }, help);
}

void BodyOptions::any_field() {
  command_
      .add_option_function<std::vector<std::string>>(
          "--field",
          [body = body_](const std::vector<std::string>& values) {
            for (const std::string& value : values) {
              const auto equals = value.find('=');
              if (equals == std::string::npos || equals == 0)
                throw CLI::ValidationError("--field", fmt::format("'{}' is not name=JSON", value));
              (*body)[value.substr(0, equals)] = parse_json("--field", value.substr(equals + 1));
            }
          },
          "Any other member of the request, name=JSON; may be repeated")
      ->allow_extra_args(false);
}

}  // namespace ota::ctl
