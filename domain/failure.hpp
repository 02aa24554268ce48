// Why did a download fail? What a device says of it, and what was seen of its downloads (decision 8).
//
// A failure counts against an update unless it was no fault of its own: `service`, if we could not give the device its
// bytes; `transport`, if the network broke off. Both only while the device is still to have the bytes: what fails behind
// that is the device's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/update/update.hpp"

namespace ota::domain {

enum class DownloadFault : std::uint8_t { kBrokenOff, kOurs };
struct SeenFault {
  DownloadFault fault = DownloadFault::kBrokenOff;
  std::string what;                         // in a sentence
};

// The kind that a line of a report names: transport or service; empty: the line is about neither.
std::optional<FailureKind> kind_in_words(std::string_view line);

// Gives a failure its kind, and code and message where the device gave none. `status`: of its update so far.
// - What was ours is `service`, whatever the device says of it.
// - The last line of its words decides, if that names the network or an answer of a server.
// - A download that broke off here is `transport` if the device gives no reason of its own, or names the network in any
//   line: clients break off too when they find that they cannot use what comes.
void name_kind(Report& report, UpdateStatus status, const std::optional<SeenFault>& seen);

}  // namespace ota::domain
