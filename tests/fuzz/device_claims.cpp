#include "tests/fuzz/device_claims.hpp"

#include <algorithm>

#include "domain/codec/codec.hpp"
#include "domain/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace ota::fuzz {
namespace {

using namespace domain;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
const Settings kSettings;
const Context kContext{kNow, {}, kSettings};

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
    claim(ended->error_code.size() <= limits::kReportDetailBytes, "and its code");
  }
}

Recorded recorded(const Emitted& emitted, Position before) {
  return {{before.value + 1}, kNow, emitted.stream, emitted.event, emitted.device, {}};
}

bool is_late(const Emitted& emitted) {
  return std::holds_alternative<LateReportRecorded>(emitted.event);
}

void check_update(const DeviceUpdate& before, const UpdateCommand& command) {
  const auto decided = decide(before, command, kContext);
  if (!decided) return claim(!decided.error().message.empty(), "a refusal has its reason");
  DeviceUpdate after = before;
  for (const auto& emitted : decided.value()) {
    check_recorded(emitted.event);
    evolve(after, recorded(emitted, after.position));
  }
  claim(after.progress_basis_points <= 10'000, "progress is at most the whole");
  const auto again = decide(after, command, kContext);
  claim(!again || std::all_of(again.value().begin(), again.value().end(), is_late),
        "said again, it records nothing but that it came late");
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

Device device_with(std::size_t attributes) {
  Device device;
  device.registered = true;
  device.id = DeviceId{"pump-7"};
  device.attributes = {{"serial", "A17"}, {"hwRevision", "2"}, {"firmware_version", "1.0.0"}};
  for (std::size_t i = device.attributes.size(); i < attributes; ++i) {
    device.attributes["k" + std::to_string(i)] = "v";
  }
  device.wants_attributes_from = kNow;
  return device;
}

void check_known(const Device& after, const DeviceCommand& command) {
  claim(after.attributes.size() <= limits::kDeviceAttributes, "a device has so many attributes");
  const auto* change = std::get_if<ChangeAttributes>(&command);
  if (!change) return;
  claim(std::all_of(change->values.begin(), change->values.end(),
                    [&](const auto& said) { return after.attribute(said.first) == said.second; }),
        "what was said is what is known");
}

void check_device(const Device& before, const DeviceCommand& command) {
  const auto decided = decide(before, command, kContext);
  if (!decided) return claim(!decided.error().message.empty(), "a refusal has its reason");
  Device after = before;
  for (const auto& emitted : decided.value()) {
    check_recorded(emitted.event);
    evolve(after, recorded(emitted, after.position), kSettings);
  }
  check_known(after, command);
  const auto again = decide(after, command, kContext);
  claim(again.ok() && again.value().empty(), "said again, it changes nothing");
}

}  // namespace

void check_said(const UpdateCommand& command) {
  auto asked = update_in(UpdateStatus::kScheduled);
  asked.consent_asked = 1;
  asked.plan.requires_consent = true;
  check_update(asked, command);
  for (const auto status :
       {UpdateStatus::kInProgress, UpdateStatus::kDownloading, UpdateStatus::kVerifying,
        UpdateStatus::kInstalling, UpdateStatus::kRebooting, UpdateStatus::kCompleted}) {
    auto update = update_in(status);
    check_update(update, command);
    update.cancel = CancelRequested{CancelCause::kOperator, kNow + std::chrono::minutes(15)};
    check_update(update, command);
  }
}

void check_said(const DeviceCommand& command) {
  for (const std::size_t attributes : {std::size_t{3}, limits::kDeviceAttributes}) {
    check_device(device_with(attributes), command);
  }
}

void check_details(const std::vector<std::string>& details) {
  claim(details.size() <= limits::kReportDetailLines, "details are bounded");
}

void check_attributes(const ChangeAttributes& change) {
  for (const auto& [key, value] : change.values) {
    claim(!key.empty() && key.size() <= limits::kAttributeBytes, "an attribute has a bounded name");
    claim(value.size() <= limits::kAttributeBytes, "an attribute is bounded");
    claim(http::count_characters(key) && http::count_characters(value), "an attribute is text");
  }
}

}  // namespace ota::fuzz
