#include "tools/otasim/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ota::sim {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// "host", "host:port", "[v6]" or "[v6]:port".
bool read_authority(std::string_view text, Origin& origin) {
  if (text.find('@') != std::string_view::npos) return false;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    origin.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    origin.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (origin.host.empty()) return false;
  std::transform(origin.host.begin(), origin.host.end(), origin.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  origin.port = origin.tls ? kHttpsPort : kHttpPort;
  if (rest.empty()) return true;
  const auto port = rest.starts_with(':') ? port_of(rest.substr(1)) : std::nullopt;
  if (!port) return false;
  origin.port = *port;
  return true;
}

std::string target_of(std::string_view text) {
  text = text.substr(0, text.find('#'));
  return text.starts_with('/') ? std::string{text} : "/" + std::string{text};
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("https://")) {
    url.origin.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  if (!read_authority(text.substr(0, end), url.origin)) return std::nullopt;
  url.target = target_of(text.substr(end));
  return url;
}

std::optional<Url> follow_location(const Url& from, std::string_view location) {
  if (auto absolute = parse_url(location)) return absolute;
  if (!location.starts_with('/') || location.starts_with("//")) return std::nullopt;
  return Url{from.origin, target_of(location)};
}

std::string host_field(const Origin& origin) {
  const bool v6 = origin.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + origin.host + "]" : origin.host;
  if (origin.port == (origin.tls ? kHttpsPort : kHttpPort)) return host;
  return fmt::format("{}:{}", host, origin.port);
}

}  // namespace ota::sim
