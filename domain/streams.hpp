// Streams and tags: which entity an event belongs to, and under which further names it is found.
//
// In the log a name is one letter and the binary id, since ids make up most of a record:
//   f + 16 bytes            firmware:<id>            c + 16 bytes   campaign:<id>
//   d + UTF-8               device:<id>              g + 16 bytes   gate:<campaign id>
//   u + 16 or 21 bytes      update:<id>              D              directory
//   m + model \n version    model-version:<...>      F              firmwares
//   x + 16 bytes            downloads:<firmware id>  L              fleet
//   p + 8 bytes             user:<token>             S              service
//   A                       audit
// The table of tags in docs/log-format.md is for ever; tags_of() is the only code that knows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/events.hpp"
#include "domain/ids.hpp"

namespace ota::domain {

struct DirectoryStream {
  bool operator==(const DirectoryStream&) const = default;
};
struct ServiceStream {
  bool operator==(const ServiceStream&) const = default;
};
// Who has read the audit. Not in `service`, which is read whole for the keys that are in it.
struct AuditStream {
  bool operator==(const AuditStream&) const = default;
};
struct DownloadsStream {
  FirmwareId firmware;
  bool operator==(const DownloadsStream&) const = default;
};
struct UserStream {
  Caller token;
  bool operator==(const UserStream&) const = default;
};
using Stream = std::variant<DirectoryStream, FirmwareId, CampaignId, DeviceId, UpdateId, DownloadsStream, UserStream, ServiceStream,
                            AuditStream>;

std::string stream_name(const Stream&);
// Empty for a stream that this version does not know.
std::optional<Stream> parse_stream(std::string_view name);
// "campaign:camp_...", for people.
std::string readable_name(std::string_view stream_or_tag);

std::string gate_tag(CampaignId);
std::string model_version_tag(std::string_view model, std::string_view version);
std::string firmwares_tag();
std::string fleet_tag();

// An event that a decision asks to be written. `device` names the device that an update's event is about.
struct Emitted {
  Stream stream;
  Event event;
  std::optional<DeviceId> device;
};
// The tags of an event beyond its stream.
std::vector<std::string> tags_of(const Emitted&);

// Does a campaign follow this event of one of its updates (does it carry its tag)? Progress and late reports change no campaign.
bool moves_a_campaign(const Event& event);

// An event as it was recorded, decoded: what every fold takes.
struct Recorded {
  Position position;
  Time time;
  Stream stream;
  Event event;
  std::optional<DeviceId> device;         // from the stream or the tag
  Caller caller;
  bool damaged = false;                   // its bytes cannot be read: whoever folds it must not go on as if it were none
};

}  // namespace ota::domain
