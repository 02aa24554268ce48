#include "tools/otasim/update_run.hpp"

#include <fmt/format.h>

#include <utility>

namespace ota::sim {
namespace {

// Status codes of failures that are not the install's.
constexpr int kDownloadFailed = 11;
constexpr int kHashMismatch = 12;

Feedback proceeding(std::string_view detail, std::optional<int> percent) {
  return {"proceeding", "none", std::string{detail}, std::nullopt, percent};
}

}  // namespace

UpdateRun::UpdateRun(World& world, RunOwner& owner, const DeviceProfile& profile, Flash& flash,
                     Attempt& attempt, Deployment deployment, std::unique_ptr<ReportPath> reports)
    : world_(world),
      owner_(owner),
      profile_(profile),
      style_(profile.style()),
      flash_(flash),
      attempt_(attempt),
      deployment_(std::move(deployment)),
      fate_(decide_fate(world.options.faults, world.choices, profile.id, deployment_.action,
                        profile.always_fails,
                        deployment_.artifacts.empty() ? 0 : deployment_.artifacts.front().size)),
      reporter_(world, profile, attempt, std::move(reports)) {
  if (attempt_.power_was_cut) fate_.cut = CutPlace::kNone;
}

void UpdateRun::start() {
  if (flash_.unreported && flash_.unreported->action == deployment_.action) return report_success();
  flash_.unreported.reset();  // the server went on to another action: nobody waits for that report
  if (deployment_.update == Mode::kSkip && style_.skip == Skip::kCloses)
    return end_with({"closed", "success", "Skipped Update.", {}, {}}, RunEnd::kSkipped);
  report(proceeding(style_.started, 0), &UpdateRun::next_artifact);
}

// Reports progress, then goes on whether or not it arrived; only an action that has ended is
// dropped.
void UpdateRun::report(const Feedback& feedback, void (UpdateRun::*next)()) {
  if (!style_.reports_progress) return (this->*next)();
  reporter_.send(feedback, false, [this, next](AnswerClass meaning) {
    if (meaning == AnswerClass::kGone) return owner_.run_ended(RunEnd::kGone);
    (this->*next)();
  });
}

void UpdateRun::next_artifact() {
  if (artifact_ == deployment_.artifacts.size()) return all_verified();
  std::optional<DownloadCut> cut;
  if (artifact_ == 0 && fate_.cut == CutPlace::kDownload)
    cut = DownloadCut{fate_.cut_at_byte, fate_.persisted_at_cut};
  download_ = std::make_unique<Download>(
      world_, profile_, deployment_.action, deployment_.artifacts[artifact_], cut, flash_,
      [this](Download::End how, const std::string& why) { artifact_ended(how, why); });
  download_->start();
}

void UpdateRun::artifact_ended(Download::End how, const std::string& why) {
  switch (how) {
    case Download::End::kVerified:
      ++artifact_;
      // The finished download is still on the stack: the next begins from the loop.
      timer_ = world_.after(std::chrono::milliseconds{0}, [this] { next_artifact(); });
      return;
    case Download::End::kWrongBytes:
      return fail(why, kHashMismatch);
    case Download::End::kRefused:
      return fail(why, kDownloadFailed);
    case Download::End::kPowerCut:
      return owner_.power_failed(CutPlace::kDownload);
    case Download::End::kBrokenOff:
      return owner_.run_broken_off();
  }
}

bool UpdateRun::waits_for_permission() const {
  return deployment_.update == Mode::kSkip && style_.skip != Skip::kIgnores;
}

void UpdateRun::all_verified() {
  if (waits_for_permission() && !deployment_.window_closed)
    return end_with({"downloaded", "success", "downloaded, not to be installed", {}, {}},
                    RunEnd::kDownloaded);
  const Feedback downloaded{"downloaded", "none", "downloaded, checksums verified", {}, {}};
  const Feedback goes_on = proceeding(style_.verified, std::nullopt);
  if (!waits_for_permission() || style_.skip != Skip::kHolds)
    return report(style_.verified.empty() ? downloaded : goes_on, &UpdateRun::after_verified);
  // The server waits for this word before it lets anybody install: it is not let go.
  reporter_.send(downloaded, true, [this](AnswerClass meaning) {
    if (meaning == AnswerClass::kGone) return owner_.run_ended(RunEnd::kGone);
    after_verified();
  });
}

void UpdateRun::after_verified() {
  if (!waits_for_permission()) return install();
  phase_ = Phase::kHolding;
  world_.journal.fact(profile_.id, "held", {{"action", deployment_.action}});
}

void UpdateRun::refresh(const Deployment& deployment) {
  if (deployment.action != deployment_.action) return;
  deployment_.update = deployment.update;
  deployment_.window_closed = deployment.window_closed;
  if (phase_ == Phase::kHolding && deployment_.update != Mode::kSkip) return install();
}

void UpdateRun::install() {
  phase_ = Phase::kInstalling;
  const auto whole = world_.options.install;
  if (fate_.cut == CutPlace::kInstall) {
    const auto at = std::chrono::milliseconds{
        static_cast<std::int64_t>(fate_.cut_at_fraction * static_cast<double>(whole.count()))};
    cut_timer_ = world_.after(at, [this] { owner_.power_failed(CutPlace::kInstall); });
  }
  timer_ = world_.after(whole / 2, [this] { half_installed(); });
}

void UpdateRun::half_installed() { report(proceeding("installing", 50), &UpdateRun::second_half); }

void UpdateRun::second_half() {
  const auto go_on = [this] {
    timer_ = world_.after(world_.options.install / 2, [this] { install_ended(); });
  };
  if (fate_.late_report != LatePlace::kAfterProgress) return go_on();
  reporter_.send_late(fate_.late_choice, go_on);
}

void UpdateRun::install_ended() {
  // An install shorter than its reports: the cut comes at its end at the latest.
  if (fate_.cut == CutPlace::kInstall) return owner_.power_failed(CutPlace::kInstall);
  if (!fate_.install_failure) return written();
  if (style_.reports_failure) return fail(fate_.install_failure->text, fate_.install_failure->code);
  attempt_.given_up = true;
  owner_.run_ended(RunEnd::kSilent);
}

void UpdateRun::written() {
  if (++attempt_.installs > 1)
    world_.violation(profile_.id, fmt::format("action {} installed twice", deployment_.action));
  flash_.unreported = Installed{deployment_.action, deployment_.version};
  flash_.image = deployment_.version;
  flash_.parts.clear();
  ++world_.stats.installs;
  world_.journal.fact(profile_.id, "installed",
                      {{"action", deployment_.action}, {"version", deployment_.version}});
  if (fate_.cut == CutPlace::kAfterInstall) return owner_.power_failed(CutPlace::kAfterInstall);
  if (style_.success_before_reboot) return report_success();
  owner_.reboot();
}

void UpdateRun::report_success() {
  end_with({"closed", "success", fmt::format("installed {}", flash_.image), {}, {}},
           RunEnd::kSucceeded);
}

// Of a download or an install; the device runs what it ran before.
void UpdateRun::fail(const std::string& why, int code) {
  if (!style_.reports_failure) return owner_.run_broken_off();
  end_with({"closed", "failure", why, code, {}}, RunEnd::kFailed);
}

void UpdateRun::end_with(const Feedback& feedback, RunEnd good_end) {
  phase_ = Phase::kReporting;
  reporter_.send(feedback, true, [this, good_end](AnswerClass meaning) {
    if (meaning == AnswerClass::kGone) return closed(RunEnd::kGone);
    if (meaning != AnswerClass::kOk) return closed(RunEnd::kRejected);
    if (fate_.late_report != LatePlace::kAfterEnd) return closed(good_end);
    reporter_.send_late(fate_.late_choice, [this, good_end] { closed(good_end); });
  });
}

void UpdateRun::closed(RunEnd end) {
  if (end != RunEnd::kRejected) flash_.unreported.reset();
  if (end == RunEnd::kSkipped) attempt_.acked_end.clear();  // may be offered again, to be installed
  owner_.run_ended(end);                                    // last: it destroys this
}

}  // namespace ota::sim
