#include "http/ddi_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/limits.hpp"
#include "eventstore/base64.hpp"
#include "http/text.hpp"

namespace ota::http::ddi {
namespace {

using nlohmann::json;
using ordered = nlohmann::ordered_json;

constexpr std::array<std::string_view, 8> kExecutions{"closed",   "proceeding", "canceled",   "scheduled",
                                                      "rejected", "resumed",    "downloaded", "download"};
constexpr std::array<std::string_view, 2> kConfirmations{"confirmed", "denied"};
constexpr std::array<std::string_view, 3> kFinished{"success", "failure", "none"};

std::string hex(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

// Changes when what the action means changes; hides nothing and is never read back.
std::uint32_t link_check(domain::ActionId action, bool changed) {
  constexpr std::uint32_t kSigned = 0x7fff'ffff;  // clients read it as a signed number
  return (action.value * 2 + (changed ? 1 : 0)) & kSigned;
}

std::string artifact_path(const domain::Firmware& f) {
  return fmt::format("softwaremodules/{}/artifacts/{}", f.record.facts.number, path_segment(f.record.file_name));
}

ordered artifact(const Links& links, const domain::Firmware& f) {
  const auto& r = f.record;
  const auto file = artifact_path(f);
  return {{"filename", r.file_name},
          {"size", r.facts.file_size},
          {"hashes", {{"sha1", hex(f.sha1)}, {"md5", hex(r.md5)}, {"sha256", hex(r.sha256)}}},
          {"_links",
           {{"download-http", {{"href", links.to_bytes(file)}}}, {"md5sum-http", {{"href", links.to_bytes(file + ".MD5SUM")}}}}}};
}

ordered chunks(const Links& links, const domain::Firmware& f, const domain::UpdatePlan& plan) {
  const auto& r = f.record;
  ordered chunk{{"part", "bApp"}, {"version", r.facts.version}, {"name", r.name}};
  ordered metadata = ordered::array();
  for (const auto& command : plan.pre_update_commands) metadata.push_back({{"key", "pre_update"}, {"value", command}});
  for (const auto& command : plan.post_update_commands) metadata.push_back({{"key", "post_update"}, {"value", command}});
  // Over the SHA-256 of the artifact, for a device that trusts whoever built it and not whoever hands it out.
  if (!r.signature.empty()) metadata.push_back({{"key", "signature"}, {"value", eventstore::base64_of(r.signature)}});
  if (!metadata.empty()) chunk["metadata"] = std::move(metadata);
  chunk["artifacts"] = ordered::array({artifact(links, f)});
  return ordered::array({std::move(chunk)});
}

std::string dump(const ordered& j) { return j.dump(-1, ' ', false, ordered::error_handler_t::replace); }

json place(std::initializer_list<std::string_view> names) {
  json at = json::array({"body"});
  for (const auto name : names) at.push_back(name);
  return at;
}

const json* member(const json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// The member, which has to be an object; null if it is none.
const json* object_member(const json& object, std::string_view name, const json& at, FieldErrors& errors) {
  const auto* value = member(object, name);
  if (!value) {
    errors.add(at, "field required", "missing");
  } else if (!value->is_object()) {
    errors.add(at, fmt::format("an object is wanted, got {}", shown(value->dump())), "dict_type");
    return nullptr;
  }
  return value;
}

template <std::size_t N>
std::string word(const json* value, const std::array<std::string_view, N>& words, const json& at,
                 FieldErrors& errors) {
  if (!value) {
    errors.add(at, "field required", "missing");
    return {};
  }
  if (!value->is_string() || std::find(words.begin(), words.end(), value->get_ref<const std::string&>()) == words.end()) {
    errors.add(at, fmt::format("{} is none of {}", shown(value->dump()), fmt::join(words, ", ")), "enum");
    return {};
  }
  return value->get<std::string>();
}

// A list of texts, or one that is none.
std::vector<std::string> details_of(const json& object) {
  std::vector<std::string> lines;
  const auto* details = member(object, "details");
  if (!details) return lines;
  const auto add = [&](const json& line) { lines.push_back(line.is_string() ? line.get<std::string>() : line.dump()); };
  if (!details->is_array()) {
    add(*details);
    return lines;
  }
  // The last ones: why it failed is said at the end.
  const auto too_many = details->size() - std::min(details->size(), domain::limits::kReportDetailLines);
  for (std::size_t i = too_many; i < details->size(); ++i) add((*details)[i]);
  return lines;
}

std::optional<std::uint32_t> progress_of(const json* progress) {
  if (!progress) return std::nullopt;
  const auto* count = member(*progress, "cnt");
  const auto* of = member(*progress, "of");
  if (!count || !of || !count->is_number() || !of->is_number()) return std::nullopt;
  const double whole = of->get<double>();
  const double part = count->get<double>();
  if (!(whole > 0) || !(part >= 0)) return std::nullopt;
  return static_cast<std::uint32_t>(std::min(part / whole, 1.0) * 10'000.0);
}

// What is beyond its bounds is the nearest within; also what is beyond those of a signed number.
std::int32_t code_of(const json& code) {
  if (code.is_number_unsigned()) return static_cast<std::int32_t>(std::min<std::uint64_t>(code.get<std::uint64_t>(), INT32_MAX));
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(code.get<std::int64_t>(), INT32_MIN, INT32_MAX));
}

bool is_attribute_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return b == '\t' || b == '\n' || b == '\r' || (b >= 0x20 && b < 0x7f && b != '`' && b != '~');
  });
}

}  // namespace

