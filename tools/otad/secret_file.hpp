// The service's secret: random bytes in a file of its own, made at the first start.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace ota::tools {

// The bytes of `file`, or `bytes` new random ones, which are on disk before they are returned; for its owner alone. Throws
// std::runtime_error if the file cannot be read or made, or holds another number of bytes: whoever lost it must decide what
// becomes of the tokens that were derived from it.
std::string secret_of(const std::filesystem::path& file, std::size_t bytes);

}  // namespace ota::tools
