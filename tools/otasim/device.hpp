// One simulated device: its power, its polling, its answers to cancels and requests for attributes,
// and at most one UpdateRun. Driven by the event loop; never moved, since callbacks point to it.
//
// A poll is a chain of requests, one after the other: poll, then cancelAction, else configData and
// deploymentBase. Polling goes on while an update downloads or installs, and stops from the reboot
// until its end is acknowledged. `turn_` changes whenever a run begins or ends: an answer asked for
// in an earlier turn is too old to act on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/update_run.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class Device : private RunOwner {
 public:
  Device(World& world, DeviceProfile profile);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Switches it on: the first poll follows after `delay`.
  void boot(std::chrono::milliseconds delay);

  const DeviceProfile& profile() const { return profile_; }
  const std::string& version() const { return flash_.version; }
  bool is_busy() const { return run_ != nullptr || !powered_; }
  // The last poll was answered, whatever it said.
  bool reaches_server() const { return reaches_server_; }
  std::optional<Phase> phase() const;
  // When its last action ended as failed; empty when it did not, or when another was offered since.
  std::optional<TimePoint> failed_at() const { return failed_at_; }

 private:
  void run_ended(RunEnd end) override;
  void power_failed(CutPlace where) override;
  void reboot_begins() override;

  void poll_after(std::chrono::milliseconds delay);
  void poll_at_interval();
  void poll();
  void poll_answered(const HttpAnswer& answer);
  void poll_failed(const HttpAnswer& answer);
  void follow(const PollReply& reply);

  void read_cancel(const std::string& url);
  void answer_cancel(const std::string& url, const std::string& action);
  bool agrees_to_cancel(const std::string& action) const;
  void push_config(const std::string& url, const std::string& deployment_url);
  void read_deployment(const std::string& url);
  void deployment_answered(const HttpAnswer& answer, const std::string& url);
  void begin(Deployment deployment, const std::string& url);

  void get(const std::string& url, std::function<void(const HttpAnswer&)> then);
  void send(Method method, const std::string& url, std::string body,
            std::function<void(const HttpAnswer&)> then);
  void hang_up();
  void drop_run();

  World& world_;
  const DeviceProfile profile_;
  const std::string poll_url_;
  Flash flash_;

  // RAM: gone with the power.
  bool powered_ = true;
  std::chrono::milliseconds sleep_{1000};
  unsigned failures_ = 0;
  HttpTicket talk_;  // the poll or what follows from it
  bool talking_ = false;
  TimerTicket timer_;
  std::unique_ptr<UpdateRun> run_;

  // The simulator's.
  std::uint64_t turn_ = 0;
  std::uint64_t polls_ = 0;
  bool polled_ = false;
  bool reaches_server_ = false;
  std::optional<TimePoint> failed_at_;
};

}  // namespace ota::sim
