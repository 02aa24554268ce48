// A device's talk over MQTT: a connection that it keeps, commands that come to it, and what it says,
// each until it has the service's answer.
//
//   connected -> hello -> what was said and not answered yet, again
//   command update -> accepted -> go -> work begins; confirm -> confirmed; cancel -> cancelled, or
//   cancel_refused
//
// What has no answer within --timeout is said again, with the same id; when not even the broker was
// heard since, on a new connection. A command stands on its topic until another one does, so it may
// come again: what the device works on, or has ended since it started, is no news.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/mqtt/mqtt_link.hpp"
#include "tools/otasim/mqtt/mqtt_messages.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/talk.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

class MqttTalk;

// Move-only owner of something that was said: destroying it gives the answer up.
class SaidTicket {
 public:
  SaidTicket() = default;
  SaidTicket(MqttTalk& talk, std::uint64_t number) : talk_(&talk), number_(number) {}
  SaidTicket(SaidTicket&& other) noexcept;
  SaidTicket& operator=(SaidTicket&& other) noexcept;
  ~SaidTicket() { cancel(); }

  void cancel();

 private:
  MqttTalk* talk_ = nullptr;
  std::uint64_t number_ = 0;
};

class MqttTalk : public Talk, private MqttLinkOwner {
 public:
  using OnReply = std::function<void(const MqttReply&, std::chrono::microseconds elapsed)>;

  MqttTalk(World& world, const DeviceProfile& profile, Flash& flash, Record& record,
           TalkOwner& owner);

  void start(std::chrono::milliseconds delay) override;
  void stop(GoingDown how) override;
  void next_turn() override {}
  void work_ended(const std::string& action, RunEnd end) override;
  void work_broken_off() override;
  bool reaches_server() const override { return greeted_; }

  // Says a message, now or as soon as there is a connection, until it is answered. `on_reply` is
  // called once, from the loop, never from within this call.
  [[nodiscard]] SaidTicket say(const std::string& message, OnReply on_reply);
  void forget(std::uint64_t number);

 private:
  struct Said {
    std::uint64_t number = 0;
    std::string id;
    std::string body;
    OnReply on_reply;
    TimePoint first_at{};
    TimePoint last_at{};
    unsigned tries = 0;
    TimerTicket repeat;
  };

  void link_up() override;
  void link_heard(std::vector<MqttMessage> messages) override;
  void link_down(const std::string& why) override;

  void connect();
  void connect_again(const std::string& why);
  void hang_up(MqttLink::Farewell how, const std::string& why);
  void say_hello();
  void hello_answered(const MqttReply& reply);
  void utter(Said& said);
  void no_reply(std::uint64_t number);
  void strike(const NetworkFault& fault);
  void hear_reply(const std::string& body);
  void hear_command(const std::string& body);

  void consider();
  void consider_soon();
  void take_update();
  void accept();
  void accept_answered(const MqttCommand& command, const MqttReply& reply);
  void confirm();
  void answer_cancel();
  void report_what_was_installed();

  World& world_;
  const DeviceProfile& profile_;
  Flash& flash_;
  Record& record_;
  TalkOwner& owner_;
  const MqttTopics topics_;
  const MqttIdentity identity_;

  // RAM: gone with the power.
  std::vector<Said> said_;  // and not answered
  MqttCommand latest_;
  std::string ended_;      // the action whose work has ended last
  std::string accepting_;  // actions of which the device has said so, and awaits the answer
  std::string confirming_;
  std::string cancelling_;
  SaidTicket hello_;
  SaidTicket acceptance_;
  SaidTicket consent_;
  SaidTicket cancel_;
  std::unique_ptr<MqttLink> link_;
  TimerTicket connect_timer_;
  TimerTicket hello_timer_;
  TimerTicket consider_timer_;
  TimerTicket pause_timer_;
  unsigned failures_ = 0;  // of connecting, in a row
  bool greeted_ = false;   // on this connection
  bool reported_ = false;  // that something is installed, since the start

  // The simulator's.
  std::uint64_t lives_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t utterances_ = 0;
  std::uint64_t connections_ = 0;
  bool spoke_ = false;
};

}  // namespace ota::sim
