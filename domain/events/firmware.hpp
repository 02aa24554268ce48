// What can have happened to a firmware.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

// What a device must match, and what it becomes. Copied into campaigns, so that a grant needs no look-up.
struct FirmwareFacts {
  std::string version;
  std::string device_model;
  std::string min_hardware_version;       // empty: no bound
  std::string max_hardware_version;
  std::uint32_t number = 0;               // DDI's software module id
  std::uint64_t file_size = 0;            // bytes
  bool is_beta = false;
  bool is_security_update = false;
  bool operator==(const FirmwareFacts&) const = default;
};

struct FirmwareRegistered {
  FirmwareId id;
  std::string name;
  std::string manufacturer;
  std::string description;
  FirmwareFacts facts;
  std::string file_name;                  // as uploaded: what devices see
  std::string file_url;                   // registered by URL; empty: uploaded
  std::array<std::uint8_t, 16> md5{};     // all zero: not known before the bytes are here
  std::array<std::uint8_t, 32> sha256{};
  std::string signature;                  // raw Ed25519 over the SHA-256; empty: none
  std::vector<std::string> labels;        // the operator's `tags` (BR-OTA-007)
  std::string metadata_json;              // an object, as given; empty: none
  std::string changelog;
  bool kept_elsewhere = false;            // by URL, and the bytes are not brought here ("fetch": false)
  std::string signature_key = {};         // the key that `signature` was verified with, 8 bytes of its hash; empty: with none
  bool operator==(const FirmwareRegistered&) const = default;
};
// The bytes are in the artifact store and were hashed on the way in.
struct FirmwareContentStored {
  std::array<std::uint8_t, 20> sha1{};
  std::array<std::uint8_t, 16> md5{};     // of what was registered without one; else all zero
  bool operator==(const FirmwareContentStored&) const = default;
};
// Behind the URL are other bytes than those that were registered, or nobody gives them out: no longer tried (decision 29).
struct FirmwareContentFailed {
  std::string reason;
  bool operator==(const FirmwareContentFailed&) const = default;
};
// Registered by URL once more before the bytes were here: this is where they are, and they are looked for anew.
struct FirmwareSourceChanged {
  std::string file_url;
  bool kept_elsewhere = false;
  bool operator==(const FirmwareSourceChanged&) const = default;
};
struct FirmwareDeprecated {
  std::string reason;
  bool operator==(const FirmwareDeprecated&) const = default;
};
struct FirmwareRestored {
  std::string reason;
  bool operator==(const FirmwareRestored&) const = default;
};

// No device is granted it from this event on (decision 2); for ever.
struct FirmwareRecalled {
  std::string reason;
  bool operator==(const FirmwareRecalled&) const = default;
};

// An administrator has downloaded all of it; devices' downloads show in their updates.
struct DownloadCompleted {
  FirmwareId firmware;
  bool operator==(const DownloadCompleted&) const = default;
};

}  // namespace ota::domain
