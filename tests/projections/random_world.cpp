#include "tests/projections/random_world.hpp"

#include <algorithm>
#include <tuple>

#include "domain/rollout.hpp"

namespace ota::projections::testing {
namespace {

constexpr std::uint32_t kDevices = 24;
constexpr std::uint8_t kCampaigns = 30;
constexpr std::uint8_t kDirects = 100;

}  // namespace

RandomWorld::RandomWorld(std::uint32_t seed) : random_(seed) {
  story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
  story.firmware(firmware_id(2), "SF-100", "1.0.0", 2);
  for (int i = 0; i < 8; ++i) register_device();
}

// ---- recording ----------------------------------------------------------------------------------

void RandomWorld::append(const domain::Decision& decision) {
  if (decision) append(decision.value());
}

void RandomWorld::append(const domain::Events& events) {
  for (const auto& emitted : events) {
    const auto& event = story.tell(emitted, {1});
    const auto tags = domain::tags_of(emitted);
    const auto tagged = [&](const std::string& name) {
      return std::find(tags.begin(), tags.end(), name) != tags.end();
    };
    for (auto* all : {&campaigns, &unborn_}) {
      for (auto& [id, campaign] : *all) {
        const auto name = domain::stream_name(id);
        if (event.stream == domain::Stream(id) || tagged(name) || tagged(domain::fleet_tag())) {
          domain::evolve(campaign, event);
        }
      }
    }
    if (const auto* id = std::get_if<domain::UpdateId>(&event.stream)) {
      if (std::holds_alternative<domain::AttemptGranted>(event.event)) {
        const auto model = devices[*event.device].attribute("device_model");
        models_at_grant.try_emplace(*id, model.empty() ? "unknown" : model);
      }
      domain::evolve(updates[*id], event);
      if (std::holds_alternative<domain::UpdateRequested>(event.event))
        created_at[*id] = event.time;
    }
    if (event.device) domain::evolve(devices[*event.device], event, settings);
  }
}

// What actors do by themselves after every commit.
void RandomWorld::settle() {
  for (bool again = true; again;) {
    again = false;
    for (auto& [id, campaign] : campaigns) {
      auto due = domain::next(campaign, {}, 100, story.now());
      again = again || !due.own.empty();
      append(due.own);
      for (const auto& tell : due.tells) {
        if (chance(30)) continue;  // told another time
        auto state = updates[tell.update];
        if (!state.exists) state.id = tell.update;
        if (state.device.value.empty()) state.device = names[tell.update.ordinal.value];
        append(domain::decide(state, tell.command, context()));
      }
    }
  }
  for (const auto& [id, device] : std::map(devices)) react(device);
  std::erase_if(updates, [](const auto& entry) { return !entry.second.exists; });
}

// What a device's actor does by itself.
void RandomWorld::react(const domain::Device& device) {
  const auto* active = device.active();
  if (active && active->second.plan.require_version_proof &&
      device.version == active->second.plan.to_version) {
    append(domain::decide(updates[active->first],
                          domain::ConfirmVersion{active->second.attempt}, context()));
  }
  if (!device.return_due || device.deleted || next_direct_ == kDirects) return;
  const auto& due = *device.return_due;
  const auto back = way_back(due.to_version);
  domain::RequestRollback request;
  request.id = direct_id(next_direct_++);
  request.plan.firmware = back.firmware;
  request.plan.to_version = back.version;
  request.plan.rollback = domain::RollbackOf{due.trigger, due.fact, due.undoes, due.undone_version};
  std::tie(request.error_code, request.error_message) = domain::why_not_back(back);
  append(domain::decide(device, request, context()));
}

domain::WayBack RandomWorld::way_back(const std::string& version) const {
  domain::WayBack back;
  back.version = version;
  back.stored = version == "1.0.0";
  back.firmware = firmware_id(2);
  back.facts.version = version;
  return back;
}

// ---- devices ------------------------------------------------------------------------------------

domain::DeviceId RandomWorld::any_device() { return device_id(below(kDevices)); }

domain::Ordinal RandomWorld::ordinal_for(const domain::DeviceId& id, bool fresh) {
  if (const auto known = ordinals.find(id); known != ordinals.end() && !fresh) return known->second;
  const domain::Ordinal ordinal{next_ordinal_++};
  ordinals[id] = ordinal;
  names[ordinal.value] = id;
  return ordinal;
}

void RandomWorld::register_device() {
  const auto id = any_device();
  auto& device = devices[id];
  device.id = id;
  if (device.registered && !device.deleted) return;
  domain::RegisterDevice command;
  command.ordinal = ordinal_for(id, false);
  command.via = domain::RegisteredVia::kApi;
  if (chance(80)) command.attributes["device_model"] = chance(80) ? "SF-100" : "SF-200";
  if (chance(60)) command.attributes["firmware_version"] = chance(80) ? "1.0.0" : "2.0.0";
  if (chance(50)) command.attributes["can_hold"] = "true";
  if (chance(40)) command.groups = {"beta"};
  append(domain::decide(device, command, context()));
}

void RandomWorld::change_device() {
  const auto id = any_device();
  domain::ChangeAttributes command;
  command.values["firmware_version"] = chance(50) ? "1.0.0" : chance(50) ? "1.1.0" : "2.0.0";
  if (chance(30)) command.values["health"] = chance(50) ? "failed" : "ok";
  command.by_device = chance(70);
  if (chance(20)) command.removed = {"device_model"};
  if (chance(20)) command.groups = std::vector<std::string>{"alpha", "beta"};
  append(domain::decide(devices[id], command, context()));
}

void RandomWorld::delete_device() {
  const auto id = any_device();
  const bool was_there = devices[id].registered && !devices[id].deleted;
  append(domain::decide(devices[id], domain::DeleteDevice{"sold"}, context()));
  if (was_there) ordinals.erase(id);
}

void RandomWorld::request_direct() {
  if (next_direct_ == kDirects) return;
  const auto id = any_device();
  domain::UpdatePlan plan;
  plan.firmware = firmware_id(1);
  plan.to_version = "2.0.0";
  plan.download_size = 77;
  plan.max_retries = below(3);
  append(domain::decide(devices[id], domain::RequestUpdate{direct_id(next_direct_++), id, plan},
                        context()));
}

// ---- campaigns ----------------------------------------------------------------------------------

void RandomWorld::create_campaign() {
  if (next_campaign_ == kCampaigns) return;
  const auto id = campaign_id(next_campaign_++);
  domain::Bitmap targets;
  domain::IdsReserved reserved;
  for (std::uint32_t n = 0; n < kDevices; ++n) {
    if (chance(40)) continue;
    const bool known = ordinals.contains(device_id(n));
    const auto ordinal = ordinal_for(device_id(n), false);
    if (!known) {
      if (reserved.devices.empty()) reserved.first = ordinal;
      reserved.devices.push_back(device_id(n).value);
    }
    targets.add(ordinal.value);
  }
  if (!reserved.devices.empty()) append({{domain::DirectoryStream{}, reserved, {}}});
  domain::CampaignPolicy policy;
  policy.strategy = chance(40)   ? domain::Strategy::kImmediate
                    : chance(50) ? domain::Strategy::kStaged
                    : chance(50) ? domain::Strategy::kBlueGreen
                                 : domain::Strategy::kCanary;
  policy.requires_device_confirmation = chance(15);
  policy.require_version_proof = chance(15);
  policy.download_only = chance(10);
  policy.rollback_triggers = {domain::RollbackTrigger::kFailureRate};
  for (const auto trigger : {domain::RollbackTrigger::kHealthCheck, domain::RollbackTrigger::kTimeout,
                             domain::RollbackTrigger::kErrorThreshold}) {
    if (chance(40)) policy.rollback_triggers.push_back(trigger);
  }
  policy.error_threshold_count = 2 + below(6);
  policy.batch_size = 1 + below(6);
  policy.max_concurrent_updates = 1 + below(8);
  policy.max_retries = below(3);
  policy.auto_rollback = chance(80);
  policy.failure_threshold_percent = 5 + below(30);
  policy.min_finished_for_verdict = 1 + below(20);
  policy.priority = chance(50) ? domain::Priority::kNormal : domain::Priority::kHigh;
  auto record = campaign_record(targets, policy);
  const auto resolved_at = story.events().size();
  const auto pick = domain::pick_percentage(id, targets, chance(50) ? 100 : 60);
  record.pick_cutoff = pick.cutoff;
  if (policy.strategy == domain::Strategy::kCanary && pick.count > 0) {
    record.canary = domain::evidence_table(policy.failure_threshold_percent, 0, 0, pick.count);
    record.canary_cutoff =
        domain::canary_cutoff(id, domain::picked(id, targets, pick.cutoff), *record.canary);
  }
  if (chance(50)) {  // in two parts, with a deletion in between
    record.targets.clear();
    record.parts = 2;
    auto& unborn = unborn_[id];
    unborn.id = id;
    std::vector<domain::Bitmap> parts(2);
    for (const auto ordinal : targets) parts[ordinal % 2].add(ordinal);
    for (std::uint32_t i = 0; i < 2; ++i) {
      append(domain::decide(unborn, domain::AddTargetPart{{i, domain::to_bytes(parts[i])}},
                            context()));
      if (chance(50)) delete_device();
    }
  }
  auto campaign = unborn_.extract(id);
  campaigns[id] = campaign ? std::move(campaign.mapped()) : domain::Campaign{};
  campaigns[id].id = id;
  domain::Bitmap deleted;
  for (auto i = resolved_at; i < story.events().size(); ++i) {
    const auto* event = std::get_if<domain::DeviceDeleted>(&story.events()[i].event);
    if (event) deleted.add(event->ordinal.value);
  }
  if (!deleted.isEmpty()) record.withdrawn = domain::to_bytes(deleted);
  append(domain::decide(campaigns[id], domain::CreateCampaign{id, record, {}}, context()));
}

void RandomWorld::steer_campaign() {
  if (campaigns.empty()) return;
  auto& [id, campaign] =
      *std::next(campaigns.begin(), below(static_cast<std::uint32_t>(campaigns.size())));
  const auto dice = below(100);
  const domain::CampaignCommand command =
      dice < 50   ? domain::CampaignCommand(domain::StartCampaign{})
      : dice < 65 ? domain::CampaignCommand(domain::PauseCampaign{"wait"})
      : dice < 88 ? domain::CampaignCommand(domain::ResumeCampaign{})
      : dice < 90 ? domain::CampaignCommand(domain::PromoteCampaign{"fine"})
      : dice < 93 ? domain::CampaignCommand(domain::FinishCampaign{"late"})
      : dice < 95 ? domain::CampaignCommand(domain::RollbackCampaign{"bad"})
      : dice < 97 ? domain::CampaignCommand(domain::SwitchCampaign{"now"})
                  : domain::CampaignCommand(domain::CancelCampaign{"enough"});
  append(domain::decide(campaign, command, context()));
}

// ---- updates ------------------------------------------------------------------------------------

void RandomWorld::poll() {
  const auto& device = devices[any_device()];
  if (!device.registered || device.deleted || device.active()) return;
  if (const auto* asked = device.awaits_consent(); asked && chance(50)) {
    return append(domain::decide(updates[asked->first],
                                 domain::AnswerConsent{asked->second.consent_asked, chance(80), {}}, context()));
  }
  if (ask_campaigns(device)) return;
  append(domain::decide(device, domain::GrantDirect{}, context()));
}

bool RandomWorld::ask_campaigns(const domain::Device& device) {
  for (const auto& [id, campaign] : campaigns) {
    domain::GrantAsk ask;
    ask.device = device.id;
    ask.ordinal = device.ordinal;
    ask.facts = domain::facts_of(device);
    ask.action = domain::next_action(device.last_action, settings.first_action);
    const bool backwards = campaign.status == domain::CampaignStatus::kRollback;
    ask.rollback = backwards ? campaign.rollback.number : 0;
    const auto update =
        domain::UpdateId::in_campaign(id, device.ordinal, static_cast<std::uint8_t>(ask.rollback));
    if (const auto known = device.updates.find(update); known != device.updates.end()) {
      const auto& u = known->second;
      ask.attempts = u.attempt;
      ask.batch = u.batch;
      ask.consented = u.consented;
      ask.consent_asked = u.consent_asked > 0;
      if (u.consented && u.consent_asked == u.attempt + 1) ask.action = u.action;
    }
    const auto deployment = updates.find(domain::UpdateId::in_campaign(id, device.ordinal));
    if (backwards && deployment != updates.end()) {
      ask.back = way_back(deployment->second.plan.from_version);
    }
    const auto decision = domain::grant(campaign, {}, ask, context());
    if (const auto* granted = std::get_if<domain::AttemptGranted>(&decision)) {
      append({{update, *granted, device.id}});
      return true;
    }
    if (const auto* skipped = std::get_if<domain::UpdateSkipped>(&decision)) {
      append({{update, *skipped, device.id}});
      return true;
    }
    if (const auto* asked = std::get_if<domain::ConsentAsked>(&decision)) {
      append({{update, *asked, device.id}});
      return true;
    }
    if (const auto* none = std::get_if<domain::NoWayBack>(&decision)) {
      append(domain::events_of(*none, update, device.id));
      return true;
    }
  }
  return false;
}

const domain::DeviceUpdate* RandomWorld::any_active() {
  std::vector<const domain::DeviceUpdate*> active;
  for (const auto& [id, device] : devices) {
    if (device.active()) active.push_back(&updates[device.active()->first]);
  }
  return active.empty() ? nullptr : active[below(static_cast<std::uint32_t>(active.size()))];
}

void RandomWorld::report() {
  const auto* active = any_active();
  if (!active) return;
  const auto& state = *active;
  if (!state.started_at && chance(60))
    return append(domain::decide(state, domain::StartAttempt{state.attempt}, context()));
  if (state.cancel && chance(50)) {
    return append(
        domain::decide(state, domain::AnswerCancel{state.attempt, chance(60), {"why"}}, context()));
  }
  domain::Report report;
  report.attempt = state.attempt - (chance(10) ? 1 : 0);
  const auto dice = below(100);
  report.kind = dice < 55   ? domain::Report::Kind::kProgress
                : dice < 75 ? domain::Report::Kind::kSuccess
                : dice < 97 ? domain::Report::Kind::kFailure
                            : domain::Report::Kind::kDeclined;
  report.failure = chance(70) ? domain::FailureKind::kDevice : domain::FailureKind::kTransport;
  report.error_code = chance(50) ? "flash" : "power";
  report.phase = static_cast<domain::UpdateStatus>(4 + below(4));
  report.phase_basis_points = below(10'001);
  append(domain::decide(state, report, context()));
}

void RandomWorld::cancel_update() {
  if (const auto* active = chance(70) ? any_active() : nullptr) {
    return append(domain::decide(*active, domain::CancelUpdate{}, context()));
  }
  if (campaigns.empty()) return;
  auto& [id, campaign] =
      *std::next(campaigns.begin(), below(static_cast<std::uint32_t>(campaigns.size())));
  // Now and then an id that somebody made up.
  const auto update = domain::UpdateId::in_campaign(id, {below(next_ordinal_)});
  auto state = updates[update];
  if (!state.exists) {
    state.id = update;
    if (chance(50)) state.device = names[update.ordinal.value];
    if (campaign.status == domain::CampaignStatus::kCancelled) return;
  }
  append(domain::decide(state, domain::CancelUpdate{}, context()));
}

void RandomWorld::retry_update() {
  if (updates.empty()) return;
  const auto& [id, state] =
      *std::next(updates.begin(), below(static_cast<std::uint32_t>(updates.size())));
  if (state.device.value.empty()) return;  // the door knows whose an update is
  domain::RetryUpdate command;
  if (const auto campaign = id.campaign()) {
    const auto& of = campaigns[*campaign];
    const bool open = of.status == domain::CampaignStatus::kInProgress || of.status == domain::CampaignStatus::kPaused;
    if (!open) command.closed_campaign = domain::to_text(of.status);
  }
  append(domain::decide(state, command, context()));
}

void RandomWorld::meet(const Deadline& deadline) {
  append(domain::decide(updates[deadline.update],
                        domain::DeadlineReached{deadline.kind, deadline.attempt}, context()));
}

void RandomWorld::step(const std::vector<Deadline>& due) {
  const auto dice = below(1'000);
  if (dice < 20) {
    story.wait(minutes(below(70)) + domain::Duration(below(1'000'000)));
  } else if (!due.empty() && dice < 120) {
    meet(due[below(static_cast<std::uint32_t>(due.size()))]);
  } else if (dice < 170) {
    register_device();
  } else if (dice < 200) {
    change_device();
  } else if (dice < 215) {
    delete_device();
  } else if (dice < 245) {
    request_direct();
  } else if (dice < 275) {
    create_campaign();
  } else if (dice < 325) {
    steer_campaign();
  } else if (dice < 600) {
    poll();
  } else if (dice < 950) {
    report();
  } else if (dice < 970) {
    cancel_update();
  } else {
    retry_update();
  }
  settle();
}

}  // namespace ota::projections::testing
