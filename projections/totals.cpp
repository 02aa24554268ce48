#include "projections/totals.hpp"

#include "projections/bytes.hpp"

namespace ota::projections {
namespace {

// Every number, for whoever goes through all of them.
template <class T, class F>
void each_number(T& totals, const F& f) {
  for (auto& n : totals.campaigns) f(n);
  for (auto* n : {&totals.updates, &totals.in_progress, &totals.completed, &totals.failed, &totals.cancelled,
                  &totals.update_us, &totals.data_transferred, &totals.rollbacks, &totals.started_campaigns,
                  &totals.devices}) {
    f(*n);
  }
}

}  // namespace

std::string RowCodec<Totals>::encode(const Totals& t) {
  BytesOut out;
  each_number(t, [&](const std::uint64_t n) { out.u64(n); });
  return out.take();
}
std::optional<Totals> RowCodec<Totals>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  Totals t;
  each_number(t, [&](std::uint64_t& n) { n = in.u64(); });
  return in.complete() ? std::optional(t) : std::nullopt;
}

namespace {

template <class F>
void each_pair(Totals& sum, const Totals& part, const F& f) {
  std::vector<std::uint64_t> parts;
  each_number(part, [&](const std::uint64_t n) { parts.push_back(n); });
  auto next = parts.begin();
  each_number(sum, [&](std::uint64_t& n) { f(n, *next++); });
}

}  // namespace

void add(Totals& sum, const Totals& part) {
  each_pair(sum, part, [](std::uint64_t& n, std::uint64_t other) { n += other; });
}
void subtract(Totals& sum, const Totals& part) {
  each_pair(sum, part, [](std::uint64_t& n, std::uint64_t other) { n -= other; });
}

void add_campaign(Totals& totals, domain::CampaignStatus status, std::uint64_t count) {
  const auto i = static_cast<std::size_t>(status);
  if (i < totals.campaigns.size()) totals.campaigns[i] += count;  // else: of a newer version
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
      return nullptr;
  }
}

Statistics statistics_of(const Totals& totals) {
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
  s.update_us_total = totals.update_us;
  s.data_transferred = totals.data_transferred;
  s.rollbacks = totals.rollbacks;
  s.started_campaigns = totals.started_campaigns;
  s.devices = totals.devices;
  return s;
}

std::optional<FirstGrant> first_grant_of(const Change& change) {
  if (!change.update) return std::nullopt;
  const auto& u = *change.update;
  if (u.stands == Standing::kNone || u.before.attempt > 0 || u.after.attempt == 0) return std::nullopt;
  const auto model = change.device ? change.device->device->attribute("device_model") : "";
  return FirstGrant{u.after.created_at, u.update->id.of_campaign ? u.campaign : nullptr, u.update->id,
                    model.empty() ? kUnknownModel : model, u.update->plan.to_version};
}

}  // namespace ota::projections
