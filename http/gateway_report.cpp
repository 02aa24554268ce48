#include "http/gateway_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ota::http {
namespace {

using domain::UpdateStatus;

constexpr const char* kStatuses =
    "in_progress, downloading, verifying, installing, rebooting, completed, failed, cancelled";
constexpr const char* kPhases = "downloading, verifying, installing, rebooting";
constexpr const char* kErrorKinds = "device, transport, service";

bool is_phase(UpdateStatus status) {
  return status >= UpdateStatus::kDownloading && status <= UpdateStatus::kRebooting;
}

std::optional<UpdateStatus> parse_phase(std::string_view word) {
  const auto status = domain::parse_update_status(word);
  return status && is_phase(*status) ? status : std::nullopt;
}

// A timeout is ours to find out.
std::optional<domain::FailureKind> parse_error_kind(std::string_view word) {
  using domain::FailureKind;
  for (const auto kind : {FailureKind::kDevice, FailureKind::kTransport, FailureKind::kService}) {
    if (domain::to_text(kind) == word) return kind;
  }
  return std::nullopt;
}

// ---- progress: the formula of spec/api.md section 5, read backwards ----------------------------------------------

// Where the phases begin, in percent of the whole, and what a phase that moves takes of it.
constexpr double kDownloadingFrom = 5.0;
constexpr double kDownloadingTakes = 45.0;
constexpr double kVerifyingFrom = 55.0;
constexpr double kInstallingFrom = 60.0;
constexpr double kInstallingTakes = 30.0;
constexpr double kRebootingFrom = 92.0;

// Empty: it is in progress, and no phase has begun.
std::optional<UpdateStatus> phase_at(double percent) {
  if (percent >= kRebootingFrom) return UpdateStatus::kRebooting;
  if (percent >= kInstallingFrom) return UpdateStatus::kInstalling;
  if (percent >= kVerifyingFrom) return UpdateStatus::kVerifying;
  if (percent > kDownloadingFrom) return UpdateStatus::kDownloading;
  return std::nullopt;
}

std::uint32_t basis_points(double percent) {
  return static_cast<std::uint32_t>(std::lround(std::clamp(percent, 0.0, 100.0) * 100.0));
}

// What is done of a phase when this is done of the whole; the other phases do not move.
std::optional<std::uint32_t> within(UpdateStatus phase, double percent) {
  // Upwards: shown again, it is what was said.
  const auto share = [&](double from, double takes) {
    return static_cast<std::uint32_t>(std::ceil(std::clamp((percent - from) / takes, 0.0, 1.0) * 10'000.0));
  };
  if (phase == UpdateStatus::kDownloading) return share(kDownloadingFrom, kDownloadingTakes);
  if (phase == UpdateStatus::kInstalling) return share(kInstallingFrom, kInstallingTakes);
  return std::nullopt;
}

// ---- words -------------------------------------------------------------------------------------------------------

struct Words {
  std::optional<UpdateStatus> status;
  std::optional<UpdateStatus> phase;
};

Words read_words(const domain::DeviceUpdate& update, JsonReader& body) {
  const Words words{body.word("status", domain::parse_update_status, kStatuses),
                    body.word("current_phase", parse_phase, kPhases)};
  if (!body.has("status") && !body.has("current_phase")) {
    body.fail("status", "field required, or current_phase", "missing");
  }
  if (!words.status) return words;
  const auto status = *words.status;
  if (status == UpdateStatus::kCreated || status == UpdateStatus::kScheduled || status == UpdateStatus::kRollback) {
    body.fail("status", fmt::format("a device cannot report {}; {} it can", domain::to_text(status), kStatuses),
              "enum");
  }
  if (!words.phase) return words;
  // One that failed or was declined did so in some phase; who has completed is past the first two.
  const bool not_there_yet = status == UpdateStatus::kCompleted && *words.phase < UpdateStatus::kInstalling &&
                             !update.plan.download_only;
  if ((is_phase(status) && status != *words.phase) || not_there_yet) {
    body.fail("current_phase", fmt::format("the phase {} contradicts the status {}", domain::to_text(*words.phase),
                                           domain::to_text(status)));
  }
  return words;
}

void take_progress(domain::Report& report, const Words& words, JsonReader& body) {
  const auto download = body.number("download_progress", {0, 100});
  const auto phase_progress = body.number("phase_progress", {0, 100});
  const auto overall = body.number("progress_percentage", {0, 100});
  if (words.phase) {
    report.phase = words.phase;
  } else if (words.status && is_phase(*words.status)) {
    report.phase = words.status;
  } else if (overall) {
    report.phase = phase_at(*overall);
  } else if (download) {
    report.phase = UpdateStatus::kDownloading;
  }
  if (!report.phase) {   // in progress is every phase: it stays in the one that it is in
    report.kind = domain::Report::Kind::kNote;
  } else if (*report.phase == UpdateStatus::kDownloading && download) {
    report.phase_basis_points = basis_points(*download);
  } else if (*report.phase == UpdateStatus::kInstalling && phase_progress) {
    report.phase_basis_points = basis_points(*phase_progress);
  } else if (overall) {
    report.phase_basis_points = within(*report.phase, *overall);
  }
}

}  // namespace

std::uint32_t read_attempt(const domain::DeviceUpdate& update, JsonReader& body) {
  const auto attempt = body.integer("attempt", {1, UINT32_MAX});
  if (!attempt) return update.attempt;
  if (*attempt > update.attempt) {
    body.fail("attempt", fmt::format("there is no attempt {} yet: the last one is {}", *attempt, update.attempt));
  }
  return static_cast<std::uint32_t>(*attempt);
}

domain::Report read_gateway_report(const domain::DeviceUpdate& update, JsonReader& body) {
  using Kind = domain::Report::Kind;
  domain::Report report;
  report.attempt = read_attempt(update, body);
  const auto words = read_words(update, body);
  take_progress(report, words, body);
  switch (words.status.value_or(UpdateStatus::kInProgress)) {
    case UpdateStatus::kCompleted: report.kind = Kind::kSuccess; break;
    case UpdateStatus::kFailed: report.kind = Kind::kFailure; break;
    case UpdateStatus::kCancelled: report.kind = Kind::kDeclined; break;
    default: break;
  }
  report.failure = body.word_or("error_kind", parse_error_kind, kErrorKinds, domain::FailureKind::kDevice);
  report.bytes_per_second = static_cast<std::uint64_t>(body.number_or("download_speed", {0, 1e12}, 0));
  report.error_code = body.string_or("error_code", {0, 100}, "");
  report.error_message = body.string_or("error_message", {0, 1'000}, "");
  report.signature_verified = body.boolean("signature_verified");
  report.checksum_verified = body.boolean("checksum_verified");
  return report;
}

}  // namespace ota::http
