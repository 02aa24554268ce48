#include "tests/fuzz/ddi_claims.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "http/ddi_messages.hpp"
#include "tests/fuzz/device_claims.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace ota::fuzz {
namespace {

using domain::Report;
using nlohmann::json;
namespace ddi = http::ddi;

void check_errors(const http::FieldErrors& errors) {
  for (const auto& [place, message] : errors.listed()) {
    claim(place == "body" || place.starts_with("body."), "an error names its place");
    claim(!message.empty(), "and says what is wrong");
  }
  const auto problem = errors.problem();
  claim(json::accept(problem.to_json("id")), "the answer is JSON");
  // As the device is told.
  claim(!(problem.message + ": " + problem.detail.dump()).empty(), "the answer can be written");
}

bool is_negative(const json& number) {
  return number.is_number_integer() && !number.is_number_unsigned() &&
         number.get<std::int64_t>() < 0;
}

void check_words(const ddi::Feedback& said) {
  constexpr std::array<std::string_view, 8> kExecutions{"closed",     "proceeding", "canceled",
                                                        "scheduled",  "rejected",   "resumed",
                                                        "downloaded", "download"};
  constexpr std::array<std::string_view, 3> kFinished{"success", "failure", "none"};
  claim(std::find(kExecutions.begin(), kExecutions.end(), said.execution) != kExecutions.end(),
        "execution is a known word");
  claim(std::find(kFinished.begin(), kFinished.end(), said.finished) != kFinished.end(),
        "finished is a known word");
}

void check_feedback(const json& body) {
  http::FieldErrors errors;
  const auto said = ddi::read_feedback(body, errors);
  if (!errors.empty()) return check_errors(errors);
  check_words(said);
  claim(said.progress_basis_points.value_or(0) <= 10'000, "progress is a part of the whole");
  check_details(said.details);
  if (said.code) {
    claim((*said.code < 0) == is_negative(body["status"]["code"]), "a code keeps its sign");
  }
  const auto report = ddi::report_of(said, 1);
  claim(report.kind != Report::Kind::kFailure || said.finished == "failure",
        "only a failure is one");
  check_said(domain::UpdateCommand(report));
  if (const auto accepted = ddi::accepts_cancel(said)) {
    check_said(domain::UpdateCommand(domain::AnswerCancel{1, *accepted, said.details}));
  }
}

void check_consent(const json& body) {
  http::FieldErrors errors;
  const auto consent = ddi::read_consent(body, errors);
  if (!errors.empty()) return check_errors(errors);
  check_details(consent.details);
  check_said(domain::UpdateCommand(domain::AnswerConsent{1, consent.agreed, consent.details}));
}

void check_auto_confirm(const json& body) {
  http::FieldErrors errors;
  const auto change = ddi::read_auto_confirm(body, errors);
  if (!errors.empty()) return check_errors(errors);
  claim(change.active, "it is activated");
  check_said(domain::DeviceCommand(change));
}

void check_declared(const json& body) {
  http::FieldErrors errors;
  const auto declared = ddi::read_declared(body, errors);
  if (!errors.empty()) return check_errors(errors);
  claim(!declared.name.empty() && !declared.version.empty(), "what runs has a name and a version");
}

void check_config_data(const json& body) {
  http::FieldErrors errors;
  const auto change = ddi::read_config_data(body, errors);
  if (!errors.empty()) return check_errors(errors);
  claim(!change.values.empty() || !change.removed.empty(), "something is said");
  check_attributes(change);
  check_said(domain::DeviceCommand(change));
}

}  // namespace

void check_device_body(const json& body) {
  check_feedback(body);
  check_consent(body);
  check_auto_confirm(body);
  check_declared(body);
  check_config_data(body);
}

}  // namespace ota::fuzz
