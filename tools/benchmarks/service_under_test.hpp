// The service in a process of its own, and what must be there before it can be measured: devices,
// a firmware, a campaign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/benchmarks/roles.hpp"

namespace ota::bench {

class ServiceUnderTest {
 public:
  // Starts it on a directory, new or as seeded_fleet.hpp left it; it is ready when this returns.
  explicit ServiceUnderTest(const std::filesystem::path& directory)
      : role_(kServiceRole, directory.string()) {}

  int port() const { return role_.port; }
  pid_t pid() const { return role_.process.pid(); }

  static constexpr std::size_t kSmallFirmwareBytes = 64 * 1024;

  // Registers devices 0 to count - 1 (device_plans.hpp), each with its attributes.
  void register_devices(std::size_t count);
  // Uploads a firmware for them and starts a campaign on them: immediate, 1,000 at a time.
  void start_campaign(std::size_t devices, std::size_t firmware_bytes = kSmallFirmwareBytes);
  // The parts of it, each throws std::runtime_error unless the service agrees: the id of the firmware,
  // of FirmwareBytes, the id of the campaign that a JSON body describes, and one of start, cancel, ...
  // of a campaign.
  std::string upload_firmware(std::size_t bytes = kSmallFirmwareBytes);
  std::string create_campaign(const std::string& body);
  void command(const std::string& campaign, const std::string& verb);
  // What devices 0 to count - 1 of a started campaign are to download, once each has asked: a path on
  // this service for each.
  std::vector<std::string> begin_downloads(std::size_t count);
  // Of the newest event in its log.
  std::uint64_t log_position();

 private:
  Role role_;
};

}  // namespace ota::bench
