// A device's work on one action, from the deployment read to its end acknowledged. Part of the
// device's RAM: a power cut or a reboot destroys it wherever it stands, and what goes on after that
// comes from the Flash alone.
//
//   report started -> download and verify -> report verified -> [hold] -> install -> report half
//   way -> install -> written to flash -> reboot; after it another run reports success, until that
//   is acknowledged. Some clients report success first and reboot then; some report less.
//
// Until the install begins the work can be dropped for a cancel; from the write on it cannot fail
// any more.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/download.hpp"
#include "tools/otasim/fate.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/reporter.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

// The device, as its run sees it. Every call destroys the run.
class RunOwner {
 public:
  virtual ~RunOwner() = default;
  virtual void run_ended(RunEnd end) = 0;
  virtual void run_broken_off() = 0;  // not over: it is begun again when it is offered again
  virtual void power_failed(CutPlace where) = 0;
  virtual void reboot() = 0;
};

enum class Phase { kDownloading, kHolding, kInstalling, kRebooting, kReporting };

class UpdateRun {
 public:
  UpdateRun(World& world, RunOwner& owner, const DeviceProfile& profile, Flash& flash,
            Attempt& attempt, Deployment deployment, std::unique_ptr<ReportPath> reports);

  // May end at once; call it as the last thing.
  void start();

  // A newer reading of the same deployment: whether to install counts until it does; a held one goes
  // on when it is no longer to be skipped.
  void refresh(const Deployment& deployment);

  const std::string& action() const { return deployment_.action; }
  Phase phase() const { return phase_; }
  bool can_cancel() const { return phase_ == Phase::kDownloading || phase_ == Phase::kHolding; }

 private:
  void report(const Feedback& feedback, void (UpdateRun::*next)());
  void next_artifact();
  void artifact_ended(Download::End how, const std::string& why);
  void all_verified();
  bool waits_for_permission() const;
  void hold();
  void after_verified();
  void install();
  void half_installed();
  void second_half();
  void install_ended();
  void written();
  void report_success();
  void fail(const std::string& why, int code);
  void end_with(const Feedback& feedback, RunEnd good_end);
  void closed(RunEnd end);

  World& world_;
  RunOwner& owner_;
  const DeviceProfile& profile_;
  const ClientStyle& style_;
  Flash& flash_;
  Attempt& attempt_;
  Deployment deployment_;
  Fate fate_;
  Reporter reporter_;

  Phase phase_ = Phase::kDownloading;
  std::size_t artifact_ = 0;
  std::unique_ptr<Download> download_;
  TimerTicket timer_;
  TimerTicket cut_timer_;
};

}  // namespace ota::sim
