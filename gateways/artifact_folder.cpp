#include "gateways/artifact_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ota::gateways {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

std::filesystem::path ArtifactFolder::path_of(const Sha256Bytes& sha256) const {
  std::string name;
  name.reserve(2 * sha256.size());
  for (const std::uint8_t byte : sha256) {
    name.push_back(kHex[byte >> 4]);
    name.push_back(kHex[byte & 15]);
  }
  return root / name.substr(0, 2) / name;
}

std::optional<Sha256Bytes> digest_of_name(std::string_view name) {
  Sha256Bytes digest{};
  if (name.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::size_t nibble = kHex.find(name[i]);
    if (nibble == std::string_view::npos) return std::nullopt;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] * 16U + nibble);
  }
  return digest;
}

actors::ArtifactError file_error(std::string_view verb, const std::filesystem::path& path,
                                 int error_number) {
  return actors::ArtifactError(fmt::format("Cannot {} {}: {} (errno {})", verb, path.string(),
                                           std::generic_category().message(error_number),
                                           error_number));
}

void sync_folder(const std::filesystem::path& folder) {
  const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.is_open()) throw file_error("open folder", folder, errno);
  if (::fsync(handle.get()) != 0) throw file_error("sync folder", folder, errno);
}

void create_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return;
  const auto parent = folder.parent_path();
  if (!parent.empty() && parent != folder) create_folder(parent);
  if (!std::filesystem::create_directory(folder, error) && error) {
    throw file_error("create folder", folder, error.value());
  }
  sync_folder(parent.empty() ? "." : parent);
}

void FileHandle::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace ota::gateways
