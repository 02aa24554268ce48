// The statistics of an earlier moment: the counters that were kept shortly before it, and of everything that had an event in
// between how it counted then and there.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "projections/count_history.hpp"
#include "projections/decoded.hpp"
#include "projections/device_view.hpp"
#include "projections/past.hpp"
#include "projections/statistics_view.hpp"
#include "projections/update_facts.hpp"

namespace ota::projections {
namespace {

constexpr std::size_t kPage = 200;

// What had an event behind one moment and up to another.
struct Touched {
  std::set<domain::CampaignId> campaigns;
  std::map<domain::UpdateId, std::optional<domain::Recorded>> updates;  // with the first grant of an attempt among them
  std::set<domain::DeviceId> devices;
  bool any_campaign = false;  // something that a campaign follows
};

Touched touched_between(const eventstore::Log& log, domain::Position after, domain::Position until) {
  Touched touched;
  if (after == until) return touched;
  log.scan(to_store(after), [&](const eventstore::RecordedEvent& kept) {
    auto event = decode_sound(kept);
    if (const auto* campaign = std::get_if<domain::CampaignId>(&event.stream)) touched.campaigns.insert(*campaign);
    if (std::holds_alternative<domain::FirmwareId>(event.stream)) touched.any_campaign = true;
    if (std::holds_alternative<domain::DeviceDeleted>(event.event)) touched.any_campaign = true;
    if (event.device && moves_listing(event.event)) touched.devices.insert(*event.device);
    if (const auto* update = std::get_if<domain::UpdateId>(&event.stream)) {
      if (const auto campaign = update->campaign()) touched.campaigns.insert(*campaign);
      auto& granted = touched.updates[*update];
      if (!granted && std::holds_alternative<domain::AttemptGranted>(event.event)) granted = std::move(event);
    }
    return kept.position.value < until.value;
  });
  return touched;
}

// ---- how one of them counts ---------------------------------------------------------------------------------------

void count(Totals& totals, const CampaignRow& campaign) {
  add_campaign(totals, campaign.status, 1);
  totals.started_campaigns += campaign.started_at ? 1 : 0;
  totals.updates += campaign.total;
  totals.in_progress += campaign.in_progress;
  totals.completed += campaign.completed;
  totals.failed += campaign.failed;
  totals.cancelled += campaign.cancelled;
}

// A deployment's standing counts with its campaign.
void count(Totals& totals, const domain::DeviceUpdate& update) {
  if (!update.exists) return;
  if (update.is_rollback()) {
    totals.rollbacks += update.attempt > 0 ? 1 : 0;
    return;
  }
  const auto facts = facts_of(update);
  const auto standing = standing_of(facts.status, false);
  totals.update_us += facts.took_us;
  if (standing == Standing::kCompleted) totals.data_transferred += facts.download_size;
  if (update.id.of_campaign) return;
  ++totals.updates;
  if (auto* number = counter(totals, standing)) ++*number;
}

}  // namespace

// ---- both moments ---------------------------------------------------------------------------------------------------

// What changed between the moment that counters were kept at and the one that is asked for.
class Past::Difference {
 public:
  Difference(const Past& past, PastCounts counts)
      : past_(past), base_(past.log_, past.views_, past.settings_, counts.at), counts_(std::move(counts)) {}

  PastCounts take() {
    auto touched = touched_between(past_.log_, base_.at_, past_.at_);
    if (touched.any_campaign) add_open_campaigns(touched.campaigns);
    for (const auto& id : touched.campaigns) {
      if (const auto before = base_.campaign(id)) count(before_, *before);
      if (const auto after = past_.campaign(id)) count(after_, *after);
    }
    for (const auto& [id, granted] : touched.updates) add_update(id, granted);
    for (const auto& id : touched.devices) add_device(id);
    subtract(counts_.totals, before_);
    add(counts_.totals, after_);
    return std::move(counts_);
  }

 private:
  // Those that took devices then: what they follow may have changed their numbers.
  void add_open_campaigns(std::set<domain::CampaignId>& campaigns) const {
    for (PageRequest page{kPage, 0, ""};;) {
      const auto rows = past_.views_.campaign_list({}, page);
      for (const auto& row : rows.rows) {
        if (row.created_at <= past_.time() && (!row.ended_at || *row.ended_at >= base_.time())) campaigns.insert(row.id);
      }
      page.cursor = rows.next_cursor;
      if (page.cursor.empty()) return;
    }
  }

  void add_update(const domain::UpdateId& id, const std::optional<domain::Recorded>& granted) {
    domain::DeviceUpdate update;
    if (id.of_campaign && id.kind == domain::UpdateId::kDeployment) {
      const auto owner = past_.own(*id.campaign());
      if (!owner || !owner->targets.contains(id.ordinal.value)) return;  // it counts nowhere
      // What it is told by its campaign beforehand; its status follows from its own events.
      update = pending_update(owner->entry, id.ordinal, past_.device_of(id.ordinal));
    }
    std::uint32_t attempt_before = 0;
    bool had_events = false;
    bool is_base = true;
    const auto end_base = [&] {
      if (!std::exchange(is_base, false) || !had_events) return;
      count(before_, update);
      attempt_before = update.attempt;
    };
    past_.log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
      if (event.position.value > past_.at_.value) return false;
      if (event.position.value > base_.at_.value) end_base();
      domain::evolve(update, decode_sound(event));
      had_events = true;
      return true;
    });
    count(after_, update);
    if (granted && attempt_before == 0 && update.attempt > 0 && !update.is_rollback()) add_first_grant(update, *granted);
  }

  void add_first_grant(const domain::DeviceUpdate& update, const domain::Recorded& granted) {
    std::string model;
    if (granted.device) {
      const Past then(past_.log_, past_.views_, past_.settings_, granted.position);
      if (const auto device = then.device(*granted.device)) model = device->attribute("device_model");
    }
    for (const auto& counter : counters_of_grant(model.empty() ? kUnknownModel : model, update.plan.to_version)) {
      ++counts_.named[counter];
    }
  }

  void add_device(const domain::DeviceId& id) {
    const auto count_in = [&](Totals& totals, const Past& moment, std::uint64_t sign) {
      const auto device = moment.device(id);
      if (!device || device->deleted) return;
      ++totals.devices;
      const auto facts = domain::facts_of(*device);
      const auto name = counter_of_device(facts.model, facts.firmware_version);
      if (!name.empty()) counts_.named[name] += sign;
    };
    count_in(before_, base_, std::uint64_t(-1));
    count_in(after_, past_, 1);
  }

  const Past& past_;
  const Past base_;
  PastCounts counts_;
  Totals before_;
  Totals after_;
};

Statistics Past::statistics() const {
  auto counts = Difference(*this, views_.counts_before(at_)).take();
  return statistics_of(counts.totals, counts.named);
}

}  // namespace ota::projections
