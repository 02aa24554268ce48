// Firmware: a binary for one device model at one version, and whether it may still be rolled out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"

namespace ota::domain {

struct Firmware {
  bool exists = false;
  FirmwareRegistered record;
  bool content_here = false;
  std::string content_error;              // why the bytes cannot be had from record.file_url; empty: no such finding
  std::array<std::uint8_t, 20> sha1{};    // once the content is here
  FirmwareStatus status = FirmwareStatus::kAvailable;
  std::string status_reason;
  Caller created_by;
  Time created_at{};
  Time updated_at{};
  std::uint32_t revision = 0;
  Position position;
};

enum class Content { kHere, kPending, kFailed };
Content content_of(const Firmware& firmware);
std::string_view to_text(Content content);
std::optional<Content> parse_content(std::string_view word);

// Is somebody to bring the bytes from record.file_url (decision 29)?
bool is_to_fetch(const Firmware& firmware);
// Why its content is not here, for people; empty if it is.
std::string why_not_here(const Firmware& firmware);
// A URL for messages: without its query, which may hold more than everybody should read.
std::string_view without_query(std::string_view url);
// Are these the same bytes, as far as the two records tell (decision 1)?
bool same_bytes(const FirmwareRegistered& a, const FirmwareRegistered& b);

// An upload that is complete and stored, or a URL where the bytes are (decision 29). What else is registered under the
// same id, model and version is looked up before, and the append is conditioned on that look-up (design 5: model-version,
// firmwares).
struct RegisterFirmware {
  FirmwareRegistered record;
  std::optional<std::array<std::uint8_t, 20>> sha1;   // present: the bytes are here
};
// The bytes were brought here and are stored: what they turned out to be.
struct StoreContent {
  std::array<std::uint8_t, 16> md5{};
  std::array<std::uint8_t, 20> sha1{};
  std::array<std::uint8_t, 32> sha256{};
  std::uint64_t size = 0;
};
// They cannot be had from there.
struct GiveUpContent {
  std::string file_url;
  std::string reason;
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
using FirmwareCommand =
    std::variant<RegisterFirmware, StoreContent, GiveUpContent, DeprecateFirmware, RestoreFirmware, RecallFirmware>;

void evolve(Firmware& state, const Recorded& event);
Decision decide(const Firmware& state, const FirmwareCommand& command, const Context& context);

}  // namespace ota::domain
