// The topics of devices over MQTT, and the subjects that the same messages have on NATS. For ever.
//
//   ota/T/ID/up      what a device says        ota.T.ID.up
//   ota/T/ID/down    what it is to do now, retained; empty: nothing
//   ota/T/ID/reply   answers to what it said
//
// T is the tenant, ID the device's id; in both every byte but A-Z a-z 0-9 _ - is written %XX in upper case, since the
// broker takes neither '.' nor ' ' in a topic, and '/', '+' and '#' mean something else. An id has this one spelling: any
// other is nobody's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.hpp"

namespace ota::gateways::mqtt {

std::string encode_level(std::string_view text);
// Empty: not the spelling that encode_level() gives to any text.
std::optional<std::string> decode_level(std::string_view level);

class Topics {
 public:
  explicit Topics(std::string_view tenant) : tenant_(encode_level(tenant)) {}

  std::string up(const domain::DeviceId& device) const { return topic(device, "up"); }
  std::string down(const domain::DeviceId& device) const { return topic(device, "down"); }
  std::string reply(const domain::DeviceId& device) const { return topic(device, "reply"); }

  // All that devices say, as a pattern of NATS.
  std::string up_subjects() const { return "ota." + tenant_ + ".*.up"; }
  // Who says something on this subject; empty: nobody who could have an id.
  std::optional<domain::DeviceId> speaker(std::string_view subject) const;

 private:
  std::string topic(const domain::DeviceId& device, std::string_view last) const;
  std::string tenant_;
};

}  // namespace ota::gateways::mqtt
