// Whatever a fleet does, the views show what the domain's folds have: fixed seeds, thousands of
// events.
#include <doctest/doctest.h>

#include "domain/codec/state_codec.hpp"
#include "tests/projections/random_world.hpp"

namespace ota::projections {
namespace {

using namespace testing;
using domain::UpdateStatus;

constexpr std::uint32_t kSeeds = 12;
constexpr int kSteps = 2'000;
constexpr int kFullCheckEvery = 50;

// Where a campaign stands, as numbers that can be compared at once.
using Numbers = std::array<std::uint64_t, 6>;
Numbers numbers_of(const CampaignRow& row) {
  return {row.total, row.pending(), row.in_progress, row.completed, row.failed, row.cancelled};
}
Numbers numbers_of(const domain::Campaign& fold) {
  return {fold.targets.cardinality(), fold.pending(),
          fold.granted.cardinality(), fold.completed.cardinality(),
          fold.failed.cardinality(),  fold.cancelled.cardinality()};
}

// After every step; those that are closed change no more.
void check_counters(const Views& views, const RandomWorld& world) {
  for (const auto& [id, fold] : world.campaigns) {
    if (fold.closed) continue;
    const auto row = views.campaign_summary(id);
    REQUIRE(row);
    CHECK((numbers_of(*row) == numbers_of(fold)));
  }
}

// It stays done when it is undone.
bool is_done(const domain::DeviceUpdate& u) {
  return u.status == UpdateStatus::kCompleted || u.status == UpdateStatus::kRollback;
}

std::uint64_t took_us(const domain::DeviceUpdate& u) {
  return is_done(u) ? static_cast<std::uint64_t>((*u.completed_at - *u.started_at).count()) : 0;
}

// Rollbacks do not, nor what somebody made up.
bool counts(const RandomWorld& world, const domain::UpdateId& id, const domain::DeviceUpdate& u) {
  if (u.is_rollback()) return false;
  if (!id.of_campaign) return true;
  const auto campaign = world.campaigns.find(*id.campaign());
  return campaign != world.campaigns.end() && campaign->second.targets.contains(id.ordinal.value);
}

// Everything of this campaign that took, takes or will take a device back, and nothing else.
void check_rollbacks(const Views& views, const RandomWorld& world, domain::CampaignId id,
                     const domain::Campaign& fold) {
  std::map<std::string, UpdateStatus> expected;
  for (const auto& [update_id, u] : world.updates) {
    if (!u.is_rollback()) continue;
    const auto undoes = u.plan.rollback ? u.plan.rollback->undoes : std::nullopt;
    const auto of = update_id.campaign() ? update_id.campaign() : undoes ? undoes->campaign() : std::nullopt;
    if (of == id) expected[domain::to_text(update_id)] = u.status;
  }
  if (fold.rollback.number > 0) {
    for (const std::uint32_t o : fold.completed - fold.undone) {
      const auto waits = domain::UpdateId::in_campaign(id, {o}, static_cast<std::uint8_t>(fold.rollback.number));
      if (world.updates.contains(waits)) continue;
      if (fold.gone.contains(o)) {
        expected[domain::to_text(waits)] = UpdateStatus::kFailed;
      } else if (fold.status == domain::CampaignStatus::kRollback) {
        expected[domain::to_text(waits)] = UpdateStatus::kScheduled;
      }
    }
  }
  std::map<std::string, UpdateStatus> found;
  const auto rows =
      by_cursor([&](const PageRequest& page) { return views.rollback_list({{}, id}, page); }, 4);
  for (const auto& row : rows) {
    found[domain::to_text(row.id)] = row.status;
    CHECK(row.is_rollback());
    const auto single = views.rollback(row.id);
    REQUIRE(single);
    CHECK(single->status == row.status);
  }
  CHECK(rows.size() == found.size());
  CHECK((found == expected));

  // Of one device: the same, unless it stands under another ordinal by now.
  std::map<domain::DeviceId, std::vector<std::string>> of_devices;
  for (const auto& row : rows) {
    auto& ids = of_devices[row.device];
    const bool waits = !world.updates.contains(row.id);
    if (!waits || views.ordinal_of(row.device) == row.id.ordinal) ids.push_back(domain::to_text(row.id));
  }
  for (const auto& [device, ids] : of_devices) {
    std::vector<std::string> shown;
    const auto of_both = by_cursor([&](const PageRequest& page) { return views.rollback_list({device, id}, page); }, 1);
    for (const auto& row : of_both) shown.push_back(domain::to_text(row.id));
    CHECK(shown == ids);
  }
}

// An update is of the batch of its last grant; one that lapsed, of none.
void check_batches(const Views& views, const RandomWorld& world, domain::CampaignId id) {
  using Counts = std::array<std::uint32_t, 4>;
  std::map<std::uint32_t, Counts> expected;
  for (const auto& [update_id, u] : world.updates) {
    if (update_id.campaign() != id || !counts(world, update_id, u)) continue;
    const bool lapsed = u.status == UpdateStatus::kScheduled && !u.retry && !u.retry_at && u.attempt > 0;
    if (u.batch == 0 || lapsed) continue;
    auto& batch = expected[u.batch];
    ++batch[0];
    batch[1] += is_done(u) ? 1U : 0U;
    batch[2] += u.status == UpdateStatus::kFailed ? 1U : 0U;
    batch[3] += u.status == UpdateStatus::kCancelled ? 1U : 0U;
  }
  std::map<std::uint32_t, Counts> found;
  const auto row = views.campaign(id);
  REQUIRE(row);
  for (const auto& [number, b] : row->batches) {
    if (b.granted > 0) found[number] = {b.granted, b.completed, b.failed, b.cancelled};
  }
  CHECK((found == expected));
}

void check_campaigns(const Views& views, const RandomWorld& world) {
  std::vector<domain::CampaignId> open;
  Statistics sum;
  for (const auto& [id, fold] : world.campaigns) {
    const auto row = views.campaign_summary(id);
    REQUIRE(row);
    CHECK((numbers_of(*row) == numbers_of(fold)));
    CHECK(row->status == fold.status);
    CHECK(row->status_reason == fold.status_reason);
    CHECK(row->closed == fold.closed);
    CHECK(row->revision == fold.revision);
    CHECK(row->batch == fold.batch);
    CHECK(row->verdict == fold.verdict);
    CHECK(row->ended_at == fold.ended_at);
    CHECK(row->held == fold.held.cardinality());
    CHECK(row->undone == fold.undone.cardinality());
    CHECK(row->switched == fold.switched);
    CHECK(row->rollback.number == fold.rollback.number);
    CHECK(row->rollback.reason == fold.rollback.reason);
    check_rollbacks(views, world, id, fold);
    check_batches(views, world, id);
    if (!fold.closed) open.push_back(id);
    ++sum.campaigns[fold.status];
    sum.total_updates += row->total;
    sum.in_progress_updates += row->in_progress;
    sum.completed_updates += row->completed;
    sum.failed_updates += row->failed;
    sum.cancelled_updates += row->cancelled;
    sum.data_transferred += row->completed * kFileBytes;
    sum.started_campaigns += fold.started_at ? 1 : 0;
  }
  for (const auto& [id, u] : world.updates) {
    if (u.is_rollback()) sum.rollbacks += u.attempt > 0 ? 1 : 0;
    if (counts(world, id, u) && u.attempt > 0) {
      ++sum.by_firmware_version[u.plan.to_version];
      ++sum.by_device_type[world.models_at_grant.at(id)];
    }
    if (counts(world, id, u)) sum.update_us_total += took_us(u);
    if (id.of_campaign || u.is_rollback()) continue;
    ++sum.total_updates;
    sum.in_progress_updates += u.in_progress() ? 1 : 0;
    sum.completed_updates += is_done(u) ? 1 : 0;
    sum.failed_updates += u.status == UpdateStatus::kFailed ? 1 : 0;
    sum.cancelled_updates += u.status == UpdateStatus::kCancelled ? 1 : 0;
    sum.data_transferred += is_done(u) ? u.plan.download_size : 0;
  }
  const auto s = views.statistics();
  CHECK(s.campaigns == sum.campaigns);
  CHECK(s.total_updates == sum.total_updates);
  CHECK(s.in_progress_updates == sum.in_progress_updates);
  CHECK(s.completed_updates == sum.completed_updates);
  CHECK(s.failed_updates == sum.failed_updates);
  CHECK(s.cancelled_updates == sum.cancelled_updates);
  CHECK(s.data_transferred == sum.data_transferred);
  CHECK(s.started_campaigns == sum.started_campaigns);
  CHECK(s.by_device_type == sum.by_device_type);
  CHECK(s.by_firmware_version == sum.by_firmware_version);
  CHECK(s.update_us_total == sum.update_us_total);
  CHECK(s.rollbacks == sum.rollbacks);
  // Beside those that have not closed: closed ones that look once more at an update that was refuted since.
  std::vector<domain::CampaignId> more;
  for (const auto id : views.open_campaigns()) {
    if (std::find(open.begin(), open.end(), id) == open.end()) more.push_back(id);
  }
  CHECK(views.open_campaigns().size() == open.size() + more.size());
  for (const auto id : more) {
    const auto refuted = [&](const auto& entry) {
      const auto& [update, u] = entry;
      return update.campaign() == id && (u.error_code == "wrong_version" || u.error_code == "health_check");
    };
    CHECK(std::any_of(world.updates.begin(), world.updates.end(), refuted));
  }
}

void check_updates(const Views& views, const RandomWorld& world) {
  std::vector<std::tuple<domain::Time, domain::UpdateId, int, std::uint32_t>> deadlines;
  for (const auto& [id, fold] : world.updates) {
    const auto row = views.update(id);
    REQUIRE(row);
    auto expected = fold;
    // What a row has from its campaign before its first event.
    const auto campaign =
        id.campaign() ? world.campaigns.find(*id.campaign()) : world.campaigns.end();
    const bool target =
        campaign != world.campaigns.end() && id.kind == domain::UpdateId::kDeployment &&
        campaign->second.targets.contains(id.ordinal.value);
    if (target) {
      expected.created_at = campaign->second.created_at;
      expected.device = world.names.at(id.ordinal.value);
      if (fold.plan.to_version.empty()) expected.plan = row->plan;
      CHECK(row->plan.to_version == "2.0.0");
    }
    CHECK(domain::encode_state(*row) == domain::encode_state(expected));
    const auto add = [&](const auto& due, domain::UpdateDeadline kind) {
      if (due) deadlines.emplace_back(*due, id, static_cast<int>(kind), fold.attempt);
    };
    add(fold.start_by, domain::UpdateDeadline::kStartBy);
    add(fold.timeout_at, domain::UpdateDeadline::kTimeout);
    add(fold.cancel ? std::optional(fold.cancel->give_up_at) : std::nullopt,
        domain::UpdateDeadline::kCancelGiveUp);
  }
  std::sort(deadlines.begin(), deadlines.end());
  std::vector<std::tuple<domain::Time, domain::UpdateId, int, std::uint32_t>> found;
  for (const auto& d : views.due(domain::Time::max(), 10'000)) {
    found.emplace_back(d.due, d.update, static_cast<int>(d.kind), d.attempt);
  }
  CHECK((found == deadlines));
}

void check_devices(const Views& views, const RandomWorld& world) {
  std::uint64_t listed = 0;
  std::map<std::string, std::map<std::string, std::uint64_t>> versions;
  for (const auto& [id, fold] : world.devices) {
    const auto row = views.device(id);
    const auto ordinal = world.ordinals.find(id);
    CHECK((views.ordinal_of(id) ==
           (ordinal == world.ordinals.end() ? std::nullopt : std::optional(ordinal->second))));
    REQUIRE(row.has_value() == fold.registered);
    if (!fold.registered) continue;
    CHECK(domain::encode_state(*row) == domain::encode_state(fold));
    const auto poll = views.polls().find(id.value);
    REQUIRE(poll);
    const auto expected = poll_record(fold);
    CHECK(poll->active == expected.active);
    CHECK(poll->deleted == expected.deleted);
    CHECK(poll->ask_at == expected.ask_at);
    CHECK(poll->consent == expected.consent);
    CHECK(poll->released == expected.released);
    CHECK(poll->awaits_version == expected.awaits_version);
    CHECK(poll->preemptible == expected.preemptible);
    CHECK(poll->emergency_at == expected.emergency_at);
    CHECK(poll->ordinal == expected.ordinal);
    const auto at = underway(fold);
    const auto ref = views.polls().underway(id.value, poll->active);
    REQUIRE(ref.has_value() == at.has_value());
    if (at) {
      CHECK(ref->update == at->ref.update);
      CHECK(ref->attempt == at->ref.attempt);
    }
    if (fold.deleted) continue;
    ++listed;
    const auto facts = domain::facts_of(fold);
    if (!facts.model.empty() && !facts.firmware_version.empty())
      ++versions[facts.model][facts.firmware_version];
  }
  CHECK(views.statistics().devices == listed);
  CHECK(views.statistics().devices_by_model_version == versions);
  CHECK(views.device_list({}, {1'000, 0, ""}).rows.size() == listed);
  std::uint32_t highest = 0;
  for (const auto& [ordinal, id] : world.names) {
    highest = ordinal + 1;
    CHECK((views.device_of({ordinal}) == id));
  }
  CHECK(views.ordinals_given() == highest);
}

void check_lists(const Views& views, const RandomWorld& world) {
  for (const auto& [id, fold] : world.campaigns) {
    std::map<UpdateStatus, std::uint64_t> by_status;
    std::vector<std::uint32_t> ordinals;
    const auto all =
        by_cursor([&](const PageRequest& page) { return views.campaign_updates(id, {}, page); }, 5);
    for (const auto& u : all) {
      ordinals.push_back(u.id.ordinal.value);
      ++by_status[u.status];
      CHECK(views.update_or_pending(u.id)->status == u.status);
    }
    CHECK((ordinals == std::vector<std::uint32_t>(fold.targets.begin(), fold.targets.end())));
    for (int s = 1; s <= 11; ++s) {
      const auto status = static_cast<UpdateStatus>(s);
      const auto ask = [&](const PageRequest& page) {
        return views.campaign_updates(id, status, page);
      };
      const auto some = by_cursor(ask, 3);
      CHECK(some.size() == by_status[status]);
      for (const auto& u : some) CHECK(u.status == status);
    }
    CHECK(by_status[UpdateStatus::kCompleted] + by_status[UpdateStatus::kRollback] ==
          fold.completed.cardinality());
    CHECK(by_status[UpdateStatus::kRollback] == fold.undone.cardinality());
    CHECK(by_status[UpdateStatus::kFailed] == fold.failed.cardinality());
  }
}

// Everything that was created in [from, until), counted one by one.
void check_period(const Views& views, const RandomWorld& world, domain::Time from, domain::Time until) {
  Statistics expected;
  const auto within = [&](domain::Time t) { return from <= t && t < until; };
  const auto count_grant = [&](const domain::UpdateId& id, const domain::DeviceUpdate& u) {
    if (u.attempt == 0) return;
    ++expected.by_firmware_version[u.plan.to_version];
    ++expected.by_device_type[world.models_at_grant.at(id)];
  };
  for (const auto& [id, fold] : world.campaigns) {
    if (!within(fold.created_at)) continue;
    ++expected.campaigns[fold.status];
    expected.started_campaigns += fold.started_at ? 1 : 0;
    expected.total_updates += fold.targets.cardinality();
    expected.in_progress_updates += fold.granted.cardinality();
    expected.completed_updates += fold.completed.cardinality();
    expected.failed_updates += fold.failed.cardinality();
    expected.cancelled_updates += fold.cancelled.cardinality();
    expected.data_transferred += fold.completed.cardinality() * kFileBytes;
    for (const std::uint32_t o : fold.targets) {
      const auto update = world.updates.find(domain::UpdateId::in_campaign(id, {o}));
      if (update == world.updates.end()) continue;
      count_grant(update->first, update->second);
      expected.update_us_total += took_us(update->second);
    }
  }
  for (const auto& [id, u] : world.updates) {
    const auto made = world.created_at.find(id);
    if (u.is_rollback()) {
      expected.rollbacks += u.attempt > 0 && within(u.created_at) ? 1 : 0;
    } else if (made != world.created_at.end() && within(made->second)) {
      ++expected.total_updates;
      expected.in_progress_updates += u.in_progress() ? 1 : 0;
      expected.completed_updates += is_done(u) ? 1 : 0;
      expected.failed_updates += u.status == UpdateStatus::kFailed ? 1 : 0;
      expected.cancelled_updates += u.status == UpdateStatus::kCancelled ? 1 : 0;
      expected.data_transferred += is_done(u) ? u.plan.download_size : 0;
      expected.update_us_total += took_us(u);
      count_grant(id, u);
    }
  }
  const auto found = views.statistics_between(from, until);
  CHECK(found.campaigns == expected.campaigns);
  CHECK(found.started_campaigns == expected.started_campaigns);
  CHECK(found.total_updates == expected.total_updates);
  CHECK(found.in_progress_updates == expected.in_progress_updates);
  CHECK(found.completed_updates == expected.completed_updates);
  CHECK(found.failed_updates == expected.failed_updates);
  CHECK(found.cancelled_updates == expected.cancelled_updates);
  CHECK(found.data_transferred == expected.data_transferred);
  CHECK(found.rollbacks == expected.rollbacks);
  CHECK(found.update_us_total == expected.update_us_total);
  CHECK(found.by_device_type == expected.by_device_type);
  CHECK(found.by_firmware_version == expected.by_firmware_version);
}

void check_periods(const Views& views, const RandomWorld& world, domain::Time from) {
  check_period(views, world, from, domain::Time::max());
  for (const auto length : {minutes(0), minutes(2), minutes(77), minutes(3'000)}) {
    check_period(views, world, from, from + length);
  }
}

TEST_CASE("the views show what the domain's folds have, whatever a fleet does") {
  std::uint64_t events = 0;
  std::map<std::size_t, std::uint64_t> kinds;
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    RandomWorld world(seed);
    ReadStory t(world.settings);
    for (int step = 0; step < kSteps; ++step) {
      CAPTURE(step);
      world.step(t.views().due(world.story.now(), 100));
      const auto& told = world.story.events();
      if (const auto from = t.views().position().value; from < told.size()) {
        t.views().apply(group_of(told, from, told.size()));
      }
      REQUIRE(t.views().broken() == "");
      check_counters(t.views(), world);
      if (step % kFullCheckEvery != kFullCheckEvery - 1) continue;
      check_campaigns(t.views(), world);
      check_updates(t.views(), world);
      check_devices(t.views(), world);
      check_lists(t.views(), world);
      for (const auto back : {minutes(0), minutes(1), minutes(3), minutes(61), minutes(1'500)}) {
        check_periods(t.views(), world, world.story.now() - back - domain::Duration(step));
      }
      if (step == kSteps / 2 - 1) t.restart();
    }
    const auto& told = world.story.events();
    CHECK(t.views().digest() == digest_of_rebuilt(told, world.settings, 1));
    CHECK(t.views().digest() == digest_of_rebuilt(told, world.settings, 1'000'000));
    events += told.size();
    for (const auto& event : told) ++kinds[event.event.index()];
  }
  // The fleets were not idle: every kind of event of updates, devices and campaigns happened.
  CHECK(events > 8'000);
  for (const auto& example :
       std::vector<domain::Event>{domain::DeviceRegistered{}, domain::DeviceAttributesChanged{},
                                  domain::DeviceDeleted{},    domain::DeviceReturned{},
                                  domain::IdsReserved{},      domain::CampaignTargetPart{},
                                  domain::CampaignStarted{},  domain::CampaignPaused{},
                                  domain::CampaignResumed{},  domain::CampaignCancelled{},
                                  domain::CampaignRollbackBegun{}, domain::CampaignSwitched{},
                                  domain::CampaignClosed{},   domain::ConsentAsked{},
                                  domain::ConsentGiven{},     domain::UpdateHeld{},
                                  domain::UpdateRefuted{},    domain::UpdateUndone{},
                                  domain::BatchOpened{},      domain::UpdateRequested{},
                                  domain::AttemptGranted{},   domain::AttemptStarted{},
                                  domain::ProgressReported{}, domain::LateReportRecorded{},
                                  domain::AttemptEnded{},     domain::GrantLapsed{},
                                  domain::UpdateSkipped{},    domain::CancelRequested{},
                                  domain::CancelRefused{},    domain::UpdateCancelled{},
                                  domain::RetryAsked{}}) {
    CAPTURE(example.index());
    CHECK(kinds[example.index()] > 2);
  }
}

}  // namespace
}  // namespace ota::projections
