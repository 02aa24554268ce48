// What the devices' routes share: whose request it is, what its action stands for, how it is read and answered.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/client_profile.hpp"
#include "http/ddi_messages.hpp"

namespace ota::http::ddi {

domain::DeviceId device_id(const RequestContext& context);
// What the links of an answer to this request are made of.
Links links_of(const RequestContext& context, const Api& api);

// As JSON, HAL or CBOR, whichever is asked for, with an ETag; 304 if the device has it already.
void answer_message(RequestContext& context, std::string body);
// 400 where the administration's side says 422: what the protocol's clients know.
void answer_errors(RequestContext& context, const FieldErrors& errors);
// 406 and 415 as section 2 of the protocol has them; an answer without a body suits every Accept.
std::optional<Problem> check_media(const RequestContext& context);
// The body, JSON or CBOR; answered with 400 otherwise.
std::optional<nlohmann::json> body_of(RequestContext& context);
// What the body says, as `read` understands it; answered with 400 if it is none, or says what cannot be.
template <class Said>
std::optional<Said> said_in(RequestContext& context, Said (*read)(const nlohmann::json&, FieldErrors&)) {
  const auto body = body_of(context);
  if (!body) return std::nullopt;
  FieldErrors errors;
  std::optional<Said> said = read(*body, errors);
  if (errors.empty()) return said;
  answer_errors(context, errors);
  return std::nullopt;
}

// What an action of this device stands for.
struct Action {
  domain::ActionId id;
  std::uint32_t attempt = 0;
  domain::DeviceUpdate update;
  bool is_current() const { return update.attempt == attempt && update.in_progress(); }
  bool is_cancelled() const;
  bool waits_for_consent() const;
  // The device has said how it ended, and no other attempt follows.
  bool has_result() const;
};
// Answered with 400 or 404 if there is none.
std::optional<Action> action_of(RequestContext& context, Api& api);
// The number in the path; answered with 400 if it is none.
std::optional<domain::ActionId> action_id(RequestContext& context);
// The action of that number; answered with 404 if there is none.
std::optional<Action> find_action(RequestContext& context, Api& api, domain::ActionId id);
// Its firmware; answered with 404 if there is nothing to download.
std::optional<domain::Firmware> firmware_of(RequestContext& context, Api& api, const Action& action);

// What is known of the client that asks.
const ClientProfile& profile_of(const RequestContext& context, const Api& api);

// Whether what a device is to do or to agree to stays elsewhere: as a device over MQTT it is told there where that is; should
// it poll as well, there is nothing here that it could download (decision 29).
bool stays_elsewhere(const RequestContext& context, const projections::PollRecord& record, const Api& api);

// When its maintenance window opens; empty: it is open, or there is none, or it installs already (decision 14).
std::optional<domain::Time> closed_window_until(const domain::DeviceUpdate& update, const Api& api);
// What its client is to do with an action's artifacts.
Install install_of(const Action& action, const Api& api);

// How many lines of what it said the query asks for, `actionHistory`: none without it, all that can be for a negative one.
// Answered with 400 if it is no number.
std::optional<std::size_t> lines_wanted(RequestContext& context);
// So many lines that the device has said of an attempt, newest first; empty if there are none.
std::optional<History> history_of(const Api& api, const Action& action, std::size_t lines);

// ---- the routes, by what they are about --------------------------------------------------------------------------

void poll(RequestContext& context, Api& api);
void config_data(RequestContext& context, Api& api);
void deployment(RequestContext& context, Api& api);
void feedback(RequestContext& context, Api& api);
void cancel(RequestContext& context, Api& api);
void cancel_feedback(RequestContext& context, Api& api);
void installed(RequestContext& context, Api& api);
void declare_installed(RequestContext& context, Api& api);
void confirmations(RequestContext& context, Api& api);
void confirmation(RequestContext& context, Api& api);
void confirmation_feedback(RequestContext& context, Api& api);
void activate_auto_confirm(RequestContext& context, Api& api);
void deactivate_auto_confirm(RequestContext& context, Api& api);
void artifact_list(RequestContext& context, Api& api);

}  // namespace ota::http::ddi
