// What one device has done, as an accountant sees it. The simulator's knowledge, not the device's:
// it outlives power cuts, finds promises that the server or the device broke, and is compared with
// the server's account at the end (--report).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace ota::sim {

// One action that a device came across; to the server an attempt.
struct Attempt {
  std::string action;
  std::string version;
  std::uint64_t reads = 0;          // deploymentBase answered 200; the first one starts the attempt
  std::uint64_t installs = 0;       // 1 at most
  std::uint64_t reports_acked = 0;  // with repetitions
  std::string acked_end;            // the final report that was acknowledged: "closed/success", ...
  std::string ended;                // how the device's work on it ended (RunEnd); empty: not yet

  bool power_was_cut = false;  // once an action at most
  bool cancel_agreed = false;
  bool cancel_refused = false;
  bool given_up = false;  // failed without a word
  std::chrono::steady_clock::time_point offered_at{};

  bool is_over() const { return !acked_end.empty() || cancel_agreed; }
};

class Record {
 public:
  // Finds the attempt, or begins it.
  Attempt& of(std::string_view action);

  // In the order in which they were met.
  const std::deque<Attempt>& attempts() const { return attempts_; }

 private:
  std::deque<Attempt> attempts_;  // references stay
};

}  // namespace ota::sim
