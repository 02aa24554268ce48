// What a backup says of itself, in the metadata that RocksDB keeps with it: one line of words, for ever.
//
//   of a log     <events> <hash of the first event> <hash of the last of them> crc32c:<sum>
//   of names     <events> <id of the backup of the log behind which it was taken> crc32c:<sum>
//
// The hashes are base64, "-" where there is no such event. The sum, 8 hex digits, is CRC-32C of what stands before its blank:
// RocksDB has none of this line, and a bit that flips in it would be another number of events. Earlier versions wrote no sum,
// before that no hashes, and of names the number of events alone. Whatever else is there is damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/types.hpp"

namespace ota::eventstore {

inline constexpr std::string_view kNoHash = "-";

struct LogLabel {
  Position head;                        // the log has at least so many events
  std::string first{kNoHash}, last{kNoHash};
};
struct NamesLabel {
  Position head;                        // when the backup of the log before them was begun
  std::optional<std::uint32_t> log;     // an earlier version did not say
};

std::string text_of(const LogLabel& label);
std::string text_of(const NamesLabel& label);
// Empty: it is damaged.
std::optional<LogLabel> parse_log_label(std::string_view text);
std::optional<NamesLabel> parse_names_label(std::string_view text);

}  // namespace ota::eventstore
