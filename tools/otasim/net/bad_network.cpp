#include "tools/otasim/net/bad_network.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace ota::sim {
namespace {

// Ten bits of a draw, as a number in [0, 1): several small choices come from one draw.
double ten_bits(std::uint64_t bits, unsigned from) {
  return static_cast<double>((bits >> from) & 0x3ff) / 1024.0;
}

FaultPlace place_of(FaultKind kind, double choice) {
  if (kind != FaultKind::kLoss)
    return choice < 1.0 / 3   ? FaultPlace::kInRequest
           : choice < 2.0 / 3 ? FaultPlace::kBeforeAnswer
                              : FaultPlace::kInAnswer;
  return choice < 0.5    ? FaultPlace::kInRequest
         : choice < 0.75 ? FaultPlace::kBeforeAnswer
                         : FaultPlace::kInAnswer;
}

}  // namespace

std::optional<NetworkFault> draw_fault(const NetworkFaults& faults, const Choices& choices,
                                       std::string_view device, std::uint64_t request) {
  if (!faults.any()) return std::nullopt;
  const std::array<std::pair<FaultKind, double>, kFaultKinds> shares{
      {{FaultKind::kLoss, faults.loss},
       {FaultKind::kStall, faults.stall},
       {FaultKind::kReset, faults.reset},
       {FaultKind::kHalfOpen, faults.half_open}}};
  const std::string purpose = fmt::format("network-{}", request);
  double left = choices.fraction(device, "", purpose);
  for (const auto& [kind, share] : shares) {
    if (left >= share) {
      left -= share;
      continue;
    }
    const std::uint64_t bits = choices.bits(device, purpose, "fault");
    NetworkFault fault;
    fault.kind = kind;
    fault.place = place_of(kind, ten_bits(bits, 0));
    fault.fraction = ten_bits(bits, 10);
    if (kind == FaultKind::kStall)
      fault.pause = std::chrono::milliseconds{static_cast<std::int64_t>(
          (0.1 + 0.9 * ten_bits(bits, 20)) * static_cast<double>(faults.stall_max.count()))};
    return fault;
  }
  return std::nullopt;
}

}  // namespace ota::sim
