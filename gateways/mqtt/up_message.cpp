#include "gateways/mqtt/up_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "domain/limits.hpp"
#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {
namespace {

using nlohmann::json;
using domain::UpdateStatus;
using Kind = domain::Report::Kind;

std::string shown(std::string text) {
  if (text.size() <= limits::kShownBytes) return text;
  std::size_t end = limits::kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}
std::string shown(const json& value) { return shown(value.dump(-1, ' ', false, json::error_handler_t::replace)); }

// Reads members of one object and collects what is wrong with them.
class Fields {
 public:
  Fields(const json& object, Faults& faults) : object_(object), faults_(faults) {}

  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  void fail(std::string field, std::string message) { faults_.add(std::move(field), std::move(message)); }

  std::string text(const char* name, std::size_t bytes_max) {
    const auto* value = find(name);
    if (!value) return {};
    if (!value->is_string()) {
      fail(name, fmt::format("a text is wanted, got {}", shown(*value)));
      return {};
    }
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() > bytes_max) fail(name, fmt::format("at most {} bytes, got {}: {}", bytes_max, text.size(), shown(*value)));
    return text;
  }

  // One of these words; empty if there is none, which is a fault only if it is `required`.
  template <std::size_t N>
  std::string word(const char* name, const std::array<std::string_view, N>& words, bool required) {
    const auto* value = find(name);
    if (!value) {
      if (required) fail(name, fmt::format("field required: one of {}", fmt::join(words, ", ")));
      return {};
    }
    if (value->is_string()) {
      const auto& text = value->get_ref<const std::string&>();
      if (std::find(words.begin(), words.end(), text) != words.end()) return text;
    }
    fail(name, fmt::format("{} is none of {}", shown(*value), fmt::join(words, ", ")));
    return {};
  }

  std::optional<double> number(const char* name, double least, double most) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_number()) {
      const auto given = value->get<double>();
      if (given >= least && given <= most) return given;
    }
    fail(name, fmt::format("a number from {} to {} is wanted, got {}", least, most, shown(*value)));
    return std::nullopt;
  }

  std::optional<std::int64_t> integer(const char* name, std::int64_t least, std::int64_t most) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    const bool fits = value->is_number_unsigned() ? value->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                                                  : value->is_number_integer();
    if (fits) {
      const auto given = value->get<std::int64_t>();
      if (given >= least && given <= most) return given;
    }
    fail(name, fmt::format("a whole number from {} to {} is wanted, got {}", least, most, shown(*value)));
    return std::nullopt;
  }

  std::optional<bool> boolean(const char* name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    fail(name, fmt::format("true or false is wanted, got {}", shown(*value)));
    return std::nullopt;
  }

  // The last lines: why something failed is said at the end.
  std::vector<std::string> details() {
    std::vector<std::string> lines;
    const auto* value = find("details");
    if (!value) return lines;
    if (!value->is_array()) {
      fail("details", fmt::format("a list of texts is wanted, got {}", shown(*value)));
      return lines;
    }
    const auto too_many = value->size() - std::min(value->size(), domain::limits::kReportDetailLines);
    for (std::size_t i = too_many; i < value->size(); ++i) {
      const auto& line = (*value)[i];
      if (line.is_string()) {
        lines.push_back(line.get<std::string>());
      } else {
        fail(fmt::format("details.{}", i), fmt::format("a text is wanted, got {}", shown(line)));
      }
    }
    return lines;
  }

 private:
  const json& object_;
  Faults& faults_;
};

// ---- attributes: the rules of configData ----------------------------------------------------------------------------

bool is_attribute_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return b == '\t' || b == '\n' || b == '\r' || (b >= 0x20 && b < 0x7f && b != '`' && b != '~');
  });
}

void check_attribute(const std::string& field, const std::string& key, const std::string& value, Fields& fields) {
  const auto bad = [&](const std::string& text) {
    return text.size() > domain::limits::kAttributeBytes || !is_attribute_text(text);
  };
  const auto name = fmt::format("{}.{}", field, shown(key));
  if (key.empty() || bad(key)) {
    fields.fail(name, fmt::format("the key {} is not 1-{} characters of plain text", shown(json(key)),
                                  domain::limits::kAttributeBytes));
  }
  if (bad(value)) {
    fields.fail(name, fmt::format("the value {} is not at most {} characters of plain text", shown(json(value)),
                                  domain::limits::kAttributeBytes));
  }
}

domain::ChangeAttributes read_change(const std::string& field, const json* data, domain::ChangeAttributes::Mode mode,
                                     Fields& fields) {
  domain::ChangeAttributes change;
  change.by_device = true;
  change.mode = mode;
  if (!data || !data->is_object()) {
    fields.fail(field, data ? fmt::format("an object of texts is wanted, got {}", shown(*data))
                            : std::string("field required: an object of texts"));
    return change;
  }
  for (const auto& [key, value] : data->items()) {
    if (value.is_null() || mode == domain::ChangeAttributes::Mode::kRemove) {
      change.removed.push_back(key);
      continue;
    }
    if (value.is_structured()) {
      fields.fail(fmt::format("{}.{}", field, shown(key)), fmt::format("a text is wanted, got {}", shown(value)));
      continue;
    }
    auto text = value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
    check_attribute(field, key, text, fields);
    change.values[key] = std::move(text);
  }
  return change;
}

UpMessage read_hello(const json& body, Fields& fields) {
  using Mode = domain::ChangeAttributes::Mode;
  Hello hello;
  if (const auto* attributes = fields.find("attributes")) {
    hello.attributes = read_change("attributes", attributes, Mode::kMerge, fields);
    if (body["attributes"].empty()) hello.attributes.reset();
  }
  return hello;
}

