// Whether a disk has room enough for a database to be opened to write.
//
// RocksDB writes when it opens - a list of files, options, a write-ahead log - and where there is no room at all it does not fail
// but asserts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace ota::eventstore {

inline constexpr std::uintmax_t kRoomToOpen = 16'000'000;   // bytes

// Throws std::runtime_error with a sentence for people if there is too little. `what`: "event log".
void expect_room_to_open(const std::filesystem::path& directory, std::string_view what);

}  // namespace ota::eventstore
