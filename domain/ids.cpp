#include "domain/ids.hpp"

#include <algorithm>

namespace ota::domain {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<Bytes16> parse_16(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto raw = from_hex(text);
  if (!raw) return std::nullopt;
  Bytes16 bytes;
  std::copy(raw->begin(), raw->end(), reinterpret_cast<char*>(bytes.data()));
  return bytes;
}

bool is_single_digit_times_power_of_ten(std::uint32_t n) {
  while (n % 10 == 0 && n >= 10) n /= 10;
  return n < 10;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    text.push_back(kHex[b >> 4]);
    text.push_back(kHex[b & 15]);
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = nibble(text[i]);
    const int low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string to_text(const FirmwareId& id) { return to_hex(view_of(id.bytes)); }
std::string to_text(const CampaignId& id) { return "camp_" + to_hex(view_of(id.bytes)); }

std::string to_text(const UpdateId& id) {
  std::string text = "upd_" + to_hex(view_of(id.base));
  if (id.of_campaign) {
    for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kHex[(id.ordinal.value >> shift) & 15]);
    text.push_back(kHex[id.kind & 15]);
  }
  return text;
}

std::optional<FirmwareId> parse_firmware_id(std::string_view text) {
  const auto bytes = parse_16(text);
  return bytes ? std::optional<FirmwareId>(FirmwareId{*bytes}) : std::nullopt;
}

std::string to_rollback_text(const UpdateId& id) { return "rb_" + to_text(id).substr(4); }

std::optional<CampaignId> parse_campaign_id(std::string_view text) {
  if (!text.starts_with("camp_")) return std::nullopt;
  const auto bytes = parse_16(text.substr(5));
  return bytes ? std::optional<CampaignId>(CampaignId{*bytes}) : std::nullopt;
}

std::optional<UpdateId> parse_update_id(std::string_view text) {
  if (!text.starts_with("upd_")) return std::nullopt;
  text.remove_prefix(4);
  if (text.size() != 32 && text.size() != 41) return std::nullopt;
  const auto base = parse_16(text.substr(0, 32));
  if (!base) return std::nullopt;
  if (text.size() == 32) return UpdateId::direct(*base);
  std::uint32_t ordinal = 0;
  for (std::size_t i = 32; i < 40; ++i) {
    const int n = nibble(text[i]);
    if (n < 0) return std::nullopt;
    ordinal = ordinal << 4 | static_cast<std::uint32_t>(n);
  }
  const int kind = nibble(text[40]);
  if (kind < 0) return std::nullopt;
  return UpdateId::in_campaign({*base}, {ordinal}, static_cast<std::uint8_t>(kind));
}

std::optional<UpdateId> parse_rollback_id(std::string_view text) {
  if (!text.starts_with("rb_")) return std::nullopt;
  return parse_update_id("upd_" + std::string(text.substr(3)));
}

namespace {

// The bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t n = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (n == 0 || lead > 0xf4 || text.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool beyond = (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf4 && byte(1) >= 0x90);
  return overlong || beyond ? 0 : n;
}

}  // namespace

bool is_valid_device_id(std::string_view text) {
  // 256 characters of at most four bytes: what a stream name of the log has room for.
  if (text.empty() || text.size() > 1'024) return false;
  if (text == "." || text == "..") return false;  // clients take them out of paths
  std::size_t characters = 0;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t n = character_bytes(text);
    const bool c1 = first == 0xc2 && n == 2 && static_cast<unsigned char>(text[1]) < 0xa0;  // U+0080 to U+009F
    if (n == 0 || first < 0x20 || first == 0x7f || c1 || ++characters > 256) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string to_binary(const UpdateId& id) {
  std::string bytes(view_of(id.base));
  if (id.of_campaign) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(id.ordinal.value >> shift));
    bytes.push_back(static_cast<char>(id.kind));
  }
  return bytes;
}

std::optional<UpdateId> update_id_from_binary(std::string_view bytes) {
  if (bytes.size() != 16 && bytes.size() != 21) return std::nullopt;
  UpdateId id;
  std::copy_n(bytes.begin(), 16, reinterpret_cast<char*>(id.base.data()));
  if (bytes.size() == 21) {
    id.of_campaign = true;
    for (std::size_t i = 16; i < 20; ++i) {
      id.ordinal.value = id.ordinal.value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    id.kind = static_cast<std::uint8_t>(bytes[20]);
  }
  return id;
}

ActionId next_action(std::optional<ActionId> current, ActionId first) {
  ActionId next = current ? ActionId{current->value + 1} : first;
  while (is_single_digit_times_power_of_ten(next.value)) ++next.value;
  return next;
}

}  // namespace ota::domain
