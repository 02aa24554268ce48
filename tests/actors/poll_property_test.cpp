// Whoever may be granted something is granted it when it polls: the fast path, which reads memory alone, misses nobody
// (design 6). A needless question is fine; a missed one while nothing is in flight is a bug.
//
// What may be granted is asked of the gates: one list of them both decides and explains. Fixed seeds, campaigns of every
// strategy, operators that interfere, a clock that leaps.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::Report;
using domain::Strategy;

constexpr std::size_t kDevices = 9;
constexpr std::uint32_t kSeeds = 6;
constexpr std::size_t kSteps = 200;
constexpr std::size_t kStepsPerCheck = 3;
constexpr std::size_t kStepsPerLeap = 20;   // what waits for time is looked at once a second
constexpr std::size_t kCampaignsMax = 4;    // open at once

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed), devices_(names(kDevices)) {
    for (int version = 1; version <= 5; ++version) firmware_.push_back(stage_.firmware(fmt::format("{}.0.0", version)));
    for (const auto& device : devices_) {
      stage_.device(device, "1.0.0");
      if (percent(50)) say(device, "can_hold", "true");
    }
  }

  void step(std::size_t number) {
    if (number % kStepsPerLeap == kStepsPerLeap - 1) {
      stage_.advance(std::chrono::minutes(dice(1, 90)));
    } else if (percent(40)) {
      interfere();
    } else {
      for (int turns = 0; turns < 5; ++turns) turn_of(any_device());
    }
  }

  // Of every device, in some order: what it may have it gets.
  void check_all() {
    auto order = devices_;
    std::shuffle(order.begin(), order.end(), random_);
    for (const auto& device : order) {
      std::string missed;
      const bool gets_it = Stage::eventually([&] {
        const auto record = stage_.service().poll({device}, {});
        if (!record.ok() || record.value().active.value != 0) return true;
        missed = may_have(device, record.value().consent.value != 0);
        return missed.empty();
      });
      REQUIRE_MESSAGE(gets_it, (device + " polls, and is offered nothing: " + missed));
    }
  }

  std::size_t granted() {
    const auto all = stage_.events();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& e) {
      return std::holds_alternative<domain::AttemptGranted>(e.event);
    }));
  }

 private:
  // What every gate is open to, or all but the question for consent; empty: nothing.
  std::string may_have(const std::string& device, bool asked) {
    const auto answers = stage_.service().why({device}, {});
    if (!answers.ok()) return "";
    for (const auto& why : answers.value()) {
      std::vector<domain::GateState> closed;
      std::copy_if(why.gates.begin(), why.gates.end(), std::back_inserter(closed), [](const auto& gate) { return !gate.open; });
      if (closed.empty()) return "every gate is open to " + domain::to_text(why.update);
      const bool to_be_asked = closed.size() == 1 && closed.front().gate == domain::Gate::kConsent &&
                               closed.front().fact.ends_with("was not asked yet");
      if (to_be_asked && !asked) return "nobody asks for consent to " + domain::to_text(why.update);
    }
    return "";
  }

  // It polls, and what it has goes on in some way.
  void turn_of(const std::string& device) {
    const auto record = stage_.service().poll({device}, {});
    if (!record.ok()) return;
    if (record.value().active.value == 0) {
      if (record.value().consent.value != 0 && percent(60)) answer_consent(device, record.value().consent);
      return;
    }
    const auto update = stage_.poll(device);
    if (!update) return;
    if (update->cancel) {
      tell(update->id, domain::AnswerCancel{update->attempt, percent(70), {}});
    } else if (!update->started_at) {
      tell(update->id, domain::StartAttempt{update->attempt});
    } else {
      Report report;
      report.attempt = update->attempt;
      report.kind = any_of({Report::Kind::kProgress, Report::Kind::kSuccess, Report::Kind::kSuccess, Report::Kind::kFailure,
                            Report::Kind::kDeclined});
      report.phase = any_of({domain::UpdateStatus::kDownloading, domain::UpdateStatus::kVerifying, domain::UpdateStatus::kInstalling});
      if (percent(30)) report.failure = domain::FailureKind::kTransport;
      tell(update->id, report);
    }
  }

  void answer_consent(const std::string& device, domain::ActionId action) {
    const auto ref = stage_.service().views().action({device}, action);
    if (ref) tell(ref->update, domain::AnswerConsent{ref->attempt, percent(80), {}});
  }

  // Whether it is allowed is not what this is about.
  void tell(domain::UpdateId id, domain::UpdateCommand command) { stage_.service().update(id, std::move(command), {}); }

  void say(const std::string& device, const std::string& name, const std::string& value) {
    domain::ChangeAttributes change;
    change.values = {{name, value}};
    change.by_device = true;
    stage_.service().device({device}, change, {});
  }

  void interfere() {
    auto& service = stage_.service();
    const auto open = service.views().open_campaigns();
    switch (dice(0, 11)) {
      case 0:
      case 1:
      case 2:
        if (open.size() < kCampaignsMax) start_campaign();
        return;
      case 3:
      case 4:
        return request_update(any_device());
      case 5: {
        domain::RegisterDevice back;
        back.via = domain::RegisteredVia::kApi;
        const auto& device = any_device();
        if (percent(40)) service.device({device}, domain::DeleteDevice{"scrapped"}, {});
        service.device({device}, back, {});
        return;
      }
      case 6:
        return say(any_device(), "firmware_version", any_of<std::string>({"1.0.0", "2.0.0", "0.9.0"}));
      case 7:
        return disturb_update(any_device());
      default:
        break;
    }
    if (open.empty()) return;
    const auto id = open[dice(0, static_cast<std::uint32_t>(open.size()) - 1)];
    service.campaign(id, any_of<domain::CampaignCommand>({domain::PauseCampaign{"lunch"}, domain::ResumeCampaign{}, domain::ResumeCampaign{},
                                                          domain::ResumeCampaign{}, domain::PromoteCampaign{}, domain::SwitchCampaign{},
                                                          domain::RollbackCampaign{"bad"}, domain::FinishCampaign{"enough"},
                                                          domain::CancelCampaign{"no"}}), {});
  }

  void start_campaign() {
    domain::CampaignPolicy p;
    p.strategy = any_of({Strategy::kImmediate, Strategy::kStaged, Strategy::kScheduled, Strategy::kCanary, Strategy::kBlueGreen});
    p.priority = static_cast<domain::Priority>(dice(1, 5));
    p.max_concurrent_updates = dice(1, 6);
    p.batch_size = dice(1, 4);
    p.max_retries = dice(0, 2);
    p.timeout_minutes = dice(5, 60);
    p.auto_rollback = percent(50);
    p.failure_threshold_percent = dice(20, 100);
    p.requires_device_confirmation = percent(20);
    p.force_update = percent(30);
    p.rollback_triggers = {domain::RollbackTrigger::kFailureRate, domain::RollbackTrigger::kHealthCheck, domain::RollbackTrigger::kTimeout};
    if (percent(20)) p.scheduled_start = stage_.now() + std::chrono::minutes(dice(1, 60));
    if (percent(20)) {
      const auto minute = static_cast<std::uint16_t>(dice(0, 1'439));
      p.maintenance_window = domain::MaintenanceWindow{minute, static_cast<std::uint16_t>((minute + 720) % 1'440),
                                                       any_of<std::string>({"UTC", "device"})};
    }
    std::vector<std::string> targets;
    for (const auto& device : devices_) {
      if (percent(80)) targets.push_back(device);
    }
    stage_.start(stage_.campaign(firmware_[dice(0, 4)], targets, p));
  }

  void request_update(const std::string& device) {
    domain::RequestUpdate request;
    request.id = domain::UpdateId::direct(new_uuid(stage_.now()));
    request.device = {device};
    const auto number = dice(1, 5);
    request.plan.firmware = firmware_[number - 1];
    request.plan.to_version = fmt::format("{}.0.0", number);
    request.plan.priority = static_cast<domain::Priority>(dice(1, 5));
    request.plan.force_update = percent(60);
    stage_.service().device({device}, request, {});
  }

  void disturb_update(const std::string& device) {
    const auto page = stage_.service().views().device_updates({device}, {10, 0, ""});
    if (page.rows.empty()) return;
    const auto& update = page.rows[dice(0, static_cast<std::uint32_t>(page.rows.size()) - 1)];
    if (percent(50)) {
      stage_.service().update(update.id, domain::CancelUpdate{}, {}, domain::DeviceId{device});
    } else {
      stage_.service().update(update.id, domain::RetryUpdate{}, {});
    }
  }

  std::uint32_t dice(std::uint32_t from, std::uint32_t to) {
    return from + static_cast<std::uint32_t>(random_()) % (to - from + 1);
  }
  bool percent(std::uint32_t chance) { return dice(1, 100) <= chance; }
  template <class T>
  T any_of(std::initializer_list<T> choices) {
    return *(choices.begin() + dice(0, static_cast<std::uint32_t>(choices.size()) - 1));
  }
  const std::string& any_device() { return devices_[dice(0, kDevices - 1)]; }

  Stage stage_;
  std::mt19937 random_;
  std::vector<std::string> devices_;
  std::vector<domain::FirmwareId> firmware_;
};

TEST_CASE("the poll fast path never misses a device that may be granted something") {
  std::size_t granted = 0;
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (std::size_t i = 0; i < kSteps; ++i) {
      CAPTURE(i);
      world.step(i);
      if (i % kStepsPerCheck == 0) world.check_all();
    }
    granted += world.granted();
  }
  CHECK(granted > 200);   // the fleets were not idle
}

}  // namespace
}  // namespace ota::actors::test
