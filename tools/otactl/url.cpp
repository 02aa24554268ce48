#include "tools/otactl/url.hpp"

#include <fmt/format.h>

namespace ota::ctl {

std::string escape(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos)
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string with_query(std::string_view path, const Query& query) {
  std::string result{path};
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    result += fmt::format("{}{}={}", separator, escape(name), escape(value));
    separator = '&';
  }
  return result;
}

}  // namespace ota::ctl
