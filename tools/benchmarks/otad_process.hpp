// The service as people run it: the program otad beside this one, on a data directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "tools/benchmarks/process.hpp"

namespace ota::bench {

class OtadProcess {
 public:
  // Starts it and waits until it answers. Throws std::runtime_error with its last words if it ends before.
  explicit OtadProcess(const std::filesystem::path& data_directory);
  // Ends it as an operator does.
  ~OtadProcess();
  OtadProcess(const OtadProcess&) = delete;
  OtadProcess& operator=(const OtadProcess&) = delete;

  int port() const { return port_; }
  double start_seconds() const { return start_seconds_; }
  // The events that its views had to catch up with at the start, as its log lines say.
  std::uint64_t caught_up() const;
  // Ends it with SIGTERM, and waits; throws unless it ends well. Or with SIGKILL.
  void stop();
  void kill();

 private:
  std::filesystem::path words_;             // its log lines
  std::unique_ptr<Process> process_;
  int port_ = 0;
  double start_seconds_ = 0;
};

}  // namespace ota::bench
