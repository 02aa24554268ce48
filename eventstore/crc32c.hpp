// CRC-32C, as the write-ahead log of RocksDB has it, whose own is not in its public headers.
#pragma once

#include <cstdint>
#include <string_view>

namespace ota::eventstore {

// Of `bytes`, behind those whose checksum is `before`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace ota::eventstore
