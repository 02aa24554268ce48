// From events of the log to messages on the bus: which events speak to others, and what they say.
//
// Pure: what an event does not hold itself is asked of History, which answers as of that event. The
// table in translate.cpp is the list of everything that is published; an event without a row says
// nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/update/update.hpp"
#include "gateways/nats/message.hpp"

namespace ota::gateways::nats {

// What had happened before an event.
class History {
 public:
  virtual ~History() = default;
  // Empty if there is no such firmware or campaign: then nothing is published.
  struct RegisteredFirmware {
    domain::FirmwareRegistered record;
    domain::Caller by;
  };
  virtual std::optional<RegisteredFirmware> firmware(domain::FirmwareId id) const = 0;
  virtual std::optional<domain::CampaignCreated> campaign(domain::CampaignId id) const = 0;
  // Did an operator cancel it, and was it not rolled back since?
  virtual bool was_cancelled(domain::CampaignId id, domain::Position as_of) const = 0;
  // Of its devices those that were not granted before an event behind which nobody is granted any more: what they are told by
  // is the campaign. Reads what the campaign did.
  virtual std::uint32_t never_granted(domain::CampaignId id, domain::Position as_of) const = 0;
  // The update with its events up to and including `as_of`.
  virtual domain::DeviceUpdate update(const domain::UpdateId& id, domain::Position as_of) const = 0;
  // Who it is, "deleted user" if that was erased, "unknown user" if nothing explains it; empty for nobody.
  virtual std::optional<std::string> person(domain::Caller caller) const = 0;
};

// May an event of this type have something to say? Asked before it is decoded: most do not.
bool may_speak(std::uint16_t event_type);

// The message about an event, if there is one. `correlation`: the caller's, or the command id in
// hex; may be empty.
std::optional<Message> translate(const domain::Recorded& event, std::string_view correlation,
                                 const History& history);

}  // namespace ota::gateways::nats
