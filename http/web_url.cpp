#include "http/web_url.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

bool begins(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// "files.example", "files.example:8080", "[::1]:8080".
bool is_host_and_port(std::string_view authority) {
  std::size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos || bracket == 1) return false;
    end = bracket + 1 == authority.size() ? std::string_view::npos : bracket + 1;
  }
  if (end == 0 || authority.empty()) return false;
  if (end == std::string_view::npos) return true;
  if (authority[end] != ':') return false;
  const auto port = authority.substr(end + 1);
  unsigned number = 0;
  const auto [last, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
  return fault == std::errc{} && last == port.data() + port.size() && number >= 1 && number <= 65'535;
}

// As it may stand in a message, which many may read: without what could be a password.
std::string harmless(std::string_view text) { return shown(text.substr(text.find_last_of('@') + 1)); }

}  // namespace

std::variant<WebUrl, std::string> parse_web_url(std::string_view text) {
  const bool plain = is_printable_ascii(text) && text.find_first_of(" \"<>\\^`{|}") == std::string_view::npos;
  if (!plain) return fmt::format("\"{}\" has characters that must be percent-encoded in a URL", harmless(text));
  const auto scheme = begins(text, kHttps) ? kHttps : begins(text, kHttp) ? kHttp : std::string_view();
  if (scheme.empty()) return fmt::format("\"{}\" does not begin with http:// or https://", harmless(text));
  auto rest = text.substr(scheme.size());
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return "a URL with a user or a password in it is not taken: it would stay in the log for ever, and be shown";
  }
  if (!is_host_and_port(authority)) return fmt::format("\"{}\" is no host with an optional port", shown(authority));
  rest.remove_prefix(authority.size());
  const auto path = rest.substr(0, rest.find_first_of("?#"));
  auto name = percent_decode(path.substr(std::min(path.find_last_of('/') + 1, path.size())), PlusSign::kItself);
  if (!name) return fmt::format("\"{}\" has a % that is not followed by two hexadecimal digits", shown(text));
  return WebUrl{std::string(text), std::move(*name)};
}

}  // namespace ota::http
