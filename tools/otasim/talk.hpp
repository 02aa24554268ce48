// A device's talk with the service beside its work on an update: how it hears of updates, and what it
// says of itself. Over DDI it is a PollChain, over MQTT an MqttTalk. Part of the device's RAM.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/report_path.hpp"
#include "tools/otasim/stats.hpp"

namespace ota::sim {

class UpdateRun;

// The device, as its talk sees it.
class TalkOwner {
 public:
  virtual ~TalkOwner() = default;
  virtual UpdateRun* run() = 0;  // the work in progress; null: none
  virtual const std::string& running_version() const = 0;
  virtual void begin(Deployment deployment, std::unique_ptr<ReportPath> reports) = 0;
  virtual void drop_run() = 0;  // for a cancel, or because another action is offered
};

// How a device goes down.
enum class GoingDown { kReboot, kPowerCut };

class Talk {
 public:
  virtual ~Talk() = default;

  // Begins after `delay`: the device is up.
  virtual void start(std::chrono::milliseconds delay) = 0;
  // Forgets everything: it goes down.
  virtual void stop(GoingDown how) = 0;

  // Work on an update has begun or ended.
  virtual void next_turn() = 0;
  // It has ended, like this; or it broke off, and is to be offered again.
  virtual void work_ended(const std::string& action, RunEnd end) = 0;
  virtual void work_broken_off() = 0;

  // What it said last was answered, whatever the answer was.
  virtual bool reaches_server() const = 0;
};

}  // namespace ota::sim
