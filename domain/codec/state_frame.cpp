#include "domain/codec/state_frame.hpp"

#include <cstring>

namespace ota::domain::codec {

// Eight bytes at a time: a row is checked in some tens of
// nanoseconds.
std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  std::uint64_t sum = bytes.size() * kOdd;
  const auto mix = [&sum](std::uint64_t word) {
    sum = (sum ^ word) * kOdd;
    sum ^= sum >> 29;
  };
  for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    mix(word);
  }
  std::uint64_t tail = 0;
  if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());
  mix(tail);
  return static_cast<std::uint32_t>(sum ^ sum >> 32);
}

}  // namespace ota::domain::codec
