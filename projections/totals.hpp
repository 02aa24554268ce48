// The counters of the statistics, and what an event changes in them: over everything, and over what was created at a time.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "projections/answers.hpp"
#include "projections/change.hpp"
#include "projections/row_cache.hpp"

namespace ota::projections {

// What every report may change, in one small row.
struct Totals {
  std::array<std::uint64_t, 9> campaigns{};  // by status
  std::uint64_t updates = 0;
  std::uint64_t in_progress = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t update_us = 0;
  std::uint64_t data_transferred = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t started_campaigns = 0;
  std::uint64_t devices = 0;
};
template <>
struct RowCodec<Totals> {
  static std::string encode(const Totals& totals);
  static std::optional<Totals> decode(std::string_view bytes);
};

void add(Totals& sum, const Totals& part);
void subtract(Totals& sum, const Totals& part);
void add_campaign(Totals& totals, domain::CampaignStatus status, std::uint64_t count);
// Where an update of this standing counts; null: pending, which is the rest, or nowhere.
std::uint64_t* counter(Totals& totals, Standing standing);
Statistics statistics_of(const Totals& totals);

// The model of a device that has not said what it is.
inline constexpr const char* kUnknownModel = "unknown";

// The first grant of an update that counts: what by_device_type and by_firmware_version count.
struct FirstGrant {
  domain::Time created{};                      // of the update
  const CampaignEntry* campaign = nullptr;     // null: a direct one
  domain::UpdateId update;
  std::string model;                           // "unknown" if the device has not said
  std::string version;
};
std::optional<FirstGrant> first_grant_of(const Change& change);

// Calls edit(created, change), where `change` is a function of Totals, for each thing that the event changes the counts
// of: campaigns and updates by the time of their creation. A campaign's updates were created with it (decision 25).
template <class Edit>
void each_count(const Change& change, const Edit& edit) {
  if (change.campaign) {
    const auto& c = *change.campaign;
    edit(c.campaign->state.created_at, [&c](Totals& t) {
      if (!c.created) add_campaign(t, c.status_before, std::uint64_t(-1));
      add_campaign(t, c.campaign->state.status, 1);
      if (c.created) {
        t.updates += c.targets->cardinality();
        t.cancelled += c.withdrawn.cardinality();
      }
      if (c.started) ++t.started_campaigns;
      t.cancelled += c.pending_cancelled;
    });
  }
  for (const auto& withdrawn : change.withdrawn_from) {
    edit(withdrawn.created_at, [](Totals& t) { ++t.cancelled; });
  }
  if (!change.update) return;
  const auto& u = *change.update;
  if (u.update->is_rollback()) {
    if (u.before.attempt == 0 && u.after.attempt > 0) {
      edit(u.after.created_at, [](Totals& t) { ++t.rollbacks; });
    }
    return;
  }
  if (u.stands == Standing::kNone || u.stood == u.stands) return;
  edit(u.after.created_at, [&u](Totals& t) {
    if (u.stood == Standing::kNone) ++t.updates;
    if (auto* from = counter(t, u.stood)) --*from;
    if (auto* to = counter(t, u.stands)) ++*to;
    t.update_us += u.after.took_us - u.before.took_us;
    if (u.stood == Standing::kCompleted) t.data_transferred -= u.before.download_size;
    if (u.stands == Standing::kCompleted) t.data_transferred += u.after.download_size;
  });
}

}  // namespace ota::projections
