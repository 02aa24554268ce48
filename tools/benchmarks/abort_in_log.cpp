#include "tools/benchmarks/abort_in_log.hpp"

#include <optional>
#include <stdexcept>

#include "domain/campaign/campaign.hpp"
#include "domain/streams.hpp"
#include "projections/decoded.hpp"

namespace ota::bench {
namespace {

bool begins_rollback(const domain::Event& event) {
  return std::holds_alternative<domain::CampaignRollbackBegun>(event);
}

bool grants_deployment(const domain::Recorded& event) {
  const auto* update = std::get_if<domain::UpdateId>(&event.stream);
  return update && update->kind == domain::UpdateId::kDeployment &&
         std::holds_alternative<domain::AttemptGranted>(event.event);
}

bool asks_for_rollback(const domain::Campaign& state, domain::Time now) {
  const auto due = domain::next(state, {}, /*tells_max=*/0, now);
  return !due.own.empty() && begins_rollback(due.own.front().event);
}

}  // namespace

AbortInLog find_abort(const eventstore::Log& log, domain::CampaignId campaign) {
  domain::Campaign state;
  state.id = campaign;
  AbortInLog found;
  std::optional<domain::Time> decided_at;
  std::optional<domain::Time> begun_at;
  log.read_tag(domain::stream_name(campaign), {}, [&](const eventstore::RecordedEvent& recorded) {
    const auto event = projections::decode(recorded);
    if (grants_deployment(event)) ++(begun_at ? found.grants_behind : found.grants_before);
    if (begun_at) return true;
    if (begins_rollback(event.event)) {
      begun_at = event.time;
      return true;
    }
    domain::evolve(state, event);
    if (decided_at) {
      ++found.events_between;
    } else if (asks_for_rollback(state, event.time)) {
      decided_at = event.time;
    }
    return true;
  });
  if (!decided_at || !begun_at) throw std::runtime_error("the campaign has not rolled itself back");
  found.took = std::chrono::duration_cast<std::chrono::microseconds>(*begun_at - *decided_at);
  return found;
}

}  // namespace ota::bench
