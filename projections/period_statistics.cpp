#include "projections/period_statistics.hpp"

#include <algorithm>

#include "projections/campaign_counts.hpp"
#include "projections/limits.hpp"
#include "projections/update_facts.hpp"
#include "projections/update_view.hpp"

namespace ota::projections {
namespace {

enum class Width : std::uint8_t { kMinute = 1, kDay = 2 };
enum class Name : std::uint8_t { kDeviceType = 1, kFirmwareVersion = 2 };
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

std::string bucket_prefix(Table table, Width width) {
  return key_in(table).u8(static_cast<std::uint8_t>(width)).take();
}
std::string time_bytes(domain::Time t) { return BytesOut().time(t).take(); }
std::string name_bytes(Name name) { return BytesOut().u8(static_cast<std::uint8_t>(name)).take(); }
std::string created_key(domain::Time at, char what, std::string_view id) {
  return key_in(Table::kCreatedAt).time(at).u8(static_cast<std::uint8_t>(what)).raw(id).take();
}

// ---- adding up ----------------------------------------------------------------------------------

// What a period comes to, while it is added up.
struct Sum {
  const Reader& reader;
  Totals totals = {};
  std::map<std::string, std::uint64_t> by_device_type = {};
  std::map<std::string, std::uint64_t> by_firmware_version = {};

  void add_names(std::string_view counter_and_name, std::uint64_t count) {
    auto& names = counter_and_name.front() == static_cast<char>(Name::kDeviceType) ? by_device_type : by_firmware_version;
    std::string name(counter_and_name.substr(1));
    if (names.size() < limits::kCounterNamesShown || names.contains(name)) names[std::move(name)] += count;
  }

  void add_campaign(domain::CampaignId id) {
    const auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
    if (!entry) return;
    const auto counts = campaign_counts(reader, id);
    projections::add_campaign(totals, entry->state.status, 1);
    totals.started_campaigns += entry->state.started_at ? 1 : 0;
    totals.updates += counts.total;
    totals.in_progress += counts.in_progress;
    totals.completed += counts.completed;
    totals.failed += counts.failed;
    totals.cancelled += counts.cancelled;
    totals.update_us += counts.update_us_total;
    totals.data_transferred += counts.completed * entry->state.facts.file_size;
    for (Range range(reader, id_key(Table::kCampaignNames, id.bytes)); range.valid(); range.next()) {
      add_names(range.rest(), Reader::decoded<std::uint64_t>(range.value()));
    }
  }

  void add_update(std::string_view binary_id, std::string_view granted_as) {
    const auto update = reader.row<domain::DeviceUpdate>(key_in(Table::kUpdate).raw(binary_id).take());
    if (!update) return;
    if (update->is_rollback()) {
      totals.rollbacks += update->attempt > 0 ? 1 : 0;
      return;
    }
    const auto facts = facts_of(*update);
    const auto standing = standing_of(facts.status, false);
    ++totals.updates;
    if (auto* count = counter(totals, standing)) ++*count;
    totals.update_us += facts.took_us;
    if (standing == Standing::kCompleted) totals.data_transferred += facts.download_size;
    if (granted_as.empty()) return;
    BytesIn in(granted_as);
    const std::string model(in.text());
    add_names(name_bytes(Name::kDeviceType) + model, 1);
    add_names(name_bytes(Name::kFirmwareVersion) + std::string(in.text()), 1);
  }

  // What was created in [from, until), one by one.
  void add_single(domain::Time from, domain::Time until) {
    const auto end = time_bytes(until);
    for (Range range(reader, key_in(Table::kCreatedAt).take(), time_bytes(from));
         range.valid() && range.rest() < end; range.next()) {
      const auto what = range.rest().substr(end.size());
      if (what.front() == kOfUpdate) {
        add_update(what.substr(1), range.value());
      } else if (domain::CampaignId id; what.size() == 1 + id.bytes.size()) {
        std::copy(what.begin() + 1, what.end(), id.bytes.begin());
        add_campaign(id);
      }
    }
  }

