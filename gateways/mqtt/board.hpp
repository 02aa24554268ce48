// Every device that takes its commands over MQTT: what was told to it last, and whether it is to be asked for. No thread,
// no clock, no I/O: the pusher's decisions.
//
//   event of a device, or its word --> touched()   --> its command is made anew, and told() says whether it is news
//   a round                        --> due()       --> whoever may hope is asked for (Service::poll) --> asked()
//
// - A device that was granted something and never came (the grant lapsed), or said goodbye, is not asked for again until
//   it speaks: places are for those who are there. This is forgotten with a restart, and each is then tried once.
// - An ask that led to nothing though there was hope waits twice as long each time, until something happens that may
//   change the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "projections/poll_index.hpp"

namespace ota::gateways::mqtt {

// Why a device is looked at.
enum class Cause : std::uint8_t {
  kStart,                                 // the service has begun, or took it up: only what is to be done is news
  kEvent,                                 // something was recorded of it
  kLapse,                                 // it was granted something and did not begin
  kTellAnew,                              // it spoke, and is to have its command whatever it had before
  kGone,                                  // it said goodbye
};

class Board {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Hope = std::function<bool(const projections::PollRecord&)>;

  // The newest that is known of a device. Without `push` it is forgotten once told() has taken its last command away.
  void touched(const std::string& device, const projections::PollRecord& record, Cause cause);
  // It said something: it is there. True: it was taken for gone.
  bool spoke(const std::string& device);
  // Whether the broker still has what was published is not known: it may have begun anew, and with nothing. Whoever speaks anew
  // has its command as news then.
  void broker_is_back();
  // The command of this fingerprint (0: the empty one) is what it is to have.
  enum class Tell : std::uint8_t { kNothing, kNews, kAgain };
  Tell told(const std::string& device, std::uint64_t fingerprint, Cause cause);

  // The next devices to ask for, at most `most`, looking at `slice` devices at most; whoever is given is being asked for
  // until asked(). Empty may mean that others have still to be looked at: see begin_round().
  std::vector<std::string> due(std::size_t most, std::size_t slice, Moment now, const Hope& hope);
  // Looks at everybody once more from here on; due() gives nothing once the round is over.
  void begin_round();
  bool round_is_over() const { return left_in_round_ == 0; }
  // `in_vain`: there is as much hope as before.
  void asked(const std::string& device, bool in_vain, Moment now);
  // Something happened that may open a gate for anybody.
  void hope_anew();

  // Those at work within a maintenance window: what they are told changes with the clock.
  std::vector<std::string> in_windows() const;
  // The earliest moment at which one of them may be asked for without any offer.
  domain::Time next_ask_at() const;
  std::size_t size() const { return seats_.size(); }

 private:
  struct Seat {
    std::string device;
    projections::PollRecord record;
    std::optional<std::uint64_t> shown;   // what it was told last; absent: not in this life of the service
    bool unsure = false;                  // whether that stands there still
    bool silent = false;
    bool asking = false;
    std::chrono::milliseconds vain{0};
    Moment next{};
  };
  Seat* find(const std::string& device);
  void forget(const std::string& device);

  std::vector<Seat> seats_;
  std::unordered_map<std::string, std::size_t> places_;
  std::size_t cursor_ = 0;
  std::size_t left_in_round_ = 0;
};

}  // namespace ota::gateways::mqtt
