// What devices say over MQTT (docs/devices.md, "Over MQTT"): a body becomes a message, or the list of everything that is
// wrong with it. Pure.
//
// Members that are not known are not looked at: a newer device may say more. What is known and wrong is named with its
// value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/device/device.hpp"
#include "domain/update/update.hpp"
#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {

// On every connect: here it is, and this is what it is.
struct Hello {
  std::optional<domain::ChangeAttributes> attributes;
};
struct AttributesSaid {
  domain::ChangeAttributes change;
};
struct HealthSaid {
  std::string health;                     // ok, failed
};
// It is offline: also its last will.
struct Bye {};

// Of an attempt: may it begin?
struct Accepted {
  domain::UpdateId update;
  std::uint32_t attempt = 0;
};
struct Reported {
  domain::UpdateId update;
  domain::Report report;                  // with its attempt
  bool names_kind = false;                // of a failure: the device says whose fault it was
};
struct ConsentAnswered {
  domain::UpdateId update;
  domain::AnswerConsent answer;
};
struct CancelAnswered {
  domain::UpdateId update;
  domain::AnswerCancel answer;
};

using UpMessage = std::variant<Hello, AttributesSaid, HealthSaid, Bye, Accepted, Reported, ConsentAnswered, CancelAnswered>;

struct Fault {
  std::string field;                      // "data.device_model"; empty: the message itself
  std::string message;                    // with the value
};

// What is wrong with a message. Of very many the first are named: an answer is no larger than what is answered.
class Faults {
 public:
  void add(std::string field, std::string message) {
    if (++count_ <= limits::kFaults) named_.push_back({std::move(field), std::move(message)});
  }
  bool empty() const { return count_ == 0; }
  const std::vector<Fault>& named() const { return named_; }
  std::size_t more() const { return count_ - named_.size(); }

 private:
  std::vector<Fault> named_;
  std::size_t count_ = 0;
};

struct Heard {
  std::string id;                         // the device's own name for this message; empty: it wants no answer
  // What it says; absent: there are faults.
  std::optional<UpMessage> message;
  Faults faults;
};

Heard read_up(std::string_view body);

}  // namespace ota::gateways::mqtt
