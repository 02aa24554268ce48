#include "http/request_id.hpp"

#include <array>
#include <cstdint>
#include <random>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

// Seeded with 256 bits from the system, once a thread. Unique, not secret: an id opens nothing.
std::mt19937_64 seeded_generator() {
  std::random_device device;
  std::array<std::uint32_t, 8> words;
  for (auto& word : words) word = device();
  std::seed_seq seed(words.begin(), words.end());
  return std::mt19937_64(seed);
}

}  // namespace

std::string new_request_id() {
  thread_local std::mt19937_64 generator = seeded_generator();
  std::string id(32, '0');
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = generator();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) {
      id[half * 16 + i] = "0123456789abcdef"[bits & 15];
    }
  }
  return id;
}

std::optional<std::string_view> usable_request_id(std::optional<std::string_view> header) {
  if (!header) return std::nullopt;
  const std::string_view id = header->substr(0, limits::kRequestIdBytes);
  if (id.empty() || !is_printable_ascii(id)) return std::nullopt;
  return id;
}

}  // namespace ota::http