UpMessage read_attributes(Fields& fields) {
  using Mode = domain::ChangeAttributes::Mode;
  constexpr std::array<std::string_view, 3> kModes{"merge", "replace", "remove"};
  const auto word = fields.word("mode", kModes, false);
  const auto mode = word == "replace" ? Mode::kReplace : word == "remove" ? Mode::kRemove : Mode::kMerge;
  return AttributesSaid{read_change("data", fields.find("data"), mode, fields)};
}

// ---- what is said of an attempt -------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 12> kStatuses{"accepted",  "downloading", "verifying", "installing",
                                                     "rebooting", "completed",   "failed",    "declined",
                                                     "confirmed", "denied",      "cancelled", "cancel_refused"};
constexpr std::array<std::string_view, 3> kErrorKinds{"device", "transport", "service"};

domain::FailureKind failure_kind(std::string_view word) {
  for (const auto kind : {domain::FailureKind::kTransport, domain::FailureKind::kService}) {
    if (domain::to_text(kind) == word) return kind;
  }
  return domain::FailureKind::kDevice;
}

domain::Report read_report(const std::string& status, Fields& fields, bool& names_kind) {
  domain::Report report;
  if (status == "completed") {
    report.kind = Kind::kSuccess;
  } else if (status == "failed") {
    report.kind = Kind::kFailure;
  } else if (status == "declined") {
    report.kind = Kind::kDeclined;
  } else {
    report.phase = domain::parse_update_status(status);
  }
  if (const auto progress = fields.number("progress", 0, 100)) {
    report.phase_basis_points = static_cast<std::uint32_t>(std::lround(*progress * 100.0));
  }
  report.bytes_per_second = static_cast<std::uint64_t>(fields.number("download_speed", 0, 1e12).value_or(0));
  if (const auto code = fields.integer("code", INT32_MIN, INT32_MAX)) report.code = static_cast<std::int32_t>(*code);
  report.details = fields.details();
  report.error_code = fields.text("error_code", domain::limits::kReportDetailBytes);
  report.error_message = fields.text("error_message", limits::kTextBytes);
  report.signature_verified = fields.boolean("signature_verified");
  report.checksum_verified = fields.boolean("checksum_verified");
  const auto kind = fields.word("error_kind", kErrorKinds, false);
  names_kind = !kind.empty();
  report.failure = failure_kind(kind);
  return report;
}

UpMessage read_status(Fields& fields) {
  const auto text = fields.text("update_id", limits::kTextBytes);
  const auto update = domain::parse_update_id(text);
  if (const auto* given = fields.find("update_id"); !given) {
    fields.fail("update_id", "field required");
  } else if (!update && given->is_string()) {
    fields.fail("update_id", fmt::format("\"{}\" is no id of an update", shown(text)));
  }
  if (!fields.find("attempt")) fields.fail("attempt", "field required: the number that the command has");
  const auto attempt = static_cast<std::uint32_t>(fields.integer("attempt", 1, UINT32_MAX).value_or(0));
  const auto status = fields.word("status", kStatuses, true);
  const auto id = update.value_or(domain::UpdateId{});
  if (status == "accepted") return Accepted{id, attempt};
  if (status == "confirmed" || status == "denied") return ConsentAnswered{id, {attempt, status == "confirmed", fields.details()}};
  if (status == "cancelled" || status == "cancel_refused") {
    return CancelAnswered{id, {attempt, status == "cancelled", fields.details()}};
  }
  Reported reported{id, {}, false};
  reported.report = read_report(status, fields, reported.names_kind);
  reported.report.attempt = attempt;
  return reported;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

UpMessage read_message(const json& body, Fields& fields) {
  constexpr std::array<std::string_view, 5> kTypes{"hello", "attributes", "status", "health", "bye"};
  constexpr std::array<std::string_view, 2> kHealths{"ok", "failed"};
  const auto type = fields.word("type", kTypes, true);
  if (type == "hello") return read_hello(body, fields);
  if (type == "attributes") return read_attributes(fields);
  if (type == "status") return read_status(fields);
  if (type == "health") return HealthSaid{fields.word("health", kHealths, true)};
  return Bye{};
}

// Empty: it is none, or too large or too deep to be read.
std::optional<json> parse(std::string_view body, Faults& faults) {
  if (body.size() > limits::kBodyBytes) {
    faults.add("", fmt::format("a message has at most {} bytes, this one has {}", limits::kBodyBytes, body.size()));
    return std::nullopt;
  }
  bool too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > limits::kDepth;
    return !too_deep;
  };
  auto parsed = json::parse(body, look, false);
  if (too_deep) {
    faults.add("", fmt::format("a message is nested at most {} deep", limits::kDepth));
  } else if (parsed.is_discarded()) {
    faults.add("", "not JSON: " + shown(json(std::string(body.substr(0, limits::kShownBytes + 1)))));
  } else if (!parsed.is_object()) {
    faults.add("", "an object is wanted, got " + shown(parsed));
  } else {
    return parsed;
  }
  return std::nullopt;
}

}  // namespace

Heard read_up(std::string_view body) {
  Heard heard;
  const auto parsed = parse(body, heard.faults);
  if (!parsed) return heard;
  Fields fields(*parsed, heard.faults);
  heard.id = fields.text("id", limits::kIdBytes);
  if (heard.id.size() > limits::kIdBytes) heard.id.clear();
  auto message = read_message(*parsed, fields);
  if (heard.faults.empty()) heard.message = std::move(message);
  return heard;
}

}  // namespace ota::gateways::mqtt
