// A log on disk, read without the service: a copy, a backup, or the one that a service is writing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "eventstore/log.hpp"

namespace ota::ctl {

// Opens the log in a data directory, or the log's own directory, and answers what `read` answers. Throws Failure with a
// sentence if it cannot be read. If something that was acknowledged is not there that is said behind it, and the answer is a
// failure.
int reading(const std::string& directory, const std::function<int(const std::shared_ptr<eventstore::Log>&)>& read);

// Throws Failure if a position that was given is behind what there may be, of a log that ends at `head`: as the service refuses it.
void expect_at_most(const char* option, std::uint64_t given, std::uint64_t most, const eventstore::Log& log);

// The log's own directory, if it is that or the data directory around it.
std::filesystem::path log_in(const std::string& directory);

// The subjects' directory in a data directory; empty if there is none.
std::filesystem::path subjects_in(const std::string& directory);

// "2026-01-31 12:00:00.123456Z"
std::string time_text(eventstore::Timestamp time);

}  // namespace ota::ctl
