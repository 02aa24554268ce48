#include "gateways/nats/outbox.hpp"

#include <nlohmann/json.hpp>

#include "gateways/nats/limits.hpp"
#include "projections/decoded.hpp"

namespace ota::gateways::nats {
namespace {

std::string correlation_of(const eventstore::RecordedEvent& event) {
  if (!event.correlation.empty()) return std::string(event.correlation);
  return event.command ? domain::to_hex(domain::view_of(event.command->bytes)) : std::string();
}

}  // namespace

Outbox::Outbox(const eventstore::Log& log, const eventstore::Subjects& subjects)
    : log_(log), history_(log, subjects) {}

Outbox::Round Outbox::after(domain::Position after) const {
  Round round;
  round.upto = after;
  log_.scan(projections::to_store(after), [&](const eventstore::RecordedEvent& event) {
    if (may_speak(event.type)) {
      auto message = translate(projections::decode(event), correlation_of(event), history_);
      if (message) round.messages.push_back(std::move(*message));
    }
    round.upto = projections::to_domain(event.position);
    return round.messages.size() < limits::kMessagesPerRound &&
           round.upto.value - after.value < limits::kEventsPerRound;
  });
  return round;
}

std::optional<domain::Position> Outbox::position_of(std::string_view body) const {
  using nlohmann::json;
  const auto envelope = json::parse(body, nullptr, false);
  const auto id = json::json_pointer("/id");
  const auto position = json::json_pointer("/metadata/position");
  if (!envelope.is_object() || !envelope.contains(id) || !envelope.contains(position))
    return std::nullopt;
  if (!envelope[id].is_string() || !envelope[position].is_number_unsigned()) return std::nullopt;
  const domain::Position told{envelope[position].get<std::uint64_t>()};
  bool ours = false;
  log_.read_one(projections::to_store(told), [&](const eventstore::RecordedEvent& event) {
    ours = message_id(told, domain::Time(event.time.time_since_epoch())) ==
           envelope[id].get<std::string>();
    return false;
  });
  return ours ? std::optional(told) : std::nullopt;
}

}  // namespace ota::gateways::nats
