#include "projections/statistics_view.hpp"

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

enum class Counter : std::uint8_t { kByDeviceType = 1, kByFirmwareVersion = 2, kModelVersion = 3 };

std::string totals_key() { return key_in(Table::kTotals).take(); }
std::string counter_prefix(Counter counter) {
  return key_in(Table::kNamedCount).u8(static_cast<std::uint8_t>(counter)).take();
}
std::string model_version_key(const DeviceListing& listing) {
  return counter_prefix(Counter::kModelVersion) +
         BytesOut().text(listing.model).raw(listing.version).take();
}

std::uint64_t* counter(Totals& totals, Standing standing) {
  switch (standing) {
    case Standing::kInProgress:
      return &totals.in_progress;
    case Standing::kCompleted:
      return &totals.completed;
    case Standing::kFailed:
      return &totals.failed;
    case Standing::kCancelled:
      return &totals.cancelled;
    default:
      return nullptr;  // pending is the rest
  }
}

bool knows_model_and_version(const DeviceListing& listing) {
  return listing.listed && !listing.model.empty() && !listing.version.empty();
}

}  // namespace

std::string RowCodec<Totals>::encode(const Totals& t) {
  BytesOut out;
  for (const auto n : t.campaigns) out.u64(n);
  out.u64(t.updates).u64(t.in_progress).u64(t.completed).u64(t.failed).u64(t.cancelled);
  out.u64(t.update_seconds).u64(t.data_transferred).u64(t.rollbacks);
  return out.u64(t.started_campaigns).u64(t.devices).take();
}
std::optional<Totals> RowCodec<Totals>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  Totals t;
  for (auto& n : t.campaigns) n = in.u64();
  for (auto* n :
       {&t.updates, &t.in_progress, &t.completed, &t.failed, &t.cancelled, &t.update_seconds,
        &t.data_transferred, &t.rollbacks, &t.started_campaigns, &t.devices}) {
    *n = in.u64();
  }
  return in.complete() ? std::optional(t) : std::nullopt;
}

StatisticsView::StatisticsView(Rows& rows)
    : totals_(rows, limits::kCachedCounters), named_(rows, limits::kCachedCounters) {}

void StatisticsView::commit() {
  totals_.commit();
  named_.commit();
}

// ---- folding ------------------------------------------------------------------------------------

void StatisticsView::apply(Change& change) {
  if (change.campaign) on_campaign(*change.campaign);
  if (!change.withdrawn_from.empty()) {
    totals_.edit_or_make(totals_key()).cancelled += change.withdrawn_from.size();
  }
  if (change.update) on_update(*change.update, change);
  if (change.device && change.device->relisted) on_device(*change.device);
}

void StatisticsView::on_campaign(const CampaignChange& campaign) {
  auto& totals = totals_.edit_or_make(totals_key());
  std::uint64_t of_a_newer_version = 0;
  const auto of = [&](domain::CampaignStatus status) -> std::uint64_t& {
    const auto i = static_cast<std::size_t>(status);
    return i < totals.campaigns.size() ? totals.campaigns[i] : of_a_newer_version;
  };
  if (!campaign.created) --of(campaign.status_before);
  ++of(campaign.campaign->state.status);
  if (campaign.created) {
    totals.updates += campaign.targets->cardinality();
    totals.cancelled += campaign.withdrawn.cardinality();
  }
  if (campaign.started) ++totals.started_campaigns;
  totals.cancelled += campaign.pending_cancelled;
}

void StatisticsView::on_update(const UpdateChange& u, const Change& change) {
  const bool first_grant = u.before.attempt == 0 && u.after.attempt > 0;
  if (u.stands == Standing::kNone) {
    if (first_grant && u.update->is_rollback()) {
      ++totals_.edit_or_make(totals_key()).rollbacks;
    }
    return;
  }
  if (first_grant) {
    const auto model = change.device ? change.device->device->attribute("device_model") : "";
    ++named_.edit_or_make(counter_prefix(Counter::kByDeviceType) +
                          (model.empty() ? "unknown" : model));
    ++named_.edit_or_make(counter_prefix(Counter::kByFirmwareVersion) + u.update->plan.to_version);
  }
  if (u.stood == u.stands) return;
  auto& totals = totals_.edit_or_make(totals_key());
  if (u.stood == Standing::kNone) ++totals.updates;
  if (auto* from = counter(totals, u.stood)) --*from;
  if (auto* to = counter(totals, u.stands)) ++*to;
  totals.update_seconds += u.after.seconds - u.before.seconds;
  if (u.stood == Standing::kCompleted) totals.data_transferred -= u.before.download_size;
  if (u.stands == Standing::kCompleted) totals.data_transferred += u.after.download_size;
}

void StatisticsView::on_device(const DeviceChange& device) {
  if (device.before.listed != device.after.listed) {
    auto& devices = totals_.edit_or_make(totals_key()).devices;
    devices += device.after.listed ? 1 : 0;
    devices -= device.before.listed ? 1 : 0;
  }
  if (device.before.listed == device.after.listed && device.before.model == device.after.model &&
      device.before.version == device.after.version) {
    return;
  }
  if (knows_model_and_version(device.before)) {
    const auto key = model_version_key(device.before);
    if (--named_.edit_or_make(key) == 0) named_.erase(key);
  }
  if (knows_model_and_version(device.after)) ++named_.edit_or_make(model_version_key(device.after));
}

// ---- queries ------------------------------------------------------------------------------------

namespace {

std::map<std::string, std::uint64_t> named(const Reader& reader, Counter counter) {
  std::map<std::string, std::uint64_t> counts;
  for (Range range(reader, counter_prefix(counter));
       range.valid() && counts.size() < limits::kCounterNamesShown; range.next()) {
    counts.emplace_hint(counts.end(), std::string(range.rest()),
                        Reader::decoded<std::uint64_t>(range.value()));
  }
  return counts;
}

}  // namespace

Statistics statistics(const Reader& reader) {
  const auto totals = reader.row<Totals>(totals_key()).value_or(Totals{});
  Statistics s;
  for (std::size_t status = 0; status < totals.campaigns.size(); ++status) {
    if (totals.campaigns[status] == 0) continue;
    s.campaigns[static_cast<domain::CampaignStatus>(status)] = totals.campaigns[status];
  }
  s.total_updates = totals.updates;
  s.in_progress_updates = totals.in_progress;
  s.completed_updates = totals.completed;
  s.failed_updates = totals.failed;
  s.cancelled_updates = totals.cancelled;
  s.update_seconds_total = totals.update_seconds;
  s.data_transferred = totals.data_transferred;
  s.by_device_type = named(reader, Counter::kByDeviceType);
  s.by_firmware_version = named(reader, Counter::kByFirmwareVersion);
  s.rollbacks = totals.rollbacks;
  s.started_campaigns = totals.started_campaigns;
  s.devices = totals.devices;
  std::size_t names = 0;
  for (Range range(reader, counter_prefix(Counter::kModelVersion));
       range.valid() && names < limits::kCounterNamesShown; range.next(), ++names) {
    BytesIn key(range.rest());
    const std::string model(key.text());
    s.devices_by_model_version[model][std::string(key.rest())] =
        Reader::decoded<std::uint64_t>(range.value());
  }
  return s;
}

}  // namespace ota::projections
