// What can have happened to the service itself, and who has looked at its log.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "domain/ids.hpp"

namespace ota::domain {

// Why a key began to sign the log's checkpoints.
enum class LogKeyChange : std::uint8_t {
  kFirst = 1,    // the log had none
  kRotated = 2,  // somebody asked for it
  kLost = 3,     // the key before it is gone: nothing vouches for this one but the log
};

// From this event on the log's checkpoints are signed by this key (docs/log-format.md).
struct LogKeyAdopted {
  std::string origin;                       // the log's name in its checkpoints, and its keys' name
  std::array<std::uint8_t, 32> key{};       // Ed25519, public
  LogKeyChange change = LogKeyChange::kFirst;
  // By the key before it, over "ota-log key\n", the text of the new one as auditors keep it, and "\n" (docs/log-format.md);
  // all zero unless it was rotated.
  std::array<std::uint8_t, 64> signature{};
  bool operator==(const LogKeyAdopted&) const = default;
};

// Somebody has read the audit: the pages, an export, a story, a past state.
struct AuditRead {
  // Path, and what of the query says what was asked for. Who `actor` named is a token, and stands beside: "actor=*" here.
  std::string what;
  Caller of_actor = {};                     // nobody: no person was named, or one who is not known
  bool operator==(const AuditRead&) const = default;
};

}  // namespace ota::domain
