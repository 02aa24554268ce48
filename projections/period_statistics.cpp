#include "projections/period_statistics.hpp"

#include <algorithm>

#include "projections/campaign_counts.hpp"
#include "projections/limits.hpp"
#include "projections/update_view.hpp"

namespace ota::projections {
namespace {

enum class Width : std::uint8_t { kMinute = 1, kDay = 2 };
constexpr char kOfCampaign = 'c';
constexpr char kOfUpdate = 'u';

domain::Duration length_of(Width width) {
  return width == Width::kMinute ? domain::Duration(std::chrono::minutes(1))
                                 : domain::Duration(std::chrono::hours(24));
}

// The beginning of the bucket that `t` is in.
domain::Time begin_of(Width width, domain::Time t) {
  const auto length = length_of(width).count();
  const auto us = t.time_since_epoch().count();
  const auto into = us % length;
  return domain::Time(domain::Duration(us - (into < 0 ? into + length : into)));
}
// The first beginning of a bucket at or after `t`.
domain::Time next_begin(Width width, domain::Time t) {
  const auto begin = begin_of(width, t);
  return begin == t ? t : begin + length_of(width);
}

std::string bucket_prefix(Width width) {
  return key_in(Table::kPeriod).u8(static_cast<std::uint8_t>(width)).take();
}
std::string time_bytes(domain::Time t) { return BytesOut().time(t).take(); }

void add(PeriodStatistics& sum, const PeriodStatistics& part) {
  sum.updates += part.updates;
  sum.failures += part.failures;
  sum.data_transferred += part.data_transferred;
}

// The buckets that begin in [from, until).
void add_buckets(const Reader& reader, Width width, domain::Time from, domain::Time until,
                 PeriodStatistics& sum) {
  const auto end = time_bytes(until);
  for (Range range(reader, bucket_prefix(width), time_bytes(from));
       range.valid() && range.rest() < end; range.next()) {
    add(sum, Reader::decoded<PeriodStatistics>(range.value()));
  }
}

PeriodStatistics of_campaign(const Reader& reader, domain::CampaignId id) {
  const auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
  if (!entry) return {};
  const auto counts = campaign_counts(reader, id);
  return {counts.total, counts.failed, counts.completed * entry->state.facts.file_size};
}

PeriodStatistics of_update(const Reader& reader, std::string_view binary_id) {
  const auto update =
      reader.row<domain::DeviceUpdate>(key_in(Table::kUpdate).raw(binary_id).take());
  if (!update) return {};
  const bool failed = update->status == domain::UpdateStatus::kFailed;
  const bool completed = update->status == domain::UpdateStatus::kCompleted;
  return {1, failed ? 1U : 0U, completed ? update->plan.download_size : 0U};
}

// What was created in [from, until), one by one.
void add_single(const Reader& reader, domain::Time from, domain::Time until,
                PeriodStatistics& sum) {
  const auto end = time_bytes(until);
  for (Range range(reader, key_in(Table::kCreatedAt).take(), time_bytes(from));
       range.valid() && range.rest() < end; range.next()) {
    const auto what = range.rest().substr(end.size());
    if (what.front() == kOfUpdate) {
      add(sum, of_update(reader, what.substr(1)));
    } else if (domain::CampaignId id; what.size() == 1 + id.bytes.size()) {
      std::copy(what.begin() + 1, what.end(), id.bytes.begin());
      add(sum, of_campaign(reader, id));
    }
  }
}

}  // namespace

std::string RowCodec<PeriodStatistics>::encode(const PeriodStatistics& b) {
  return BytesOut().u64(b.updates).u64(b.failures).u64(b.data_transferred).take();
}
std::optional<PeriodStatistics> RowCodec<PeriodStatistics>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  const PeriodStatistics bucket{in.u64(), in.u64(), in.u64()};
  return in.complete() ? std::optional(bucket) : std::nullopt;
}

PeriodView::PeriodView(Rows& rows) : rows_(rows), buckets_(rows, limits::kCachedCounters) {}

template <class Edit>
void PeriodView::at(domain::Time created, const Edit& edit) {
  for (const Width width : {Width::kMinute, Width::kDay}) {
    edit(buckets_.edit_or_make(bucket_prefix(width) + time_bytes(begin_of(width, created))));
  }
}

void PeriodView::apply(Change& change) {
  if (change.campaign && change.campaign->created) {
    const auto& state = change.campaign->campaign->state;
    const std::uint64_t targets = change.campaign->targets->cardinality();
    at(state.created_at, [&](PeriodStatistics& bucket) { bucket.updates += targets; });
    rows_.put(key_in(Table::kCreatedAt)
                  .time(state.created_at)
                  .u8(kOfCampaign)
                  .raw(domain::view_of(state.id.bytes))
                  .take(),
              {});
  }
  if (!change.update || change.update->stood == change.update->stands) return;
  const auto& u = *change.update;
  if (u.stood == Standing::kNone) {  // a direct one: those of campaigns count since their creation
    rows_.put(key_in(Table::kCreatedAt)
                  .time(u.after.created_at)
                  .u8(kOfUpdate)
                  .raw(domain::to_binary(u.update->id))
                  .take(),
              {});
  }
  at(u.after.created_at, [&](PeriodStatistics& bucket) {
    if (u.stood == Standing::kNone) ++bucket.updates;
    if (u.stood == Standing::kFailed) --bucket.failures;
    if (u.stands == Standing::kFailed) ++bucket.failures;
    if (u.stood == Standing::kCompleted) bucket.data_transferred -= u.before.download_size;
    if (u.stands == Standing::kCompleted) bucket.data_transferred += u.after.download_size;
  });
}

PeriodStatistics statistics_since(const Reader& reader, domain::Time from) {
  // Nothing was created before 1970, and nothing that far ahead; in between nothing overflows.
  from = std::clamp(from, domain::Time{},
                    domain::Time::max() - domain::Duration(std::chrono::days(2)));
  const auto minute = next_begin(Width::kMinute, from);
  const auto day = next_begin(Width::kDay, minute);
  PeriodStatistics sum;
  add_single(reader, from, minute, sum);
  add_buckets(reader, Width::kMinute, minute, day, sum);
  add_buckets(reader, Width::kDay, day, domain::Time::max(), sum);
  return sum;
}

}  // namespace ota::projections
