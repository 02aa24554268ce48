// The end of a process whose disk has failed.
#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace ota::eventstore {

// Prints why, and ends the process with exit code 70: nobody is answered any more.
[[noreturn]] void stop_process(const std::string& why);

// Ends the process once, whoever is first to see a fault. From any thread. A handler of a test may throw instead: then it is
// stopped, and the process goes on.
class FailStop {
 public:
  bool is_stopped() const { return stopped_.load(std::memory_order_acquire); }
  void stop(const std::function<void(const std::string& why)>& handler, const std::string& why) noexcept;

 private:
  std::atomic<bool> stopped_{false};
};

}  // namespace ota::eventstore
