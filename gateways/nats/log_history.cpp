#include "gateways/nats/log_history.hpp"

#include <algorithm>

#include "domain/campaign/campaign.hpp"
#include "domain/codec/codec.hpp"
#include "projections/decoded.hpp"

namespace ota::gateways::nats {
namespace {

// The first event of a kind in a stream, with what is around it.
template <class E>
std::optional<domain::Recorded> first_of(const eventstore::Log& log, const domain::Stream& stream) {
  std::optional<domain::Recorded> found;
  log.read_stream(domain::stream_name(stream), {}, [&](const eventstore::RecordedEvent& raw) {
    auto event = projections::decode(raw);
    if (!std::holds_alternative<E>(event.event)) return true;
    found = std::move(event);
    return false;
  });
  return found;
}

}  // namespace

std::optional<History::RegisteredFirmware> LogHistory::firmware(domain::FirmwareId id) const {
  auto found = first_of<domain::FirmwareRegistered>(log_, id);
  if (!found) return std::nullopt;
  return RegisteredFirmware{std::get<domain::FirmwareRegistered>(std::move(found->event)),
                            found->caller};
}

std::optional<domain::CampaignCreated> LogHistory::campaign(domain::CampaignId id) const {
  auto found = first_of<domain::CampaignCreated>(log_, id);
  if (!found) return std::nullopt;
  return std::get<domain::CampaignCreated>(std::move(found->event));
}

bool LogHistory::was_cancelled(domain::CampaignId id, domain::Position as_of) const {
  bool cancelled = false;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& raw) {
    if (raw.position.value > as_of.value) return false;
    const auto event = projections::decode(raw).event;
    if (std::holds_alternative<domain::CampaignCancelled>(event)) cancelled = true;
    if (std::holds_alternative<domain::CampaignRollbackBegun>(event)) cancelled = false;
    return true;
  });
  return cancelled;
}

std::uint32_t LogHistory::never_granted(domain::CampaignId id, domain::Position as_of) const {
  domain::Campaign campaign;
  std::uint32_t granted = 0;
  log_.read_tag(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& raw) {
    if (raw.position.value > as_of.value) return false;
    if (raw.type == domain::event_type(domain::AttemptGranted{})) {
      const auto event = projections::decode(raw);
      const auto* update = std::get_if<domain::UpdateId>(&event.stream);
      const bool deployed = update && update->kind == domain::UpdateId::kDeployment;
      if (deployed && std::get<domain::AttemptGranted>(event.event).attempt == 1) ++granted;
    } else if (raw.type == domain::event_type(domain::CampaignCreated{}) ||
               raw.type == domain::event_type(domain::CampaignTargetPart{})) {
      domain::evolve(campaign, projections::decode(raw));
    }
    return true;
  });
  return campaign.total() - std::min(granted, campaign.total());
}

domain::DeviceUpdate LogHistory::update(const domain::UpdateId& id, domain::Position as_of) const {
  domain::DeviceUpdate update;
  update.id = id;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& raw) {
    if (raw.position.value > as_of.value) return false;
    domain::evolve(update, projections::decode(raw));
    return true;
  });
  return update;
}

std::optional<std::string> LogHistory::person(domain::Caller caller) const {
  if (caller.token == 0) return std::nullopt;
  if (auto person = subjects_.person(projections::to_store(caller))) return person;
  const bool erased = first_of<domain::SubjectErased>(log_, domain::UserStream{caller}).has_value();
  return erased ? "deleted user" : "unknown user";
}

std::optional<domain::Time> known_since(const eventstore::Log& log,
                                        const domain::DeviceId& device) {
  std::optional<domain::Time> since;
  log.read_stream(domain::stream_name(device), {}, [&](const eventstore::RecordedEvent& raw) {
    const auto event = projections::decode(raw);
    if (std::holds_alternative<domain::DeviceRegistered>(event.event) ||
        std::holds_alternative<domain::DeviceReturned>(event.event)) {
      since = event.time;
    }
    return true;
  });
  return since;
}

}  // namespace ota::gateways::nats
