#include "projections/decoded.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "domain/codec/codec.hpp"

namespace ota::projections {
namespace {

constexpr char kDeviceLetter = 'd';  // of device:<id>, domain/streams.hpp

std::optional<domain::DeviceId> device_of(const domain::Stream& stream,
                                          const eventstore::RecordedEvent& event) {
  if (const auto* device = std::get_if<domain::DeviceId>(&stream)) return *device;
  if (!std::holds_alternative<domain::UpdateId>(stream)) return std::nullopt;
  for (const auto tag : event.tags) {
    if (tag.size() > 1 && tag.front() == kDeviceLetter) {
      return domain::DeviceId{std::string(tag.substr(1))};
    }
  }
  return std::nullopt;
}

}  // namespace

domain::Recorded decode(const eventstore::RecordedEvent& event) {
  domain::Recorded recorded{{event.position.value},
                            domain::Time(event.time.time_since_epoch()),
                            domain::DirectoryStream{},
                            domain::UnknownEvent{event.type},
                            std::nullopt,
                            to_domain(event.caller)};
  auto stream = domain::parse_stream(event.stream);
  if (!stream) return recorded;
  auto decoded = domain::decode(event.type, event.payload);
  recorded.damaged = !decoded;
  if (!decoded || std::holds_alternative<domain::UnknownEvent>(*decoded)) return recorded;
  recorded.device = device_of(*stream, event);
  recorded.stream = std::move(*stream);
  recorded.event = std::move(*decoded);
  return recorded;
}

domain::Recorded decode_sound(const eventstore::RecordedEvent& event) {
  auto recorded = decode(event);
  if (recorded.damaged) throw std::runtime_error(fmt::format("the event at {} cannot be read", event.position.value));
  return recorded;
}

DecodedPtr decode(const eventstore::GroupPtr& group) {
  auto decoded = std::make_shared<DecodedGroup>();
  decoded->raw = group;
  decoded->events.reserve(group->events().size());
  for (const auto& event : group->events()) decoded->events.push_back(decode(event));
  return decoded;
}

domain::Caller to_domain(eventstore::SubjectToken token) {
  domain::Caller caller;
  for (const auto byte : token.bytes) caller.token = caller.token << 8 | byte;
  return caller;
}

eventstore::SubjectToken to_store(domain::Caller caller) {
  eventstore::SubjectToken token;
  for (auto byte = token.bytes.rbegin(); byte != token.bytes.rend(); ++byte) {
    *byte = static_cast<std::uint8_t>(caller.token);
    caller.token >>= 8;
  }
  return token;
}

}  // namespace ota::projections
