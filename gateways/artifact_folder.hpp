// The folder that artifact files live in: its names, its durability, and who uses it right now.
//
// Invariant: whatever decides about a file that is already there (a second upload of the same
// bytes, the sweep) holds `decision`, so that a sweep never removes what an upload has just found.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "actors/ports/artifact_store.hpp"

namespace ota::gateways {

using Sha256Bytes = std::array<std::uint8_t, 32>;

struct ArtifactFolder {
  std::filesystem::path root;
  std::mutex decision;
  std::mutex uploads_lock;
  std::set<std::string>
      uploads;  // names of the temporaries of this process, guarded by uploads_lock

  std::filesystem::path incoming() const { return root / "incoming"; }
  std::filesystem::path path_of(const Sha256Bytes& sha256) const;
};

// The digest that a file's name stands for; empty if it is not 64 lower-case hex digits.
std::optional<Sha256Bytes> digest_of_name(std::string_view name);

// "Cannot <verb> <path>: No space left on device (errno 28)".
actors::ArtifactError file_error(std::string_view verb, const std::filesystem::path& path,
                                 int error_number);

// Creates the folder and its parents, each made durable in its parent. Throws ArtifactError.
void create_folder(const std::filesystem::path& folder);

// Makes the names in a folder durable. Throws ArtifactError.
void sync_folder(const std::filesystem::path& folder);

// A file descriptor that closes itself.
class FileHandle {
 public:
  explicit FileHandle(int descriptor = -1) : descriptor_(descriptor) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() { close(); }
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  void close();

 private:
  int descriptor_;
};

}  // namespace ota::gateways
