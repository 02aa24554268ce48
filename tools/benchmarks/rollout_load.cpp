#include "tools/benchmarks/rollout_load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/seeded_fleet.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kConcurrentMax = 1'000;
constexpr std::uint32_t kJudgedAtEnd = 1'000'000;
// A device is offered nothing while its campaign is being changed; more often is a fault.
constexpr int kVainPollsMax = 1'000;

template <class Answered>
void expect(const Answered& answer, const char* what) {
  if (!answer.ok()) throw std::runtime_error(fmt::format("{}: {}", what, answer.error().message));
}

// The times at which threads that share a rate begin one thing each; at once if there is no rate.
class Pace {
 public:
  explicit Pace(const Asking& asking) : asking_(asking) {}
  void wait(std::size_t thread, std::size_t n) const {
    if (!asking_.per_second) return;
    const double due = static_cast<double>(n * asking_.threads + thread) / *asking_.per_second;
    std::this_thread::sleep_until(begin_ + std::chrono::duration<double>(due));
  }
  Clock::time_point begin() const { return begin_; }

 private:
  const Asking& asking_;
  const Clock::time_point begin_ = Clock::now();
};

// Runs `work(thread)` on so many threads; passes on what one of them throws.
template <class Work>
void on_threads(std::size_t threads, const Work& work) {
  std::vector<std::future<void>> running;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    running.push_back(std::async(std::launch::async, [&work, thread] { work(thread); }));
  }
  for (auto& each : running) each.wait();
  for (auto& each : running) each.get();
}

}  // namespace

domain::FirmwareId add_firmware(actors::Service& service) {
  domain::RegisterFirmware command;
  auto& record = command.record;
  record.id.bytes[0] = 1;
  record.name = "Bench";
  record.manufacturer = "Acme";
  record.facts.version = "2.0.0";
  record.facts.device_model = kSeededModel;
  record.facts.file_size = 1'000;
  record.file_name = "firmware.bin";
  command.sha1.emplace();
  const auto id = record.id;
  expect(service.firmware(id, std::move(command), {}), "the firmware");
  return id;
}

domain::CampaignId begin_campaign(actors::Service& service, domain::FirmwareId firmware,
                                  std::uint32_t judged_at) {
  actors::CampaignSpec spec;
  spec.id = {actors::new_uuid(service.now())};
  spec.name = "bench";
  spec.firmware = firmware;
  spec.filter = domain::Filter{{domain::FilterField::kModel, {}, domain::FilterOp::kEq, {kSeededModel}}};
  spec.policy.strategy = domain::Strategy::kImmediate;
  spec.policy.max_concurrent_updates = kConcurrentMax;
  spec.policy.max_retries = 0;
  spec.policy.min_finished_for_verdict = judged_at > 0 ? judged_at : kJudgedAtEnd;
  expect(service.create_campaign(spec, {}), "the campaign");
  expect(service.campaign(spec.id, domain::StartCampaign{}, {}), "its start");
  return spec.id;
}

std::size_t RolloutLoad::next_device() {
  for (;;) {
    const std::size_t device = first_ + begun_++;
    if (device >= first_ + count_) throw std::runtime_error("the fleet is too small for the measurement");
    if (is_seeded_model(device)) return device;
  }
}

RolloutLoad::Outcome RolloutLoad::update_one(std::size_t device, bool fails) {
  const auto record = service_.poll({device_name(device)}, {});
  expect(record, "a poll");
  if (record.value().active.value == 0) return Outcome::kNothing;
  ++granted_;
  domain::Report report;
  report.attempt = 1;
  report.kind = fails ? domain::Report::Kind::kFailure : domain::Report::Kind::kSuccess;
  const auto update = domain::UpdateId::in_campaign(campaign_, record.value().ordinal);
  expect(service_.update(update, std::move(report), {}), "a report");
  return Outcome::kGranted;
}

double RolloutLoad::run(const Asking& asking) {
  std::atomic<std::uint64_t> done{0};
  const Pace pace(asking);
  const auto end = pace.begin() + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(asking.seconds));
  const Stopwatch stopwatch;
  on_threads(asking.threads, [&](std::size_t thread) {
    for (std::size_t n = 0; Clock::now() < end; ++n) {
      pace.wait(thread, n);
      const std::size_t device = next_device();
      const bool fails = asking.failing_every > 0 && device % asking.failing_every == 0;
      for (int vain = 0; update_one(device, fails) == Outcome::kNothing; ++vain) {
        if (vain < kVainPollsMax) continue;
        throw std::runtime_error(fmt::format("{} is offered nothing", device_name(device)));
      }
      ++done;
    }
  });
  return static_cast<double>(done) / stopwatch.seconds();
}

void RolloutLoad::run_until_closed(const Asking& asking, std::size_t asked_on) {
  std::atomic<std::size_t> ends_at{SIZE_MAX};
  const auto is_running = [&] {
    const auto row = service_.views().campaign_summary(campaign_);
    return row && row->status == domain::CampaignStatus::kInProgress;
  };
  const Pace pace(asking);
  on_threads(asking.threads, [&](std::size_t thread) {
    for (std::size_t n = 0; begun_ < ends_at; ++n) {
      pace.wait(thread, n);
      const std::size_t device = next_device();
      const bool fails = asking.failing_every > 0 && device % asking.failing_every == 0;
      if (update_one(device, fails) == Outcome::kGranted || is_running()) continue;
      std::size_t open = SIZE_MAX;
      ends_at.compare_exchange_strong(open, begun_ + asked_on);
    }
  });
}

}  // namespace ota::bench