  // The buckets that begin in [from, until).
  void add_buckets(Width width, domain::Time from, domain::Time until) {
    if (from >= until) return;
    const auto end = time_bytes(until);
    for (Range range(reader, bucket_prefix(Table::kPeriod, width), time_bytes(from));
         range.valid() && range.rest() < end; range.next()) {
      add(totals, Reader::decoded<Totals>(range.value()));
    }
    for (Range range(reader, bucket_prefix(Table::kPeriodNames, width), time_bytes(from));
         range.valid() && range.rest() < end; range.next()) {
      add_names(range.rest().substr(end.size()), Reader::decoded<std::uint64_t>(range.value()));
    }
  }

  // Whole minutes: `from` and `until` begin one.
  void add_minutes(domain::Time from, domain::Time until) {
    const auto first_day = next_begin(Width::kDay, from);
    const auto last_day = begin_of(Width::kDay, until);
    if (first_day > last_day) return add_buckets(Width::kMinute, from, until);
    add_buckets(Width::kMinute, from, first_day);
    add_buckets(Width::kDay, first_day, last_day);
    add_buckets(Width::kMinute, last_day, until);
  }
};

// Nothing was created before 1970, and nothing that far ahead; in between nothing overflows.
domain::Time within_reason(domain::Time t) {
  return std::clamp(t, domain::Time{}, begin_of(Width::kDay, domain::Time::max() - domain::Duration(std::chrono::days(3))));
}

}  // namespace

Statistics statistics_between(const Reader& reader, domain::Time from, domain::Time until) {
  from = within_reason(from);
  until = within_reason(until);
  Sum sum{reader};
  const auto first_minute = next_begin(Width::kMinute, from);
  const auto last_minute = begin_of(Width::kMinute, until);
  if (first_minute > last_minute) {
    sum.add_single(from, until);
  } else {
    sum.add_single(from, first_minute);
    sum.add_minutes(first_minute, last_minute);
    sum.add_single(last_minute, until);
  }
  auto s = statistics_of(sum.totals);
  s.by_device_type = std::move(sum.by_device_type);
  s.by_firmware_version = std::move(sum.by_firmware_version);
  return s;
}

// ---- folding ------------------------------------------------------------------------------------

PeriodView::PeriodView(Rows& rows)
    : rows_(rows), buckets_(rows, limits::kCachedCounters), named_(rows, limits::kCachedCounters) {}

void PeriodView::apply(Change& change) {
  note_creation(change);
  each_count(change, [&](domain::Time created, const auto& count) {
    for (const Width width : {Width::kMinute, Width::kDay}) {
      count(buckets_.edit_or_make(bucket_prefix(Table::kPeriod, width) + time_bytes(begin_of(width, created))));
    }
  });
  if (const auto granted = first_grant_of(change)) count_grant(*granted);
}

void PeriodView::note_creation(const Change& change) {
  if (change.campaign && change.campaign->created) {
    const auto& state = change.campaign->campaign->state;
    rows_.put(created_key(state.created_at, kOfCampaign, domain::view_of(state.id.bytes)), {});
  }
  if (!change.update || change.update->before.exists) return;
  // Deployments of campaigns count with their campaign.
  const auto& u = *change.update->update;
  if (u.id.of_campaign && !u.is_rollback()) return;
  rows_.put(created_key(u.created_at, kOfUpdate, domain::to_binary(u.id)), {});
}

void PeriodView::count_grant(const FirstGrant& granted) {
  const std::string names[] = {name_bytes(Name::kDeviceType) + granted.model,
                               name_bytes(Name::kFirmwareVersion) + granted.version};
  for (const auto& name : names) {
    for (const Width width : {Width::kMinute, Width::kDay}) {
      ++named_.edit_or_make(bucket_prefix(Table::kPeriodNames, width) + time_bytes(begin_of(width, granted.created)) + name);
    }
    if (granted.campaign) {
      ++named_.edit_or_make(id_key(Table::kCampaignNames, granted.campaign->state.id.bytes) + name);
    }
  }
  if (granted.campaign) return;
  rows_.put(created_key(granted.created, kOfUpdate, domain::to_binary(granted.update)),
            BytesOut().text(granted.model).text(granted.version).take());
}

}  // namespace ota::projections
