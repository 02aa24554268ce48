// Devices that download for ever, each the same file: whole, or in ranges one behind the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/benchmarks/load.hpp"

namespace ota::bench {

class DownloadPlan final : public LoadPlan {
 public:
  // `path_of` has a path for each connection. The file is of FirmwareBytes; a range is a part of it
  // that ends at its end, and begins where a piece of it does.
  DownloadPlan(std::vector<std::string> path_of, std::size_t file_bytes, std::size_t range_bytes);
  std::string_view next(std::size_t connection) override;
  // Throws std::runtime_error if it begins with other bytes.
  void answered(std::size_t connection, std::string_view body) override;

  // What the generator must know: the status and size of the answers.
  LoadOptions options(int port) const;

 private:
  struct Seat {
    std::uint64_t first = 0;  // of the range that is next
    std::uint64_t asked = 0;
    std::string request;
  };

  const std::vector<std::string> path_of_;
  const std::size_t file_bytes_;
  const std::size_t range_bytes_;
  std::vector<Seat> seats_;
};

}  // namespace ota::bench
