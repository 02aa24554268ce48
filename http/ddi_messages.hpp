// The messages of hawkBit DDI v1 (docs/devices.md): what a device is told, and what it says. Pure.
//
// Answers are minified and small: one client overflows at 1,100 bytes. Links are absolute, slashes are not escaped.
#pragma once

#include <functional>
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

// "/DEFAULT/controller/v1/pump-7": what the path of every link of a device begins with.
std::string device_path(std::string_view tenant, std::string_view device_id);

// A text as one segment of a path: percent-encoded where it has to be.
std::string path_segment(std::string_view text);

// What links are made of.
struct Links {
  std::string origin;                     // "https://ota.example"
  std::string path;                       // of the device
  // Gives the query that makes a link to bytes good by itself; empty: links need credentials.
  std::function<std::string(std::string_view path)> sign = {};

  std::string to(std::string_view below) const;         // a message
  std::string to_bytes(std::string_view below) const;   // an artifact
};

// What the device has said of an action, newest first.
struct History {
  std::string status;                     // the action's, in the protocol's words
  std::vector<std::string> messages;
};

// The number in a path; empty if it is none. One that is too large is the greatest, which nothing has.
std::optional<std::uint32_t> number_of(std::string_view text);

// "00:05:00". Never less than a second, always below a day: every client reads exactly this form.
std::string sleep_text(domain::Duration sleep);

// `wants_attributes`: configData is offered.
std::string poll(const Links& links, const projections::PollRecord& record, domain::Duration sleep,
                 bool wants_attributes);
// What the device is to do with an action's artifacts.
enum class Install {
  kNow,
  kLater,                // it holds: downloads, says `downloaded`, and reads again at every poll until it is kNow
  kNever,                // a download and no more
};
// `firmware` must have its content here.
std::string deployment(const Links& links, domain::ActionId action, const domain::Firmware& firmware,
                       const domain::UpdatePlan& plan, Install install, const std::optional<History>& history);
// The same, of an action that waits for its device's user.
std::string confirmation(const Links& links, domain::ActionId action, const domain::Firmware& firmware,
                         const domain::UpdatePlan& plan, const std::optional<History>& history);
// Whether the device's user agrees to everything beforehand, and the action that waits for a word; 0: none.
std::string confirmation_state(const Links& links, const std::optional<domain::AutoConfirm>& auto_confirm,
                               domain::ActionId waiting);
// Where a device gets the bytes of a firmware that are here.
std::string artifact_link(const Links& links, const domain::Firmware& firmware);
// The artifacts of a software module: a list of one.
std::string artifacts(const Links& links, const domain::Firmware& firmware);
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

// Body of activateAutoConfirm; may be null.
domain::SetAutoConfirm read_auto_confirm(const nlohmann::json& body, FieldErrors& errors);
// What the device says that it runs.
struct Declared {
  std::string name;
  std::string version;
};
Declared read_declared(const nlohmann::json& body, FieldErrors& errors);

domain::ChangeAttributes read_config_data(const nlohmann::json& body, FieldErrors& errors);

}  // namespace ota::http::ddi
