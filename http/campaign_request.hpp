// From the body of POST /campaigns to a campaign's specification; every bad field is named (spec/api.md section 4).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "actors/service.hpp"
#include "http/field_errors.hpp"
#include "http/problem.hpp"

namespace ota::http {

class JsonReader;

// What was refused is in `errors`; then nothing of the answer may be used. The id is left to the caller.
// `now`: scheduled_start must lie after it.
actors::CampaignSpec read_campaign(nlohmann::json& body, domain::Time now, FieldErrors& errors);

// A policy with other values in the fields that `changes` names; only those can be named that a replay knows (what_if.hpp).
domain::CampaignPolicy read_other_policy(nlohmann::json& changes, const domain::CampaignPolicy& recorded, FieldErrors& errors);

// What cannot be an id names no firmware: 404, as one that is not there (BR-OTA-011). To be answered once the fields are
// fine, and to be asked before they are read, which takes them out of the body.
std::optional<Problem> no_such_firmware(const nlohmann::json& body);

// The body of POST /devices/{id}/update, but for what only the views know (versions, size, number).
domain::UpdatePlan read_update_request(nlohmann::json& body, FieldErrors& errors, bool& allow_beta);

}  // namespace ota::http