std::string path_segment(std::string_view text) { return percent_encode(text, "-._~:"); }

std::string device_path(std::string_view tenant, std::string_view device_id) {
  return fmt::format("/{}/controller/v1/{}", tenant, path_segment(device_id));
}

std::string Links::to(std::string_view below) const { return fmt::format("{}{}/{}", origin, path, below); }

std::string Links::to_bytes(std::string_view below) const {
  const auto whole = fmt::format("{}/{}", path, below);
  return origin + whole + (sign ? sign(whole) : std::string());
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || (fault != std::errc{} && fault != std::errc::result_out_of_range)) return std::nullopt;
  return fault == std::errc{} ? value : UINT32_MAX;
}

std::string sleep_text(domain::Duration sleep) {
  const auto s = std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(sleep).count(), 1, 86'399);
  return fmt::format("{:02}:{:02}:{:02}", s / 3'600, s / 60 % 60, s % 60);
}

std::string poll(const Links& all, const projections::PollRecord& r, domain::Duration sleep, bool wants_attributes) {
  std::string links;
  const auto link = [&](std::string_view name, const std::string& path) {
    if (!links.empty()) links += ',';
    links += fmt::format("\"{}\":{{\"href\":\"{}\"}}", name, all.to(path));
  };
  const auto action_link = [&](const char* name, domain::ActionId action, bool changed) {
    link(name, fmt::format("{}/{}?c={}", name, action.value, link_check(action, changed)));
  };
  if (r.active.value != 0) {
    if (r.cancelling) {
      link("cancelAction", fmt::format("cancelAction/{}", r.active.value));
    } else if (!r.awaits_version) {  // there is nothing more to do, and some clients would do it again
      action_link("deploymentBase", r.active, r.released);
    }
  } else if (r.consent.value != 0) {
    action_link("confirmationBase", r.consent, false);
  }
  if (r.installed.value != 0) {
    link("installedBase", fmt::format("installedBase/{}", r.installed.value));
  }
  if (wants_attributes) link("configData", "configData");
  std::string body = fmt::format("{{\"config\":{{\"polling\":{{\"sleep\":\"{}\"}}}}", sleep_text(sleep));
  if (!links.empty()) body += ",\"_links\":{" + links + "}";
  return body + "}";
}

namespace {

void add_history(ordered& body, const std::optional<History>& history) {
  if (history) body["actionHistory"] = {{"status", history->status}, {"messages", history->messages}};
}

}  // namespace

std::string deployment(const Links& links, domain::ActionId action, const domain::Firmware& f,
                       const domain::UpdatePlan& plan, Install install, const std::optional<History>& history) {
  ordered body{{"download", "forced"}, {"update", install == Install::kNow ? "forced" : "skip"}};
  // Without the word a client takes "skip" as: never.
  if (install == Install::kLater) body["maintenanceWindow"] = "unavailable";
  if (install == Install::kNow && plan.maintenance_window) body["maintenanceWindow"] = "available";
  body["chunks"] = chunks(links, f, plan);
  ordered answer{{"id", std::to_string(action.value)}, {"deployment", std::move(body)}};
  add_history(answer, history);
  return dump(answer);
}

std::string confirmation(const Links& links, domain::ActionId action, const domain::Firmware& f,
                         const domain::UpdatePlan& plan, const std::optional<History>& history) {
  ordered answer{{"id", std::to_string(action.value)},
                 {"confirmation", {{"download", "forced"}, {"update", "forced"}, {"chunks", chunks(links, f, plan)}}}};
  add_history(answer, history);
  return dump(answer);
}

std::string confirmation_state(const Links& all, const std::optional<domain::AutoConfirm>& auto_confirm,
                               domain::ActionId waiting) {
  ordered state{{"active", auto_confirm.has_value()}};
  if (auto_confirm) {
    if (!auto_confirm->initiator.empty()) state["initiator"] = auto_confirm->initiator;
    if (!auto_confirm->remark.empty()) state["remark"] = auto_confirm->remark;
    state["activatedAt"] =
        std::chrono::floor<std::chrono::milliseconds>(auto_confirm->since).time_since_epoch().count();
  }
  const auto* change = auto_confirm ? "deactivateAutoConfirm" : "activateAutoConfirm";
  ordered links{{change, {{"href", all.to(fmt::format("confirmationBase/{}", change))}}}};
  if (waiting.value != 0) {
    const auto below = fmt::format("confirmationBase/{}?c={}", waiting.value, link_check(waiting, false));
    links["confirmationBase"] = {{"href", all.to(below)}};
  }
  return dump({{"autoConfirm", std::move(state)}, {"_links", std::move(links)}});
}

std::string artifact_link(const Links& links, const domain::Firmware& f) { return links.to_bytes(artifact_path(f)); }

std::string artifacts(const Links& links, const domain::Firmware& f) {
  return dump(ordered::array({artifact(links, f)}));
}

std::string cancel(domain::ActionId action) {
  return fmt::format("{{\"id\":\"{0}\",\"cancelAction\":{{\"stopId\":\"{0}\"}}}}", action.value);
}

std::string error(std::string_view code, std::string_view message) {
  return dump({{"exceptionClass", "org.eclipse.hawkbit.repository.exception"},
               {"errorCode", fmt::format("hawkbit.server.error.{}", code)},
               {"message", message}});
}

Feedback read_feedback(const json& body, FieldErrors& errors) {
  Feedback f;
  const auto* status = object_member(body, "status", place({"status"}), errors);
  if (!status) return f;
  f.execution = word(member(*status, "execution"), kExecutions, place({"status", "execution"}), errors);
  const auto* result = object_member(*status, "result", place({"status", "result"}), errors);
  if (!result) return f;
  f.finished = word(member(*result, "finished"), kFinished, place({"status", "result", "finished"}), errors);
  f.progress_basis_points = progress_of(member(*result, "progress"));
  if (const auto* code = member(*status, "code"); code && code->is_number_integer()) f.code = code_of(*code);
  f.details = details_of(*status);
  return f;
}

domain::Report report_of(const Feedback& f, std::uint32_t attempt) {
  using Kind = domain::Report::Kind;
  domain::Report r;
  r.attempt = attempt;
  r.code = f.code;
  r.details = f.details;
  r.phase_basis_points = f.progress_basis_points;
  if (f.execution == "closed") {
    r.kind = f.finished == "failure" ? Kind::kFailure : Kind::kSuccess;
  } else if (f.execution == "download") {
    r.phase = domain::UpdateStatus::kDownloading;
  } else if (f.execution == "downloaded") {
    r.phase = domain::UpdateStatus::kVerifying;
  } else if (f.execution != "proceeding") {
    r.kind = Kind::kNote;  // canceled, scheduled, rejected, resumed: an entry, no more
  }
  return r;
}

std::optional<bool> accepts_cancel(const Feedback& f) {
  if (f.execution == "closed") return f.finished != "failure";
  if (f.execution == "rejected") return false;
  return std::nullopt;
}

Consent read_consent(const json& body, FieldErrors& errors) {
  Consent consent;
  consent.agreed = word(member(body, "confirmation"), kConfirmations, place({"confirmation"}), errors) == "confirmed";
  consent.details = details_of(body);
  return consent;
}

namespace {

std::string words_of(const json& body, std::string_view name, FieldErrors& errors) {
  const auto* value = member(body, name);
  if (!value) return {};
  if (value->is_string()) return value->get<std::string>();
  errors.add(place({name}), fmt::format("a text is wanted, got {}", shown(value->dump())), "string_type");
  return {};
}

}  // namespace

domain::SetAutoConfirm read_auto_confirm(const json& body, FieldErrors& errors) {
  if (!body.is_object() && !body.is_null()) errors.add(place({}), "an object is wanted", "dict_type");
  return {true, words_of(body, "initiator", errors), words_of(body, "remark", errors)};
}

Declared read_declared(const json& body, FieldErrors& errors) {
  Declared declared{words_of(body, "name", errors), words_of(body, "version", errors)};
  for (const auto* name : {"name", "version"}) {
    const auto* value = member(body, name);
    if (!value || (value->is_string() && value->get_ref<const std::string&>().empty())) {
      errors.add(place({name}), "field required", "missing");
    }
  }
  return declared;
}

domain::ChangeAttributes read_config_data(const json& body, FieldErrors& errors) {
  domain::ChangeAttributes change;
  change.by_device = true;
  if (const auto* mode = member(body, "mode")) {
    const auto text = mode->is_string() ? mode->get<std::string>() : mode->dump();
    if (text == "replace") {
      change.mode = domain::ChangeAttributes::Mode::kReplace;
    } else if (text == "remove") {
      change.mode = domain::ChangeAttributes::Mode::kRemove;
    } else if (text != "merge") {
      errors.add(place({"mode"}), fmt::format("{} is none of merge, replace, remove", shown(text)), "enum");
    }
  }
  const auto* data = object_member(body, "data", place({"data"}), errors);
  if (!data) return change;
  if (data->empty()) errors.add(place({"data"}), "it names no attribute: {}", "missing");
  for (const auto& [key, value] : data->items()) {
    if (value.is_null() || change.mode == domain::ChangeAttributes::Mode::kRemove) {
      change.removed.push_back(key);
      continue;
    }
    if (value.is_structured()) {
      errors.add(place({"data", key}), fmt::format("a text is wanted, got {}", shown(value.dump())), "string_type");
      continue;
    }
    auto text = value.is_string() ? value.get<std::string>() : value.dump();
    for (const auto& [part, what] : {std::pair<const std::string&, const char*>{key, "key"}, {text, "value"}}) {
      if (part.size() > domain::limits::kAttributeBytes || !is_attribute_text(part) || (part.empty() && &part == &key)) {
        errors.add(place({"data", key}),
                   fmt::format("the {} {} is not 1-{} characters of plain text", what, shown(part),
                               domain::limits::kAttributeBytes),
                   "invalidTargetAttributes");
      }
    }
    change.values[key] = std::move(text);
  }
  return change;
}

}  // namespace ota::http::ddi
