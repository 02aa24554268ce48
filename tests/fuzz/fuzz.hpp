// What the harnesses share: a claim that names what broke, and an input cut into pieces.
//
// Everything is derived from the input's own bytes, so that an input alone reproduces what it did.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

namespace ota::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the run if it does not hold: the sanitizer's trace, and the input, follow.
inline void claim(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Bytes that no caller may read beyond: a copy of just this size, whose end the sanitizer guards.
class Guarded {
 public:
  explicit Guarded(std::string_view text) : bytes_(text.begin(), text.end()) {}
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

// Ways to cut a text into pieces: whole, byte by byte, then into short, mixed and long ones. Of a
// long text there are some hundred pieces at most: who looks at all that is there with each of
// them takes the square of it.
inline constexpr unsigned kWays = 5;
inline std::vector<std::string_view> cut(std::string_view text, unsigned way) {
  if (way == 0) return {text};
  std::minstd_rand random(static_cast<unsigned>(std::hash<std::string_view>{}(text)) + way);
  std::vector<std::string_view> pieces;
  const std::size_t least = 1 + text.size() / 256;
  while (!text.empty()) {
    const std::size_t most = way == 1 ? least : way == 2 ? 4 * least : way == 3 ? 64 : text.size();
    const std::size_t size = std::min<std::size_t>(text.size(), 1 + random() % most);
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

}  // namespace ota::fuzz
