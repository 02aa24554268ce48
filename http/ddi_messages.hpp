// The messages of hawkBit DDI v1 (docs/devices.md): what a device is told, and what it says. Pure.
//
// Answers are minified and small: one client overflows at 1,100 bytes. Links are absolute, slashes are not escaped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "http/field_errors.hpp"
#include "projections/poll_index.hpp"

namespace ota::http::ddi {

// "https://ota.example/DEFAULT/controller/v1/pump-7": what every link of a device begins with.
std::string device_base(std::string_view origin, std::string_view tenant, std::string_view device_id);

// The number in a path; empty if it is none.
std::optional<std::uint32_t> number_of(std::string_view text);

// "00:05:00". Never less than a second, always below a day: every client reads exactly this form.
std::string sleep_text(domain::Duration sleep);

// `wants_attributes`: configData is offered.
std::string poll(const std::string& base, const projections::PollRecord& record, domain::Duration sleep,
                 bool wants_attributes);
// What the device is to do with an action's artifacts.
enum class Install {
  kNow,
  kLater,                // it holds: downloads, says `downloaded`, and reads again at every poll until it is kNow
  kNever,                // a download and no more
};
// `firmware` must have its content here.
std::string deployment(const std::string& base, domain::ActionId action, const domain::Firmware& firmware,
                       const domain::UpdatePlan& plan, Install install);
// The same, of an action that waits for its device's user.
std::string confirmation(const std::string& base, domain::ActionId action, const domain::Firmware& firmware,
                         const domain::UpdatePlan& plan);
// Who of this device's users is asked: nobody agrees by default, so every action waits for a word of its own.
std::string confirmation_state(const std::string& base, domain::ActionId waiting);
// The artifacts of a software module: a list of one.
std::string artifacts(const std::string& base, const domain::Firmware& firmware);
std::string cancel(domain::ActionId action);

// {"exceptionClass","errorCode","message"}, as clients log it.
std::string error(std::string_view code, std::string_view message);

struct Feedback {
  std::string execution;
  std::string finished;
  std::optional<std::uint32_t> progress_basis_points;
  std::optional<std::int32_t> code;
  std::vector<std::string> details;
};
// Tolerant where clients differ (ids, times, a text where a list is meant), strict where a wrong reading would matter.
Feedback read_feedback(const nlohmann::json& body, FieldErrors& errors);
domain::Report report_of(const Feedback& feedback, std::uint32_t attempt);
// The answer to a cancelAction; empty: neither yes nor no.
std::optional<bool> accepts_cancel(const Feedback& feedback);

struct Consent {
  bool agreed = false;
  std::vector<std::string> details;
};
Consent read_consent(const nlohmann::json& body, FieldErrors& errors);

domain::ChangeAttributes read_config_data(const nlohmann::json& body, FieldErrors& errors);

}  // namespace ota::http::ddi
