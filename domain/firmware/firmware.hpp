// Firmware: a binary for one device model at one version, and whether it may still be rolled out.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"

namespace ota::domain {

struct Firmware {
  bool exists = false;
  FirmwareRegistered record;
  bool content_here = false;
  std::array<std::uint8_t, 20> sha1{};
  FirmwareStatus status = FirmwareStatus::kAvailable;
  std::string status_reason;
  Caller created_by;
  Time created_at{};
  Time updated_at{};
  std::uint32_t revision = 0;
  Position position;
};

// An upload that is complete and stored. What else is registered under the same id, model and version is looked up
// before, and the append is conditioned on that look-up (design 5: model-version, firmwares).
struct RegisterFirmware {
  FirmwareRegistered record;
  std::optional<std::array<std::uint8_t, 20>> sha1;   // present: the bytes are here
};
struct DeprecateFirmware {
  std::string reason;
};
struct RestoreFirmware {
  std::string reason;
};
struct RecallFirmware {
  std::string reason;
};
using FirmwareCommand = std::variant<RegisterFirmware, DeprecateFirmware, RestoreFirmware, RecallFirmware>;

void evolve(Firmware& state, const Recorded& event);
Decision decide(const Firmware& state, const FirmwareCommand& command, const Context& context);

}  // namespace ota::domain
