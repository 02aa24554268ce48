// A device's talk over DDI: polls, and what each of them leads to, one request after the other.
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
#include "tools/otasim/talk.hpp"
#include "tools/otasim/update_run.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class PollChain : public Talk {
 public:
  PollChain(World& world, const DeviceProfile& profile, const Flash& flash, Record& record,
            TalkOwner& owner);

  void start(std::chrono::milliseconds delay) override { poll_after(delay); }
  void stop(GoingDown how) override;
  void next_turn() override { ++turn_; }
  void work_ended(const std::string& action, RunEnd end) override;
  void work_broken_off() override;
  bool reaches_server() const override { return reaches_server_; }

 private:
  // The next poll follows after `delay`, whatever was planned.
  void poll_after(std::chrono::milliseconds delay);
  void poll_at_interval();
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

  std::string followed(const std::string& link) const;
  std::string reports_of(const Deployment& deployment, const std::string& url) const;
  void get(const std::string& url, std::function<void(const HttpAnswer&)> then);
  void send(HttpRequest request, std::function<void(const HttpAnswer&)> then);

  World& world_;
  const DeviceProfile& profile_;
  const ClientStyle& style_;
  const Flash& flash_;
  Record& record_;
  TalkOwner& owner_;

  std::chrono::milliseconds sleep_{1000};
  unsigned failures_ = 0;
  bool config_pushed_ = false;  // since the start
  bool config_due_ = false;     // the latest poll says so
  PollReply latest_;
  HttpTicket talk_;
  bool talking_ = false;  // what comes of it decides when the next poll is
  TimerTicket timer_;

  // The simulator's.
  std::uint64_t turn_ = 0;
  std::uint64_t polls_ = 0;
  bool polled_ = false;
  bool reaches_server_ = false;
};

}  // namespace ota::sim
