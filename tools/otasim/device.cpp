#include "tools/otasim/device.hpp"

#include <utility>

#include "tools/otasim/mqtt/mqtt_talk.hpp"
#include "tools/otasim/poll_chain.hpp"

namespace ota::sim {
namespace {

std::unique_ptr<Talk> make_talk(World& world, const DeviceProfile& profile, Flash& flash,
                                Record& record, TalkOwner& owner) {
  if (profile.over_mqtt) return std::make_unique<MqttTalk>(world, profile, flash, record, owner);
  return std::make_unique<PollChain>(world, profile, flash, record, owner);
}

}  // namespace

Device::Device(World& world, DeviceProfile profile)
    : world_(world),
      profile_(std::move(profile)),
      running_(world.options.initial_version),
      talk_(make_talk(world, profile_, flash_, record_, *this)) {
  flash_.image = running_;
}

std::optional<Phase> Device::phase() const {
  if (!powered_ || reboot_due_) return Phase::kRebooting;
  if (!run_) return std::nullopt;
  return run_->phase();
}

// --- work on an update

void Device::begin(Deployment deployment, std::unique_ptr<ReportPath> reports) {
  drop_run();  // one that held for an action which is no longer offered
  failed_at_.reset();
  world_.stats.last_offer = EventLoop::now();
  world_.journal.fact(profile_.id, "offered",
                      {{"action", deployment.action}, {"version", deployment.version}});
  Attempt& attempt = record_.of(deployment.action);
  RunOwner& self = *this;
  run_ = std::make_unique<UpdateRun>(world_, self, profile_, flash_, attempt, std::move(deployment),
                                     std::move(reports));
  run_->start();
}

// The run is still at work up the stack: whoever takes it keeps it until that is done.
std::unique_ptr<UpdateRun> Device::take_run() {
  talk_->next_turn();
  return std::move(run_);
}

void Device::drop_run() { take_run().reset(); }

void Device::run_ended(RunEnd end) {
  const std::unique_ptr<UpdateRun> ended = take_run();
  Attempt& attempt = record_.of(ended->action());
  attempt.ended = to_text(end);
  world_.stats.count(end);
  world_.journal.fact(profile_.id, "ended", {{"action", ended->action()}, {"how", to_text(end)}});
  if (end == RunEnd::kSucceeded)
    world_.stats.update_duration.add(std::chrono::duration_cast<std::chrono::microseconds>(
        EventLoop::now() - attempt.offered_at));
  if (end == RunEnd::kFailed || end == RunEnd::kSilent) failed_at_ = EventLoop::now();
  if (flash_.image != running_) reboot_soon(ended->action());
  talk_->work_ended(ended->action(), end);
}

void Device::run_broken_off() {
  const std::unique_ptr<UpdateRun> ended = take_run();
  talk_->work_broken_off();
}

// --- power

// A number of milliseconds between the bounds of --reboot.
std::chrono::milliseconds Device::gap(std::string_view action, std::string_view purpose) const {
  const Options& options = world_.options;
  const double share = world_.choices.fraction(profile_.id, action, purpose);
  const auto span = static_cast<double>((options.reboot_max - options.reboot_min).count());
  return options.reboot_min + std::chrono::milliseconds{static_cast<std::int64_t>(share * span)};
}

void Device::go_down(std::string_view action, std::chrono::milliseconds gap, GoingDown how) {
  talk_->stop(how);
  powered_ = false;
  reboot_due_ = false;
  timer_ = world_.after(gap, [this, action = std::string{action}] { come_up(action); });
}

void Device::come_up(const std::string& action) {
  powered_ = true;
  up_since_ = EventLoop::now();
  world_.journal.fact(profile_.id, "rebooted", {{"action", action}});
  if (running_ != flash_.image) {
    running_ = flash_.image;
    world_.journal.fact(profile_.id, "version", {{"version", running_}});
  }
  talk_->start(std::chrono::milliseconds{0});
}

// Whoever reported its success before has a while left in which it still runs, and tells, its old
// version.
void Device::reboot_soon(std::string_view action) {
  reboot_due_ = true;
  const double share = world_.choices.fraction(profile_.id, action, "reboot-linger");
  const auto linger = std::chrono::milliseconds{
      static_cast<std::int64_t>(share * static_cast<double>(world_.options.reboot_max.count()))};
  timer_ = world_.after(linger, [this, action = std::string{action}] {
    const std::unique_ptr<UpdateRun> lost = take_run();
    go_down(action, gap(action, "reboot-gap"), GoingDown::kReboot);
    world_.http.hang_up(profile_.caller);
  });
}

void Device::reboot() {
  const std::unique_ptr<UpdateRun> ended = take_run();
  go_down(ended->action(), gap(ended->action(), "reboot-gap"), GoingDown::kReboot);
  world_.http.hang_up(profile_.caller);
}

void Device::power_failed(CutPlace where) {
  world_.http.power_failed(profile_.caller);  // before anything is cancelled
  const std::unique_ptr<UpdateRun> ended = take_run();
  const std::string& action = ended->action();
  record_.of(action).power_was_cut = true;
  ++world_.stats.power_cuts[static_cast<std::size_t>(where)];
  world_.journal.fact(profile_.id, "power_cut", {{"action", action}, {"where", to_text(where)}});
  go_down(action, gap(action, "power-gap"), GoingDown::kPowerCut);
}

}  // namespace ota::sim
