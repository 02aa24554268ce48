// What happened to a campaign's devices between two events of its own, in one line: how many were given the update, succeeded,
// failed and why; and, by themselves, how their rollbacks went.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "domain/streams.hpp"

namespace ota::http {

class Crowd {
 public:
  void add(const domain::Recorded& event);
  bool empty() const { return !last_; }
  // The line, and a new beginning. Empty: nothing worth a line.
  std::optional<nlohmann::json> take();

 private:
  // Of updates of one kind.
  struct Fates {
    std::uint64_t granted = 0, succeeded = 0, failed_for_now = 0, failed = 0, held = 0, lapsed = 0, skipped = 0, cancelled = 0,
                  refuted = 0, undone = 0;
    std::map<std::string, std::uint64_t> codes;
    void add(const domain::Event& event);
    // "2 attempts granted", "1 device failed (no_space: 1)".
    std::vector<std::string> parts(bool are_rollbacks) const;
  };

  Fates deployments_;
  Fates rollbacks_;
  domain::Time begin_{};
  std::optional<domain::Recorded> last_;
};

}  // namespace ota::http
