#include "domain/bitmap.hpp"

#include <stdexcept>

namespace ota::domain {

std::string to_bytes(Bitmap set) {
  set.runOptimize();
  std::string bytes(set.getSizeInBytes(true), '\0');
  set.write(bytes.data(), true);
  return bytes;
}

Bitmap bitmap_from_bytes(std::string_view bytes) {
  if (bytes.empty()) return {};
  try {
    return Bitmap::readSafe(bytes.data(), bytes.size());
  } catch (const std::runtime_error&) {
    return {};
  }
}

}  // namespace ota::domain
