// One simulated device: its power, its reboots, and what it does at a time: a Talk and at most one
// UpdateRun. Driven by the event loop; never moved, since callbacks point to it.
//
// The talk goes on while an update downloads or installs (not with every client). During a reboot
// and without power there is no connection at all; whoever comes back knows what is in the Flash.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/talk.hpp"
#include "tools/otasim/update_run.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class Device : private RunOwner, private TalkOwner {
 public:
  Device(World& world, DeviceProfile profile);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Switches it on: it speaks after `delay`.
  void boot(std::chrono::milliseconds delay) { talk_->start(delay); }

  const DeviceProfile& profile() const { return profile_; }
  const Record& record() const { return record_; }
  const std::string& version() const { return running_; }  // that it runs
  bool is_busy() const { return run_ != nullptr || !powered_ || reboot_due_; }
  bool reaches_server() const { return talk_->reaches_server(); }
  // It installed and came back less than `patience` ago, and has not been asked yet how that went. Should its server have
  // settled the update meanwhile, nobody asks.
  bool is_to_report(TimePoint now, std::chrono::milliseconds patience) const {
    return flash_.unreported && now - up_since_ < patience;
  }
  std::optional<Phase> phase() const;
  // When its last action ended as failed; empty when it did not, or when another was offered since.
  std::optional<TimePoint> failed_at() const { return failed_at_; }

 private:
  void run_ended(RunEnd end) override;
  void run_broken_off() override;
  void power_failed(CutPlace where) override;
  void reboot() override;

  UpdateRun* run() override { return run_.get(); }
  const std::string& running_version() const override { return running_; }
  void begin(Deployment deployment, std::unique_ptr<ReportPath> reports) override;
  void drop_run() override;

  std::unique_ptr<UpdateRun> take_run();
  void reboot_soon(std::string_view action);
  void go_down(std::string_view action, std::chrono::milliseconds gap, GoingDown how);
  void come_up(const std::string& action);
  std::chrono::milliseconds gap(std::string_view action, std::string_view purpose) const;

  World& world_;
  const DeviceProfile profile_;
  Flash flash_;
  Record record_;

  // RAM: gone with the power.
  std::string running_;
  bool powered_ = true;
  TimePoint up_since_{};
  bool reboot_due_ = false;  // into what was reported already
  TimerTicket timer_;
  const std::unique_ptr<Talk> talk_;
  std::unique_ptr<UpdateRun> run_;

  std::optional<TimePoint> failed_at_;
};

}  // namespace ota::sim
