// Reading, copying and cutting the files of a database, durable when it returns.
//
// Every verb throws std::runtime_error with a sentence for people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ota::eventstore {

// The bytes of a file from `offset` on. A file that does not exist has none.
std::string read_file(const std::filesystem::path& file, std::uint64_t offset);
void write_file(const std::filesystem::path& file, std::string_view bytes);
// The same, with the file as it was or as it will be at every moment.
void replace_file(const std::filesystem::path& file, std::string_view bytes);
void cut_file(const std::filesystem::path& file, std::uint64_t bytes);
void remove_file(const std::filesystem::path& file);
// The entries of a directory itself.
void sync_entries(const std::filesystem::path& directory);

}  // namespace ota::eventstore
