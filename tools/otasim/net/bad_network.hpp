// What a bad network does to one request: drawn before it is sent. Pure.
//
// A fault strikes once, at a place: somewhere in the request, when all of it was sent, or somewhere
// in the answer (of a download: anywhere in its bytes).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/otasim/choice.hpp"

namespace ota::sim {

// Probabilities of a request; together at most 1.
struct NetworkFaults {
  double loss = 0;
  double stall = 0;
  double reset = 0;
  double half_open = 0;
  std::chrono::milliseconds stall_max{1000};
  // Connections at most that devices have forgotten and that are still open: as a network's tables
  // forget them too, the oldest are closed.
  std::size_t half_open_max = 500;

  bool any() const { return loss + stall + reset + half_open > 0; }
};

enum class FaultKind {
  kLoss,      // nothing comes through any more: the client learns it from the clock
  kStall,     // nothing moves for a while
  kReset,     // the connection is reset
  kHalfOpen,  // the client forgets the connection, the server never hears of it
};
inline constexpr std::size_t kFaultKinds = 4;

enum class FaultPlace { kInRequest, kBeforeAnswer, kInAnswer };

struct NetworkFault {
  FaultKind kind = FaultKind::kLoss;
  FaultPlace place = FaultPlace::kInRequest;
  double fraction = 0;                 // of the request or of the answer's body, in [0, 1)
  std::chrono::milliseconds pause{0};  // kStall
};

// Decides for the n-th request of a device. Of the lost ones half were received by the server, and
// what is lost is its answer.
std::optional<NetworkFault> draw_fault(const NetworkFaults& faults, const Choices& choices,
                                       std::string_view device, std::uint64_t request);

}  // namespace ota::sim
