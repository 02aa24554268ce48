// A device's talk with the server beside its work on an update: polls, and what each of them leads
// to, one request after the other. Part of the device's RAM.
//
//   poll -> cancelAction, else configData and deploymentBase (the order is the client's)
//
// `turn_` changes whenever the work on an update begins or ends: an answer that was asked for in an
// earlier turn is too old to act on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/otasim/ddi_messages.hpp"
#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/update_run.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

// The device, as its talk sees it.
class PollOwner {
 public:
  virtual ~PollOwner() = default;
  virtual UpdateRun* run() = 0;  // the work in progress; null: none
  virtual const std::string& running_version() const = 0;
  virtual void begin(Deployment deployment, const std::string& url) = 0;
  virtual void drop_run() = 0;  // for a cancel, or because another action is offered
};

class PollChain {
 public:
  PollChain(World& world, const DeviceProfile& profile, const Flash& flash, Record& record,
            PollOwner& owner);

  // The next poll follows after `delay`, whatever was planned.
  void poll_after(std::chrono::milliseconds delay);
  void poll_at_interval();

  // Forgets everything: the device goes down.
  void stop();

  // Work on an update has begun or ended.
  void next_turn() { ++turn_; }

  // A request is on its way: what comes of it decides when the next poll is.
  bool is_talking() const { return talking_; }
  // The last poll was answered, whatever it said.
  bool reaches_server() const { return reaches_server_; }

 private:
  void poll();
  void poll_answered(const HttpAnswer& answer);
  void poll_failed(const HttpAnswer& answer);
  void follow(const PollReply& reply);
  void step_done();

  void push_config();
  void read_deployment();
  void deployment_answered(const HttpAnswer& answer, const std::string& url);
  void take(Deployment& deployment, const std::string& url);

  void cancel(const std::string& url);
  void answer_cancel(const std::string& url, const std::string& action);
  void cancel_answered(const HttpAnswer& answer, const std::string& action, bool agreed);
  bool agrees_to_cancel(const std::string& action);

  std::string followed(const std::string& link) const;
  void get(const std::string& url, std::function<void(const HttpAnswer&)> then);
  void send(HttpRequest request, std::function<void(const HttpAnswer&)> then);

  World& world_;
  const DeviceProfile& profile_;
  const ClientStyle& style_;
  const Flash& flash_;
  Record& record_;
  PollOwner& owner_;

  std::chrono::milliseconds sleep_{1000};
  unsigned failures_ = 0;
  bool config_pushed_ = false;  // since the start
  bool config_due_ = false;     // the latest poll says so
  PollReply latest_;
  HttpTicket talk_;
  bool talking_ = false;
  TimerTicket timer_;

  // The simulator's.
  std::uint64_t turn_ = 0;
  std::uint64_t polls_ = 0;
  bool polled_ = false;
  bool reaches_server_ = false;
};

}  // namespace ota::sim
