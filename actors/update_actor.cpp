// The device-update actor: what a device reports of its attempt, cancellation, deadlines, retries.
#include "actors/entities.hpp"
#include "actors/entity.hpp"
#include "domain/codec/state_codec.hpp"

namespace ota::actors {
namespace {

class UpdateActor final : public Entity {
 public:
  UpdateActor(caf::actor_config& config, World& world, domain::UpdateId id)
      : Entity(config, world, id) {
    state_.id = id;
  }
  const char* name() const override { return "device-update"; }

 protected:
  void load() override {
    if (const auto kept = world_.log->snapshot(key_)) {
      if (auto state = domain::decode_update_state(kept->bytes)) state_ = std::move(*state);
    }
    read_tag(key_, state_.position);
  }
  void fold(const domain::Recorded& event) override { domain::evolve(state_, event); }
  domain::Position position() const override { return state_.position; }
  std::uint32_t revision() const override { return state_.revision; }
  std::string snapshot() const override { return domain::encode_state(state_); }

  void handle(const RequestPtr& request) override {
    const auto* command = std::get_if<domain::UpdateCommand>(&request->command);
    if (!command) return;
    // One of a campaign may be cancelled before it has events: then only the caller knows whose it is.
    if (!state_.exists && request->device) state_.device = *request->device;
    submit([this, request, command] { return decide(*command, request->meta); }, request->meta,
           std::move(request->reply));
  }

 private:
  domain::Result<Plan> decide(domain::UpdateCommand command, const Meta& meta) {
    Plan plan;
    plan.conditions = {own_condition()};
    plan.otherwise = {false, revision(), projections::to_store(position()), {}, {}};
    if (auto* cancel = std::get_if<domain::CancelUpdate>(&command); cancel && !state_.exists && state_.id.of_campaign) {
      if (const auto shown = world_.views->update_or_pending(state_.id)) cancel->shown = shown->status;
    }
    if (auto* retry = std::get_if<domain::RetryUpdate>(&command)) {
      // Else a device could be re-opened behind the end of its campaign (design 5).
      if (const auto campaign = state_.id.campaign()) {
        const auto read_at = projections::to_store(world_.views->position());
        const auto row = world_.views->campaign(*campaign);
        const bool runs = row && (row->status == domain::CampaignStatus::kInProgress ||
                                  row->status == domain::CampaignStatus::kPaused);
        const bool goes_back = row && row->status == domain::CampaignStatus::kRollback &&
                               row->rollback.number == state_.id.kind;   // a deployment is of no rollback
        if (goes_back) {
          // Its own retry may come at once (decision 23).
        } else if (!runs) {
          retry->closed_campaign = row ? domain::to_text(row->status) : "unknown";
        } else if (row->finished) {
          retry->closed_campaign = "finishing";
        }
        plan.conditions.push_back({domain::gate_tag(*campaign), read_at});
        if (const auto shown = world_.views->update_or_pending(state_.id)) {
          retry->plan = shown->plan;
          retry->shown = shown->status;
        }
      }
      retry->firmware_recalled = is_recalled(retry->plan ? retry->plan->firmware : state_.plan.firmware, plan);
      // Nor behind the deletion of its device.
      if (!state_.device.value.empty()) {
        const auto read_at = projections::to_store(world_.views->position());
        const auto ordinal = world_.views->ordinal_of(state_.device);
        const auto known = world_.views->device(state_.device);  // one that was deleted may have its next number already
        retry->device_gone = !ordinal || (state_.id.of_campaign && *ordinal != state_.id.ordinal) || (known && known->deleted);
        plan.conditions.push_back({domain::stream_name(state_.device), read_at});
        retry->pending_twin = twin_of(state_.device);
      }
    }
    if (auto* report = std::get_if<domain::Report>(&command);
        report && report->kind == domain::Report::Kind::kSuccess && state_.plan.require_version_proof) {
      const auto device = world_.views->device(state_.device);
      if (device) report->runs = device->version;
    }
    tell_recall(command, plan);
    if (state_.plan.maintenance_window) tell_zone(command);
    auto decision = domain::decide(state_, command, world_.context(meta.caller));
    if (!decision) return decision.error();
    plan.events = std::move(decision.value());
    return plan;
  }

  // Nor behind a recall (decision 2).
  bool is_recalled(domain::FirmwareId firmware, Plan& plan) const {
    plan.conditions.push_back({domain::stream_name(firmware), projections::to_store(world_.views->position())});
    const auto row = world_.views->firmware(firmware);
    return row && row->firmware.status == domain::FirmwareStatus::kRecalled;
  }

  // What fails behind the recall of its firmware is not tried again. A campaign tells its deployments; others have
  // nobody to tell them once the recall itself has passed.
  void tell_recall(domain::UpdateCommand& command, Plan& plan) const {
    if (!state_.exists || (state_.id.of_campaign && state_.id.kind == domain::UpdateId::kDeployment)) return;
    auto* report = std::get_if<domain::Report>(&command);
    if (report && report->kind == domain::Report::Kind::kFailure) {
      report->firmware_recalled = is_recalled(state_.plan.firmware, plan);
    }
    auto* deadline = std::get_if<domain::DeadlineReached>(&command);
    if (deadline && deadline->deadline == domain::UpdateDeadline::kTimeout) {
      deadline->firmware_recalled = is_recalled(state_.plan.firmware, plan);
    }
  }

  // Another direct update of the device for the same firmware (decision 9).
  std::optional<domain::UpdateId> twin_of(const domain::DeviceId& id) const {
    if (state_.id.of_campaign || state_.plan.rollback) return std::nullopt;
    const auto device = world_.views->device(id);
    if (!device) return std::nullopt;
    for (const auto& [other, u] : device->updates) {
      if (other != state_.id && !other.of_campaign && !u.plan.rollback && u.plan.firmware == state_.plan.firmware) return other;
    }
    return std::nullopt;
  }

  // A window may be of the device's own zone (decision 14).
  void tell_zone(domain::UpdateCommand& command) const {
    const auto device = world_.views->device(state_.device);
    if (!device) return;
    const auto zone = domain::facts_of(*device).timezone;
    if (auto* report = std::get_if<domain::Report>(&command)) report->timezone = zone;
    if (auto* release = std::get_if<domain::ReleaseHold>(&command)) release->timezone = zone;
    if (auto* deadline = std::get_if<domain::DeadlineReached>(&command)) deadline->timezone = zone;
  }

  domain::DeviceUpdate state_;
};

}  // namespace

caf::actor spawn_update(caf::actor_system& system, World& world, domain::UpdateId id) {
  return system.spawn<UpdateActor>(std::ref(world), id);
}

}  // namespace ota::actors
