// The service with its front door: everything that otad puts together, with its defaults; only the
// bus is missing.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/service.hpp"

namespace ota::bench {

class ServedService {
 public:
  // Opens it on a directory and listens on a free port of the loopback interface.
  explicit ServedService(const std::filesystem::path& directory);
  ~ServedService();
  ServedService(const ServedService&) = delete;
  ServedService& operator=(const ServedService&) = delete;

  actors::Service& service();
  int port() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ota::bench
