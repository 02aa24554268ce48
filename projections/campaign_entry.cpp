#include "projections/campaign_entry.hpp"

#include "domain/codec/codec.hpp"
#include "domain/codec/state_codec.hpp"
#include "projections/bytes.hpp"

namespace ota::projections {

bool fold(CampaignEntry& entry, const domain::Recorded& event) {
  const auto* created = std::get_if<domain::CampaignCreated>(&event.event);
  const bool brings_targets = created || std::holds_alternative<domain::CampaignTargetPart>(event.event);
  if (entry.state.exists && brings_targets) return false;  // decided once, and then for ever
  domain::evolve(entry.state, event);
  if (created) {
    entry.record = *created;
    entry.record.targets.clear();
    entry.created = event.position;
  }
  if (entry.state.exists && entry.ended() && !entry.ended_at) entry.ended_at = event.time;
  return true;
}

std::string RowCodec<CampaignEntry>::encode(const CampaignEntry& entry) {
  BytesOut out;
  out.u64(entry.created.value).u8(entry.ended_at ? 1 : 0);
  out.time(entry.ended_at.value_or(domain::Time{}));
  out.text(domain::encode(domain::Event(entry.record)).payload);
  return out.raw(domain::encode_state(entry.state)).take();
}

std::optional<CampaignEntry> RowCodec<CampaignEntry>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  CampaignEntry entry;
  entry.created = {in.u64()};
  const bool has_ended = in.u8() != 0;
  const domain::Time ended_at = in.time();
  if (has_ended) entry.ended_at = ended_at;
  const auto record =
      domain::decode(domain::event_type(domain::Event(domain::CampaignCreated{})), in.text());
  auto state = domain::decode_campaign_state(in.rest());
  if (!record || !state) return std::nullopt;
  entry.record = std::get<domain::CampaignCreated>(*record);
  entry.state = std::move(*state);
  return entry;
}

}  // namespace ota::projections
