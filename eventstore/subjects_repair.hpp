// Repairs the subjects whose write-ahead log is damaged, or lacks names that were acknowledged: what is in tables and in sound
// records stays. Whose name is lost is shown as an unknown user; a backup may still have it. Done when somebody asks for it, as
// the log's (repair.hpp). A name that was erased and comes back with this is erased again by the next start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ota::eventstore {

struct SubjectsReport {
  std::string damage;             // where and what, or what is missing
  std::uint64_t names = 0;        // that stay
  std::uint64_t lost = 0;         // at least, of those that ever had a token
  std::filesystem::path kept_in;  // the files as they were; empty: nothing was changed
};

// What a repair would do; changes nothing. Empty: there is nothing to repair. Throws std::runtime_error with a sentence for
// people, as the next.
std::optional<SubjectsReport> examine_subjects(const std::filesystem::path& directory);
// Does it. No other process may have them open.
std::optional<SubjectsReport> repair_subjects(const std::filesystem::path& directory);

}  // namespace ota::eventstore
