#include "gateways/mqtt/topics.hpp"

#include <fmt/format.h>

namespace ota::gateways::mqtt {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Upper case alone: an id has one spelling.
std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::string encode_level(std::string_view text) {
  std::string level;
  for (const char c : text) {
    if (is_plain(c)) {
      level.push_back(c);
    } else {
      level += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return level;
}

std::optional<std::string> decode_level(std::string_view level) {
  std::string text;
  for (std::size_t i = 0; i < level.size(); ++i) {
    if (is_plain(level[i])) {
      text.push_back(level[i]);
      continue;
    }
    if (level[i] != '%' || i + 2 >= level.size()) return std::nullopt;
    const auto high = hex_digit(level[i + 1]);
    const auto low = hex_digit(level[i + 2]);
    if (!high || !low) return std::nullopt;
    const auto c = static_cast<char>(*high * 16 + *low);
    if (is_plain(c)) return std::nullopt;
    text.push_back(c);
    i += 2;
  }
  return text;
}

std::string Topics::topic(const domain::DeviceId& device, std::string_view last) const {
  return fmt::format("ota/{}/{}/{}", tenant_, encode_level(device.value), last);
}

std::optional<domain::DeviceId> Topics::speaker(std::string_view subject) const {
  const auto before = "ota." + tenant_ + ".";
  constexpr std::string_view kBehind = ".up";
  if (!subject.starts_with(before) || !subject.ends_with(kBehind)) return std::nullopt;
  if (subject.size() < before.size() + kBehind.size()) return std::nullopt;
  subject.remove_prefix(before.size());
  subject.remove_suffix(kBehind.size());
  auto id = decode_level(subject);
  if (!id || !domain::is_valid_device_id(*id)) return std::nullopt;
  return domain::DeviceId{std::move(*id)};
}

}  // namespace ota::gateways::mqtt
