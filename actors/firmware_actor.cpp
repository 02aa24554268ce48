// The firmware actor: registration under the rules of uniqueness, its content, deprecation, restoration, recall.
#include <fmt/format.h>

#include "actors/entities.hpp"
#include "actors/entity.hpp"
#include "domain/codec/state_codec.hpp"

namespace ota::actors {
namespace {

class FirmwareActor final : public Entity {
 public:
  FirmwareActor(caf::actor_config& config, World& world, domain::FirmwareId id)
      : Entity(config, world, id) {
    state_.record.id = id;
  }
  const char* name() const override { return "firmware"; }

 protected:
  void load() override { read_tag(key_, {}); }
  void fold(const domain::Recorded& event) override { domain::evolve(state_, event); }
  domain::Position position() const override { return state_.position; }
  std::uint32_t revision() const override { return state_.revision; }

  void handle(const RequestPtr& request) override {
    const auto* command = std::get_if<domain::FirmwareCommand>(&request->command);
    if (!command) return;
    submit([this, request, command] { return decide(*command, request->meta); }, request->meta,
           std::move(request->reply));
  }

  // A recall stops what does not install yet; campaigns see to their deployments, direct updates are told from here, and so are
  // campaigns that take devices back to it.
  void react() override {
    if (state_.status != domain::FirmwareStatus::kRecalled || told_) return;
    told_ = true;
    for (const auto status : {domain::UpdateStatus::kScheduled, domain::UpdateStatus::kInProgress,
                              domain::UpdateStatus::kDownloading, domain::UpdateStatus::kVerifying}) {
      projections::PageRequest page;
      page.limit = limits::kOutstanding;
      while (true) {
        const auto found = world_.views->direct_updates(status, page);
        for (const auto& update : found.rows) {
          if (update.plan.firmware == state_.record.id) tell(update.id, kStopsRecalled, update.device);
        }
        if (found.next_cursor.empty()) break;
        page.cursor = found.next_cursor;
      }
    }
    for (const auto campaign : world_.views->open_campaigns()) {
      const auto row = world_.views->campaign_summary(campaign);
      if (row && row->status == domain::CampaignStatus::kRollback) tell(campaign, FirmwareIsRecalled{state_.record.id});
    }
  }

  // Uploads that end together all ask for the next number: each conflict lets one of them through.
  int conflicts_max() const override { return limits::kFirmwareConflictsMax; }

 private:
  domain::Result<Plan> decide(const domain::FirmwareCommand& command, const Meta& meta) {
    Plan plan;
    plan.conditions = {own_condition()};
    plan.otherwise = {false, revision(), projections::to_store(position()), {}, {}};
    domain::FirmwareCommand numbered = command;
    if (auto* registering = std::get_if<domain::RegisterFirmware>(&numbered); registering && !state_.exists) {
      if (auto error = look_up(*registering, plan)) return std::move(*error);
      if (plan.otherwise.existing) return plan;
    }
    auto decision = domain::decide(state_, numbered, world_.context(meta.caller));
    if (!decision) return decision.error();
    plan.events = std::move(decision.value());
    return plan;
  }

  // Model and version are unique, and every firmware has its own number (BR-OTA-005, decisions 1 and 21). Both are
  // read from the views; the append holds only if nothing newer says otherwise.
  std::optional<domain::DomainError> look_up(domain::RegisterFirmware& c, Plan& plan) {
    const auto read_at = projections::to_store(world_.views->position());
    auto& facts = c.record.facts;
    if (const auto other = world_.views->firmware_of(facts.device_model, facts.version)) {
      const auto row = world_.views->firmware(*other);
      if (row && domain::same_bytes(row->firmware.record, c.record)) {
        plan.otherwise.existing = *other;
        return std::nullopt;
      }
      return domain::DomainError{domain::ErrorCode::kDuplicate,
                                 fmt::format("{} {} is registered with other bytes: {}", facts.device_model,
                                             facts.version, domain::to_text(*other)),
                                 {}, {}, {}, {}};
    }
    facts.number = world_.views->newest_firmware_number() + 1;
    plan.conditions.push_back({domain::model_version_tag(facts.device_model, facts.version), read_at});
    plan.conditions.push_back({domain::firmwares_tag(), read_at});
    return std::nullopt;
  }

  domain::Firmware state_;
  bool told_ = false;                     // in this life: direct updates, of the recall
};

}  // namespace

caf::actor spawn_firmware(caf::actor_system& system, World& world, domain::FirmwareId id) {
  return system.spawn<FirmwareActor>(std::ref(world), id);
}

}  // namespace ota::actors
