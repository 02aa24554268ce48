// The names of things: firmware, campaigns, devices, updates, rollbacks, actions.
//
// Each has a text form for people and the wire, and a short binary form for the log. Both are for ever.
//   firmware   32 hex, the first half of SHA-256("name:version:device_model")            (BR-OTA-004)
//   campaign   camp_ + 32 hex (a UUIDv7)
//   update     upd_ + campaign's 32 hex + ordinal 8 hex + kind 1 hex: of a campaign, known before it exists as events
//              upd_ + 32 hex (a UUIDv7): direct, or the rollback of a single device
//   rollback   rb_ + the suffix of its update
//   device     the DDI controllerId, 1-256 characters                                       (decision 20)
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ota::domain {

using Bytes16 = std::array<std::uint8_t, 16>;

struct FirmwareId {
  Bytes16 bytes{};
  auto operator<=>(const FirmwareId&) const = default;
};

struct CampaignId {
  Bytes16 bytes{};
  auto operator<=>(const CampaignId&) const = default;
};

struct DeviceId {
  std::string value;
  auto operator<=>(const DeviceId&) const = default;
};

// The number of a device in every bitmap; given once, never reused (design: directory).
struct Ordinal {
  std::uint32_t value = 0;
  auto operator<=>(const Ordinal&) const = default;
};

// What DDI calls an action: one attempt of one update, unique per device (decision 21).
struct ActionId {
  std::uint32_t value = 0;
  auto operator<=>(const ActionId&) const = default;
};

struct UpdateId {
  static constexpr std::uint8_t kDeployment = 0;  // kinds 1..15: the campaign's n-th rollback

  Bytes16 base{};             // the campaign, or a UUIDv7
  bool of_campaign = false;
  Ordinal ordinal;            // of_campaign only
  std::uint8_t kind = kDeployment;

  static UpdateId in_campaign(CampaignId campaign, Ordinal ordinal, std::uint8_t kind = kDeployment) {
    return {campaign.bytes, true, ordinal, kind};
  }
  static UpdateId direct(Bytes16 uuid) { return {uuid, false, {}, kDeployment}; }
  std::optional<CampaignId> campaign() const {
    return of_campaign ? std::optional<CampaignId>(CampaignId{base}) : std::nullopt;
  }
  auto operator<=>(const UpdateId&) const = default;
};

std::string to_text(const FirmwareId&);
std::string to_text(const CampaignId&);
std::string to_text(const UpdateId&);

// Parse the text form; empty if it is not one (upper-case hex is accepted).
std::optional<FirmwareId> parse_firmware_id(std::string_view text);
std::optional<CampaignId> parse_campaign_id(std::string_view text);
std::optional<UpdateId> parse_update_id(std::string_view text);
// 1-256 characters (UTF-8 code points), no control characters; neither "." nor "..", which clients take out of paths.
bool is_valid_device_id(std::string_view text);

// An update that takes a device back, under its name as a rollback: rb_ + the suffix of the update. Not for updates of
// another kind: the id of a direct one does not tell, so whoever parses it must look at the update.
std::string to_rollback_text(const UpdateId&);
std::optional<UpdateId> parse_rollback_id(std::string_view text);

// The binary form of an update: 16 bytes (direct) or 16 + 4 + 1 (of a campaign).
std::string to_binary(const UpdateId&);
std::optional<UpdateId> update_id_from_binary(std::string_view bytes);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
template <std::size_t N>
std::string_view view_of(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

// The action after `current` (or `first` when there is none yet): skips every d x 10^k, which one client cannot read.
ActionId next_action(std::optional<ActionId> current, ActionId first);

}  // namespace ota::domain

template <>
struct std::hash<ota::domain::DeviceId> {
  std::size_t operator()(const ota::domain::DeviceId& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
