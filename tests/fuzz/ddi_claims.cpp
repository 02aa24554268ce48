#include "tests/fuzz/ddi_claims.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "domain/codec/codec.hpp"
#include "domain/device/device.hpp"
#include "domain/limits.hpp"
#include "domain/update/update.hpp"
#include "http/ddi_messages.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace ota::fuzz {
namespace {

using namespace domain;
using nlohmann::json;
namespace ddi = http::ddi;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
const Settings kSettings;

void check_errors(const http::FieldErrors& errors) {
  for (const auto& [place, message] : errors.listed()) {
    claim(place.starts_with("body."), "an error names its place");
    claim(!message.empty(), "and says what is wrong");
  }
  const auto problem = errors.problem();
  claim(json::accept(problem.to_json("id")), "the answer is JSON");
  // As the device is told (ddi_routes).
  claim(!(problem.message + ": " + problem.detail.dump()).empty(), "the answer can be written");
}

void check_details(const std::vector<std::string>& details) {
  claim(details.size() <= limits::kReportDetailLines, "details are bounded");
}

void check_texts(const std::vector<std::string>& details) {
  check_details(details);
  for (const auto& line : details) {
    claim(!line.empty() && line.size() <= limits::kReportDetailBytes, "a recorded line is bounded");
    claim(http::count_characters(line).has_value(), "a recorded line is text");
  }
}

void check_recorded(const Event& event) {
  const auto encoded = encode(event);
  const auto again = decode(encoded.type, encoded.payload);
  claim(again && *again == event, "what is recorded is read back");
  if (const auto* progress = std::get_if<ProgressReported>(&event)) {
    check_texts(progress->details);
    claim(progress->phase_basis_points <= 10'000, "progress is a part of the whole");
  } else if (const auto* late = std::get_if<LateReportRecorded>(&event)) {
    check_texts(late->details);
  } else if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
    claim(ended->error_message.size() <= limits::kReportDetailBytes,
          "an error's words are bounded");
  }
}

DeviceUpdate update_in(UpdateStatus status) {
  DeviceUpdate update;
  update.exists = true;
  update.id = UpdateId::direct(Bytes16{7});
  update.device = DeviceId{"pump-7"};
  update.status = status;
  update.attempt = 1;
  update.action = {4711};
  if (status >= UpdateStatus::kDownloading) update.started_at = kNow - std::chrono::minutes(5);
  return update;
}

// What the update decides can be read back, and is decided once.
void check_update(const DeviceUpdate& before, const UpdateCommand& command) {
  const Context context{kNow, {}, kSettings};
  const auto decided = decide(before, command, context);
  if (!decided) return claim(!decided.error().message.empty(), "a refusal has its reason");
  DeviceUpdate after = before;
  for (const auto& emitted : decided.value()) {
    check_recorded(emitted.event);
    evolve(
        after,
        Recorded{
            {after.position.value + 1}, kNow, emitted.stream, emitted.event, emitted.device, {}});
  }
  claim(after.progress_basis_points <= 10'000, "progress is at most the whole");
  const auto again = decide(after, command, context);
  claim(!again || std::all_of(again.value().begin(), again.value().end(),
                              [](const Emitted& e) {
                                return std::holds_alternative<LateReportRecorded>(e.event);
                              }),
        "said again, it records nothing but that it came late");
}

void check_feedback(const json& body) {
  http::FieldErrors errors;
  const auto said = ddi::read_feedback(body, errors);
  if (!errors.empty()) return check_errors(errors);
  constexpr std::array<std::string_view, 8> kExecutions{"closed",     "proceeding", "canceled",
                                                        "scheduled",  "rejected",   "resumed",
                                                        "downloaded", "download"};
  claim(std::find(kExecutions.begin(), kExecutions.end(), said.execution) != kExecutions.end(),
        "execution is a known word");
  claim(said.finished == "success" || said.finished == "failure" || said.finished == "none",
        "finished is a known word");
  claim(said.progress_basis_points.value_or(0) <= 10'000, "progress is a part of the whole");
  check_details(said.details);
  if (const auto code = body["status"].find("code"); said.code && code != body["status"].end()) {
    const bool negative =
        code->is_number_integer() && !code->is_number_unsigned() && code->get<std::int64_t>() < 0;
    claim((*said.code < 0) == negative, "a code keeps its sign");
  }
  const auto report = ddi::report_of(said, 1);
  claim(report.kind != Report::Kind::kFailure || said.finished == "failure",
        "only a failure is one");
  for (const auto status :
       {UpdateStatus::kInProgress, UpdateStatus::kDownloading, UpdateStatus::kVerifying,
        UpdateStatus::kInstalling, UpdateStatus::kRebooting, UpdateStatus::kCompleted}) {
    const auto update = update_in(status);
    check_update(update, report);
    if (const auto accepted = ddi::accepts_cancel(said)) {
      auto asked = update;
      asked.cancel = CancelRequested{CancelCause::kOperator, kNow + std::chrono::minutes(15)};
      check_update(asked, AnswerCancel{1, *accepted, said.details});
    }
  }
}

void check_consent(const json& body) {
  http::FieldErrors errors;
  const auto consent = ddi::read_consent(body, errors);
  if (!errors.empty()) return check_errors(errors);
  check_details(consent.details);
  auto update = update_in(UpdateStatus::kScheduled);
  update.consent_asked = 1;
  update.plan.requires_consent = true;
  check_update(update, AnswerConsent{1, consent.agreed, consent.details});
}

void check_values(const ChangeAttributes& change) {
  for (const auto& [key, value] : change.values) {
    claim(!key.empty() && key.size() <= limits::kAttributeBytes &&
              value.size() <= limits::kAttributeBytes,
          "an attribute is bounded");
    claim(http::count_characters(key) && http::count_characters(value), "an attribute is text");
  }
}

Device device_with(std::size_t attributes) {
  Device device;
  device.registered = true;
  device.id = DeviceId{"pump-7"};
  device.attributes = {{"serial", "A17"}, {"hwRevision", "2"}, {"firmware_version", "1.0.0"}};
  for (std::size_t i = device.attributes.size(); i < attributes; ++i)
    device.attributes["k" + std::to_string(i)] = "v";
  device.wants_attributes_from = kNow;
  return device;
}

void check_config_data(const json& body) {
  http::FieldErrors errors;
  const auto change = ddi::read_config_data(body, errors);
  if (!errors.empty()) return check_errors(errors);
  claim(!change.values.empty() || !change.removed.empty(), "something is said");
  check_values(change);
  const Context context{kNow, {}, kSettings};
  for (const std::size_t attributes : {std::size_t{3}, limits::kDeviceAttributes}) {
    const auto before = device_with(attributes);
    const auto decided = decide(before, change, context);
    if (!decided) {
      claim(!decided.error().message.empty(), "a refusal has its reason");
      continue;
    }
    Device after = before;
    for (const auto& emitted : decided.value()) {
      check_recorded(emitted.event);
      evolve(
          after,
          Recorded{
              {after.position.value + 1}, kNow, emitted.stream, emitted.event, emitted.device, {}},
          kSettings);
    }
    claim(after.attributes.size() <= limits::kDeviceAttributes,
          "a device has only so many attributes");
    claim(std::all_of(
              change.values.begin(), change.values.end(),
              [&](const auto& entry) { return after.attribute(entry.first) == entry.second; }),
          "what was said is what is known");
    const auto again = decide(after, change, context);
    claim(again.ok() && again.value().empty(), "said again, it changes nothing");
  }
}

}  // namespace

void check_device_body(const json& body) {
  check_feedback(body);
  check_consent(body);
  check_config_data(body);
}

}  // namespace ota::fuzz
