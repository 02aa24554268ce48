// What a device says, carried out: each message becomes commands, exactly as the same words over DDI do, and perhaps an
// answer. Any thread; messages of one device one after the other.
//
// Twice is once: reports are fenced by attempt and phase (domain/update/report.cpp), everything else says what shall be.
// The device is the topic's: what a message says of another one's update is refused.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "actors/service.hpp"
#include "gateways/mqtt/down_message.hpp"
#include "gateways/mqtt/up_message.hpp"

namespace ota::gateways::mqtt {

struct Hooks {
  UrlOf url_of;
  // The device has said something: seen, by its number.
  std::function<void(domain::Ordinal)> on_seen;
};

struct Outcome {
  std::optional<std::string> reply;
  // What that means for whoever pushes commands.
  enum class Then {
    kSpoke,                               // it is there
    kTellAnew,                            // and is to have its command, whatever it had before
    kGone,
  };
  Then then = Then::kSpoke;
  // It could not be decided now: nothing is answered, and the message is to be carried out again.
  bool later = false;
};

class Conversation {
 public:
  Conversation(actors::Service& service, Hooks hooks, bool plug_and_play)
      : service_(service), hooks_(std::move(hooks)), plug_and_play_(plug_and_play) {}

  Outcome carry_out(const domain::DeviceId& device, const Heard& heard);

 private:
  struct Talk;
  Outcome on(const Talk& talk, const Hello& hello);
  Outcome on(const Talk& talk, const AttributesSaid& said);
  Outcome on(const Talk& talk, const HealthSaid& said);
  Outcome on(const Talk& talk, const Bye& bye);
  Outcome on(const Talk& talk, const Accepted& accepted);
  Outcome on(const Talk& talk, const Reported& reported);
  Outcome on(const Talk& talk, const ConsentAnswered& answered);
  Outcome on(const Talk& talk, const CancelAnswered& answered);

  std::optional<domain::DomainError> make_known(const Talk& talk, const Hello& hello);
  std::optional<domain::DomainError> change(const Talk& talk, domain::ChangeAttributes change);
  domain::Result<domain::DeviceUpdate> update_of(const Talk& talk, const domain::UpdateId& id) const;
  Go start(const Talk& talk, const Accepted& accepted, std::optional<domain::DomainError>& failure);

  actors::Service& service_;
  const Hooks hooks_;
  const bool plug_and_play_;
};

}  // namespace ota::gateways::mqtt
