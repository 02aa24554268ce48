#include "tools/otactl/failure.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::size_t kQuotedMax = 200;  // characters of an answer that is not ours

std::string as_text(const json& value) {
  return text::printable(value.is_string() ? value.get<std::string>() : value.dump());
}

// ["body", "target_devices", 3] -> "target_devices.3": where the body is, the caller knows.
std::string place(const json& entry) {
  std::string result;
  if (!entry.contains("loc") || !entry["loc"].is_array()) return result;
  for (const json& step : entry["loc"]) {
    if (result.empty() && step == "body") continue;
    if (!result.empty()) result += '.';
    result += as_text(step);
  }
  return result;
}

void add_detail(std::string& result, const json& detail) {
  if (detail.is_array()) {
    for (const json& entry : detail) {
      if (entry.is_object() && entry.contains("msg"))
        result += fmt::format("\n  {}: {}", place(entry), as_text(entry["msg"]));
      else
        result += fmt::format("\n  {}", as_text(entry));
    }
  } else if (detail.is_object()) {
    for (const auto& [name, value] : detail.items())
      result += fmt::format("\n  {}: {}", text::printable(name), as_text(value));
  }
}

}  // namespace

std::string describe_error(long status, std::string_view body) {
  const json root = json::parse(body, nullptr, false);
  if (!root.is_object() || !root.contains("message")) {
    const std::string quoted = text::printable(body.substr(0, kQuotedMax));
    return quoted.empty() ? fmt::format("the service answered {}", status)
                          : fmt::format("the service answered {}: {}", status, quoted);
  }
  std::string result = fmt::format("{} ({}): {}", as_text(root.value("error", json("Error"))),
                                   status, as_text(root["message"]));
  if (root.contains("detail")) add_detail(result, root["detail"]);
  if (root.contains("request_id"))
    result += fmt::format("\n  request id: {}", as_text(root["request_id"]));
  return result;
}

}  // namespace ota::ctl
