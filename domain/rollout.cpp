#include "domain/rollout.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace ota::domain {
namespace {

// The finaliser of a well-known 64-bit mix: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t seed_of(const CampaignId& campaign) {
  std::uint64_t seed = 0;
  for (const auto b : campaign.bytes) seed = mix(seed << 8 ^ seed >> 56 ^ b);
  return seed;
}

std::uint64_t rank(std::uint64_t seed, std::uint32_t ordinal) {
  return (mix(seed ^ mix(ordinal + 0x9e3779b97f4a7c15ULL)) & 0xffffffff00000000ULL) | ordinal;
}

}  // namespace

std::uint64_t pick_rank(const CampaignId& campaign, Ordinal ordinal) {
  return rank(seed_of(campaign), ordinal.value);
}

Pick pick_percentage(const CampaignId& campaign, const Bitmap& devices, std::uint32_t percentage) {
  const std::uint64_t n = devices.cardinality();
  const std::uint64_t count = (n * percentage + 99) / 100;
  if (count == 0) return {};
  if (count >= n) return {static_cast<std::uint32_t>(n), std::numeric_limits<std::uint64_t>::max()};
  const std::uint64_t seed = seed_of(campaign);
  std::vector<std::uint64_t> ranks;
  ranks.reserve(n);
  for (const std::uint32_t ordinal : devices) ranks.push_back(rank(seed, ordinal));
  const auto last = ranks.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(ranks.begin(), last, ranks.end());
  return {static_cast<std::uint32_t>(count), *last};
}

Bitmap picked(const CampaignId& campaign, const Bitmap& devices, std::uint64_t cutoff) {
  if (cutoff == std::numeric_limits<std::uint64_t>::max()) return devices;
  Bitmap in;
  if (cutoff == 0) return in;
  const std::uint64_t seed = seed_of(campaign);
  for (const std::uint32_t ordinal : devices) {
    if (rank(seed, ordinal) <= cutoff) in.add(ordinal);
  }
  return in;
}

}  // namespace ota::domain
