// Which artifacts are between their storing and the answer to their registration: nobody removes
// the bytes that another upload has just found in the store.
//
// Bytes are stored before the record that names them, so a refused record leaves bytes that nothing
// refers to. The last upload that holds them may remove them; a hold is taken before the bytes are
// stored, and both happen under one lock. A hold that is not released (nobody knows whether the
// record was written) is for good: such bytes are left to the sweep. Safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace ota::http {

class ArtifactHolds {
 public:
  using Sha256 = std::array<std::uint8_t, 32>;

  void hold(const Sha256& sha256);
  // Ends one hold; calls `when_last` under the lock if it was the last one.
  void release(const Sha256& sha256, const std::function<void()>& when_last = {});

 private:
  std::mutex mutex_;
  std::map<Sha256, std::size_t> held_;
};

}  // namespace ota::http
