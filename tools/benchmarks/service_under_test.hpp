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

  // Registers devices 0 to count - 1 (device_plans.hpp), each with its attributes.
  void register_devices(std::size_t count);
  // Uploads a firmware for them and starts a campaign on them: immediate, 1,000 at a time.
  void start_campaign(std::size_t devices);
  // The parts of it, each throws std::runtime_error unless the service agrees: the id of the firmware,
  // the id of the campaign that a JSON body describes, and one of start, cancel, ... of a campaign.
  std::string upload_firmware();
  std::string create_campaign(const std::string& body);
  void command(const std::string& campaign, const std::string& verb);
  // Of the newest event in its log.
  std::uint64_t log_position();

 private:
  Role role_;
};

// multipart/form-data around a firmware's bytes.
struct FirmwareForm {
  explicit FirmwareForm(const std::string& version);
  std::string content_type;
  std::string before;  // the file's bytes
  std::string after;
};

}  // namespace ota::bench
