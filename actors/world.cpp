#include "actors/world.hpp"

#include "actors/messages.hpp"
#include "actors/directory.hpp"
#include "domain/codec/codec.hpp"

namespace ota::actors {

std::string key_of(const EntityId& id) {
  return std::visit([](const auto& value) { return domain::stream_name(value); }, id);
}

void World::send(RequestPtr request) {
  if (views->is_unfit() && !std::holds_alternative<Wake>(request->command)) {
    request->reply(domain::DomainError{domain::ErrorCode::kUnavailable,
                                       "read-only since the views are broken: " + views->broken(), {}, {}, {}, {}});
    return;
  }
  auto key = key_of(request->to);
  auto& shard = shard_of(key);
  shard.send(std::move(key), std::move(request));
}

void World::ask_ordinal(const domain::DeviceId& device, std::function<void(std::optional<domain::Ordinal>)> answer) {
  auto ask = std::make_shared<OrdinalAsk>();
  ask->device = device;
  ask->reply = Reply<domain::Result<domain::Ordinal>>([answer = std::move(answer)](domain::Result<domain::Ordinal> found) {
    answer(found ? std::optional(found.value()) : std::nullopt);
  });
  caf::anon_send(directory, OrdinalAskPtr(std::move(ask)));
}

void World::ask_ordinals(std::vector<std::string> devices,
                         std::function<void(domain::Result<std::vector<domain::Ordinal>>)> answer) {
  auto ask = std::make_shared<NumbersAsk>();
  ask->devices = std::move(devices);
  ask->reply = Reply<domain::Result<std::vector<domain::Ordinal>>>(std::move(answer));
  caf::anon_send(directory, NumbersAskPtr(std::move(ask)));
}

void World::ordinals_settled(std::vector<std::pair<std::string, domain::Ordinal>> devices) {
  caf::anon_send(directory, NumbersSettled{std::move(devices)});
}

std::vector<eventstore::NewEvent> to_append(const domain::Events& events, const Meta& meta) {
  std::vector<eventstore::NewEvent> out;
  out.reserve(events.size());
  for (const auto& emitted : events) {
    auto encoded = domain::encode(emitted.event);
    eventstore::NewEvent event;
    event.stream = domain::stream_name(emitted.stream);
    event.type = encoded.type;
    event.tags = domain::tags_of(emitted);
    event.payload = std::move(encoded.payload);
    event.origin.caller = projections::to_store(meta.caller);
    event.origin.command = meta.command;
    event.origin.correlation = meta.correlation;
    event.origin.causation = meta.causation;
    out.push_back(std::move(event));
  }
  return out;
}

}  // namespace ota::actors
