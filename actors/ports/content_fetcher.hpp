// Port: brings the bytes of firmware that was registered by URL (decision 29). Implemented in gateways/.
//
// It finds its work in the views (firmware_to_fetch) and tells the firmware what became of it (StoreContent,
// GiveUpContent). What it tries meanwhile is in no log: whoever shows firmware asks here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "domain/ids.hpp"

namespace ota::actors {

struct FetchState {
  bool running = false;
  std::uint64_t received = 0;             // bytes that are here, of all of them
  std::string last_error;                 // of the latest try that failed; empty: none did
  std::chrono::seconds next_try_in{0};    // while it is not running
};

class ContentFetcher {
 public:
  virtual ~ContentFetcher() = default;
  // Empty: it does not look for the bytes of this one (any more). From any thread.
  virtual std::optional<FetchState> state(domain::FirmwareId firmware) const = 0;
};

}  // namespace ota::actors
