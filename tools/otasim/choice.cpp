#include "tools/otasim/choice.hpp"

#include <algorithm>
#include <utility>

namespace ota::sim {
namespace {

// FNV-1a over the text and a separator that no text contains.
std::uint64_t absorb(std::uint64_t state, std::string_view text) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * kPrime;
  return (state ^ 0xff) * kPrime;
}

// The finaliser of splitmix64: neighbouring inputs give unrelated outputs.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t Choices::bits(std::string_view device, std::string_view action,
                            std::string_view purpose) const {
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
  return mix(absorb(absorb(absorb(kOffset ^ mix(seed_), device), action), purpose));
}

double Choices::fraction(std::string_view device, std::string_view action,
                         std::string_view purpose) const {
  return static_cast<double>(bits(device, action, purpose) >> 11) * 0x1p-53;
}

bool Choices::happens(double probability, std::string_view device, std::string_view action,
                      std::string_view purpose) const {
  return fraction(device, action, purpose) < probability;
}

std::vector<bool> Choices::pick(const std::vector<std::string>& devices,
                                const std::vector<bool>& candidates, std::size_t count,
                                std::string_view purpose) const {
  std::vector<std::pair<std::uint64_t, std::size_t>> ranked;
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (candidates[i]) ranked.emplace_back(bits(devices[i], "", purpose), i);
  std::sort(ranked.begin(), ranked.end());
  std::vector<bool> picked(devices.size(), false);
  for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) picked[ranked[i].second] = true;
  return picked;
}

}  // namespace ota::sim
