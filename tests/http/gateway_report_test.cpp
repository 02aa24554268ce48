// What a gateway's words mean: phases, progress, kinds, attempts (spec/api.md section 5, decisions 8 and 26).
#include "http/gateway_report.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace ota::http {
namespace {

using domain::UpdateStatus;
using nlohmann::json;
using Kind = domain::Report::Kind;

struct ReadReport {
  domain::Report report;
  std::string faults;                       // "field: type", one behind the other
};

domain::DeviceUpdate of_attempt(std::uint32_t attempt) {
  domain::DeviceUpdate update;
  update.attempt = attempt;
  return update;
}

ReadReport read_report(json body, const domain::DeviceUpdate& update = of_attempt(3)) {
  FieldErrors errors;
  JsonReader reader(body, errors);
  ReadReport reading{read_gateway_report(update, reader), {}};
  if (errors.empty()) return reading;
  for (const auto& fault : errors.problem().detail) {
    reading.faults += fault["loc"].back().get<std::string>() + ": " + fault["type"].get<std::string>() + "\n";
  }
  return reading;
}

UpdateStatus phase(const json& body) {
  const auto reading = read_report(body);
  CHECK(reading.faults.empty());
  return reading.report.phase.value_or(UpdateStatus::kCreated);
}

TEST_CASE("current_phase is the phase where the status says no more than in_progress, or nothing") {
  CHECK(phase({{"current_phase", "verifying"}}) == UpdateStatus::kVerifying);
  CHECK(phase({{"status", "in_progress"}, {"current_phase", "installing"}}) == UpdateStatus::kInstalling);
  CHECK(phase({{"status", "rebooting"}}) == UpdateStatus::kRebooting);
  CHECK(phase({{"status", "downloading"}, {"current_phase", "downloading"}}) == UpdateStatus::kDownloading);
  const auto words = read_report({{"status", "in_progress"}});
  CHECK_FALSE(words.report.phase);
  CHECK(words.report.kind == Kind::kNote);
  CHECK(read_report({{"current_phase", "rebooting"}}).report.kind == Kind::kProgress);
}

TEST_CASE("a status and a phase that contradict each other are refused, and so is neither") {
  CHECK(read_report({{"status", "verifying"}, {"current_phase", "installing"}}).faults == "current_phase: value_error\n");
  CHECK(read_report({{"status", "completed"}, {"current_phase", "downloading"}}).faults == "current_phase: value_error\n");
  CHECK(read_report({{"status", "completed"}, {"current_phase", "rebooting"}}).report.kind == Kind::kSuccess);
  CHECK(read_report({{"status", "failed"}, {"current_phase", "downloading"}}).report.kind == Kind::kFailure);
  auto download_only = of_attempt(1);
  download_only.plan.download_only = true;
  CHECK(read_report({{"status", "completed"}, {"current_phase", "downloading"}}, download_only).faults.empty());
  CHECK(read_report(json::object()).faults == "status: missing\n");
  CHECK(read_report({{"current_phase", "completed"}}).faults == "current_phase: enum\n");
  CHECK(read_report({{"current_phase", "scheduled"}}).faults == "current_phase: enum\n");
  CHECK(read_report({{"status", "scheduled"}}).faults == "status: enum\n");
  CHECK(read_report({{"status", "rollback"}}).faults == "status: enum\n");
}

TEST_CASE("progress_percentage is the formula read backwards: what is told of the whole is shown again") {
  for (double percent = 0; percent <= 100; percent += 0.5) {
    CAPTURE(percent);
    const auto report = read_report({{"status", "in_progress"}, {"progress_percentage", percent}}).report;
    if (!report.phase) {
      CHECK(percent <= 5);
      continue;
    }
    const double shown = domain::progress_basis_points(*report.phase, report.phase_basis_points.value_or(0)) / 100.0;
    // Between phases there is nothing to be shown: never more than was said, at most the gap less.
    CHECK(shown <= percent);
    const bool in_a_gap = (percent > 50 && percent < 55) || (percent > 55 && percent < 60) || percent > 90;
    if (!in_a_gap) CHECK(std::abs(shown - percent) < 0.011);   // of whole 1/100 %
  }
  CHECK(phase({{"status", "in_progress"}, {"progress_percentage", 55}}) == UpdateStatus::kVerifying);
  CHECK(phase({{"status", "in_progress"}, {"progress_percentage", 92}}) == UpdateStatus::kRebooting);
}

TEST_CASE("a phase that is named takes its own part of the progress") {
  const auto points = [](const json& body) { return read_report(body).report.phase_basis_points.value_or(77); };
  CHECK(points({{"current_phase", "downloading"}, {"progress_percentage", 27.5}}) == 5'000);
  CHECK(points({{"current_phase", "installing"}, {"progress_percentage", 75}}) == 5'000);
  CHECK(points({{"current_phase", "installing"}, {"progress_percentage", 20}}) == 0);
  CHECK(points({{"current_phase", "downloading"}, {"progress_percentage", 80}}) == 10'000);
  CHECK(points({{"current_phase", "verifying"}, {"progress_percentage", 57}}) == 77);
  CHECK(points({{"status", "downloading"}, {"download_progress", 12.34}, {"progress_percentage", 50}}) == 1'234);
  CHECK(points({{"status", "installing"}, {"phase_progress", 40}}) == 4'000);
  CHECK(points({{"status", "in_progress"}, {"download_progress", 40}}) == 4'000);
  CHECK(read_report({{"status", "downloading"}, {"progress_percentage", 100.5}}).faults == "progress_percentage: less_than_equal\n");
}

TEST_CASE("decision 8: a failure is the device's, unless the gateway says what else it was") {
  CHECK(read_report({{"status", "failed"}}).report.failure == domain::FailureKind::kDevice);
  CHECK(read_report({{"status", "failed"}, {"error_kind", "transport"}}).report.failure == domain::FailureKind::kTransport);
  CHECK(read_report({{"status", "failed"}, {"error_kind", "service"}}).report.failure == domain::FailureKind::kService);
  CHECK(read_report({{"status", "failed"}, {"error_kind", "timeout"}}).faults == "error_kind: enum\n");
  CHECK(read_report({{"status", "failed"}, {"error_kind", "weather"}}).faults == "error_kind: enum\n");
}

TEST_CASE("decision 26: a report is of the attempt that it names, else of the present one") {
  CHECK(read_report({{"status", "completed"}}).report.attempt == 3);
  CHECK(read_report({{"status", "completed"}, {"attempt", 1}}).report.attempt == 1);
  CHECK(read_report({{"status", "completed"}, {"attempt", 3}}).report.attempt == 3);
  CHECK(read_report({{"status", "completed"}, {"attempt", 4}}).faults == "attempt: value_error\n");
  CHECK(read_report({{"status", "completed"}, {"attempt", 0}}).faults == "attempt: greater_than_equal\n");
  CHECK(read_report({{"status", "completed"}, {"attempt", "2"}}).faults == "attempt: int_type\n");
}

}  // namespace
}  // namespace ota::http
