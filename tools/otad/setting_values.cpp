#include "tools/otad/setting_values.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <variant>

#include <fmt/format.h>

#include "domain/limits.hpp"
#include "http/ip_networks.hpp"
#include "http/text.hpp"
#include "http/web_url.hpp"

namespace ota::tools {
namespace {

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

}  // namespace

std::uint64_t number(const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    throw BadValue(fmt::format("a whole number from {} to {} is wanted", low, high));
  }
  return value;
}

domain::Duration duration(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  if (fault == std::errc{} && value < 1'000'000'000) {
    const auto n = static_cast<std::int64_t>(value);
    if (unit == "ms") return std::chrono::milliseconds(n);
    if (unit == "s") return std::chrono::seconds(n);
    if (unit == "m") return std::chrono::minutes(n);
    if (unit == "h") return std::chrono::hours(n);
  }
  throw BadValue("a duration such as 250ms, 1s, 5m or 24h is wanted");
}

domain::Duration duration_within(const std::string& text, domain::Duration low, domain::Duration high) {
  const auto value = duration(text);
  if (value < low || value > high) {
    throw BadValue(fmt::format("a duration from {} ms to {} s is wanted",
                               std::chrono::duration_cast<std::chrono::milliseconds>(low).count(),
                               std::chrono::duration_cast<std::chrono::seconds>(high).count()));
  }
  return value;
}

bool on_or_off(const std::string& text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  throw BadValue("on or off is wanted");
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  std::string word;
  for (const char c : text + ",") {
    if (c == ',') {
      while (word.ends_with(' ')) word.pop_back();
      if (!word.empty()) list.push_back(std::move(word));
      word.clear();
    } else if (c != ' ' || !word.empty()) {
      word.push_back(c);
    }
  }
  return list;
}

std::string ip_address(const std::string& text) {
  if (!http::parse_ip(text)) throw BadValue("an IP address such as 127.0.0.1, 0.0.0.0 or ::1 is wanted");
  return text;
}

std::string tenant(const std::string& text) {
  constexpr std::size_t kMost = 64;
  if (text.empty() || text.size() > kMost || !std::all_of(text.begin(), text.end(), is_plain)) {
    throw BadValue(fmt::format("1 to {} letters, digits, - or _ are wanted", kMost));
  }
  std::string upper = text;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return upper;
}

std::string header_name(const std::string& text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_plain)) {
    throw BadValue("the name of a header is wanted: letters, digits, - or _");
  }
  return text;
}

std::string attribute_name(const std::string& text) {
  const bool plain = http::is_printable_ascii(text) && text.find_first_of("`~") == std::string::npos;
  if (text.empty() || text.size() > domain::limits::kAttributeBytes || !plain) {
    throw BadValue(fmt::format("the name of an attribute is wanted: 1 to {} printable characters", domain::limits::kAttributeBytes));
  }
  return text;
}

std::string web_url(const std::string& text) {
  std::string url = text;
  while (url.ends_with('/')) url.pop_back();
  if (text.empty()) return url;
  const auto read = http::parse_web_url(url);
  if (const auto* fault = std::get_if<std::string>(&read)) {
    throw BadValue(fmt::format("http:// or https://, and a host are wanted: {}", *fault));
  }
  return url;
}

std::string artifact_url(const std::string& text) {
  if (text.empty()) return text;
  std::string filled = text;
  bool names_one = false;
  for (const std::string_view name : {"{sha256}", "{file}"}) {
    if (const auto at = filled.find(name); at != std::string::npos) {
      filled.replace(at, name.size(), 1, 'x');
      names_one = true;
    }
  }
  if (!names_one) throw BadValue("{sha256} or {file} is wanted in it: each firmware has a URL of its own");
  (void)web_url(filled);
  return text;
}

std::string store_word(const std::string& text) {
  const bool is_one = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  if (!is_one) throw BadValue("letters, digits, '-' and '_' are wanted");
  return text;
}

// Whoever wrote another scheme, or this one otherwise, would be spoken to in the clear: only "tls://" means TLS.
std::string nats_urls(const std::string& text) {
  std::string urls;
  for (const auto& url : words(text)) {
    const auto end = url.find("://");
    const auto scheme = end == std::string::npos ? std::string("nats") : url.substr(0, end);
    if (scheme != "nats" && scheme != "tls") throw BadValue("nats://host:4222 or tls://host:4222 is wanted");
    urls += (urls.empty() ? "" : ",") + url;
  }
  return urls;
}

std::string one_of(const std::string& text, std::initializer_list<const char*> allowed) {
  for (const auto* word : allowed) {
    if (text == word) return text;
  }
  throw BadValue(fmt::format("one of {} is wanted", fmt::join(allowed, ", ")));
}

}  // namespace ota::tools
