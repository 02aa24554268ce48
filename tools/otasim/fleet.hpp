// All devices, and when the simulation ends.
#pragma once

#include <chrono>
#include <deque>
#include <string>

#include "tools/otasim/device.hpp"
#include "tools/otasim/options.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

enum class StopReason { kNone, kVersion, kIdle, kDuration, kSignal };
std::string_view to_text(StopReason reason);

class Fleet {
 public:
  // Creates the devices and chooses who is offline, slow or always failing.
  explicit Fleet(World& world);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Switches the devices on and, from then on, watches for the end.
  void start();

  const std::deque<Device>& devices() const { return devices_; }
  StopReason stop_reason() const { return reason_; }
  std::chrono::milliseconds running_for() const;

  // True when every device that polls is done and runs --stop-when-version, or failed at least
  // `failed_for` ago.
  bool all_run_version_or_failed(std::chrono::milliseconds failed_for) const;

 private:
  void tick();
  void stop(StopReason reason);
  bool all_idle(TimePoint now) const;
  void show_progress(TimePoint now);

  World& world_;
  std::deque<Device> devices_;  // never moved
  TimePoint started_{};
  StopReason reason_ = StopReason::kNone;
  TimerTicket tick_;
  TimePoint shown_{};
  std::uint64_t requests_shown_ = 0;
  bool on_terminal_ = false;
};

// Answers the id of device number n: the prefix and at least five digits. Pure.
std::string device_id(std::string_view prefix, std::size_t number);

}  // namespace ota::sim
