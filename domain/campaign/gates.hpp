// The gates of a campaign as one list: first_closed() decides grants, all() explains them. Inside campaign/ only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/campaign/grant.hpp"

namespace ota::domain::campaign {

struct Question {
  const Campaign& s;
  const Reservations& reserved;
  const GrantAsk& ask;
  const Context& context;
  bool explain = false;                   // say what opened a gate, too: texts cost more than the decision
};

// What becomes of a device before a closed gate, beside waiting.
enum class Otherwise : std::uint8_t { kWait, kSkipAlreadyThere, kSkipIncompatible, kSuperseded, kNoWayBack, kAskConsent };

struct Finding {
  bool open = true;
  std::string fact;
  std::optional<Time> until;
  Otherwise otherwise = Otherwise::kWait;
  std::string error_code;                 // kNoWayBack
  Gate gate = Gate::kKnown;
};

// Empty: all are open.
std::optional<Finding> first_closed(const Question& question);
std::vector<Finding> all(const Question& question);
// The first gate that is closed because the campaign, or the device, is not ready to act; empty: both are.
std::optional<Finding> not_acting(const Question& question);

// Who holds for the switch, or was let go by it, takes none.
std::uint64_t places_taken(const Campaign& s, const Reservations& r);
bool has_place(const Campaign& s, const Reservations& r);
bool batch_open(const Campaign& s, const Reservations& r);

}  // namespace ota::domain::campaign
