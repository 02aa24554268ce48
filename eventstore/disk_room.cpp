#include "eventstore/disk_room.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>

namespace ota::eventstore {

void expect_room_to_open(const std::filesystem::path& directory, std::string_view what) {
  std::filesystem::path there = directory;   // or the nearest that there is around it
  while (!there.empty() && !std::filesystem::exists(there) && there != there.parent_path()) there = there.parent_path();
  std::error_code error;
  const auto space = std::filesystem::space(there.empty() ? "." : there, error);
  if (error || space.available >= kRoomToOpen) return;
  throw std::runtime_error(fmt::format("the {} in {} cannot be opened: its disk is full, {} bytes are free, and {} are needed", what,
                                       directory.string(), space.available, kRoomToOpen));
}

}  // namespace ota::eventstore
