// What a device still knows after its power was cut. Everything else it knows is in objects that a
// power cut destroys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tools/otasim/digest.hpp"
#include "tools/otasim/mqtt/attempt_name.hpp"

namespace ota::sim {

struct Installed {
  std::string action;
  std::string version;
};

struct Flash {
  std::string image;  // the version that it boots next
  // Written together with the new image, cleared when its success was acknowledged: after a reboot
  // the device reports this instead of installing again.
  std::optional<Installed> unreported;
  // What was stored of each artifact, by its SHA-256, whole or in part.
  std::map<std::string, StreamingDigest> parts;
  // Over MQTT: what the action that it works on, or has to report, is called there; and how often it
  // was started.
  AttemptName working_on;
  std::uint64_t starts = 0;
};

}  // namespace ota::sim
