// A set of devices: a Roaring bitmap over ordinals.
#pragma once

#include <string>
#include <string_view>

#include <roaring/roaring.hh>

namespace ota::domain {

using Bitmap = ::Roaring;

// The portable format, run-compressed where that is shorter.
std::string to_bytes(Bitmap set);
// Empty if the bytes are not one.
Bitmap bitmap_from_bytes(std::string_view bytes);

}  // namespace ota::domain
