// What became of many devices, as text. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace ota::ctl {

// Counted over all requests of one command.
struct BulkCounts {
  std::uint64_t requested = 0;
  std::uint64_t failed = 0;
};

// Answers one line a device, the failures with what is wrong, and counts them.
std::string bulk_lines(const nlohmann::json& answer, BulkCounts& counts);
std::string bulk_summary(const BulkCounts& counts);

// Answers the counts of an import and a line for each bad field that the service lists.
std::string import_text(const nlohmann::json& report);

// Answers the media type of a file of devices by its ending, or by `format` (csv, jsonl) if that is
// not empty; empty if neither tells.
std::string import_type(std::string_view file, std::string_view format);

}  // namespace ota::ctl
