#include "http/campaign_request.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/evidence.hpp"
#include "domain/window.hpp"
#include "http/device_request.hpp"
#include "http/json_reader.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr const char* kPriorities = "low, normal, high, critical, emergency";
constexpr const char* kStrategies = "immediate, scheduled, staged, canary, blue_green";
constexpr const char* kTriggers = "manual, failure_rate, health_check, timeout, error_threshold";
constexpr std::size_t kTargetsMax = 1'000'000;
constexpr std::size_t kGroupsMax = 1'000;
constexpr std::size_t kCommandsMax = 50;
constexpr std::size_t kChannelsMax = 50;

std::uint32_t whole(JsonReader& body, std::string_view name, std::int64_t low, std::int64_t high,
                    std::uint32_t fallback) {
  return static_cast<std::uint32_t>(body.integer_or(name, {low, high}, fallback));
}

// A list whose texts have at most so many bytes together; empty if absent.
std::vector<std::string> short_strings(JsonReader& body, std::string_view name,
                                       std::size_t count_max, Length each, std::size_t bytes_max) {
  auto texts = body.strings(name, count_max, each).value_or(std::vector<std::string>{});
  std::size_t bytes = 0;
  for (const auto& text : texts) bytes += text.size();
  if (bytes > bytes_max) {
    body.fail(name, fmt::format("must have at most {} bytes together, got {}", bytes_max, bytes),
              "too_long");
  }
  return texts;
}

std::vector<std::string> commands(JsonReader& body, std::string_view name) {
  return short_strings(body, name, kCommandsMax, {1, 1'000}, limits::kUpdateCommandsBytes);
}

std::optional<domain::MaintenanceWindow> read_window(JsonReader& body, FieldErrors& errors) {
  auto* object = body.object("maintenance_window");
  if (!object) return std::nullopt;
  JsonReader window(*object, errors, body.location("maintenance_window"));
  const auto start_text = window.required_string("start", {5, 5});
  const auto end_text = window.required_string("end", {5, 5});
  const auto zone = window.string_or("timezone", {1, 64}, "UTC");
  const auto start = domain::parse_minute_of_day(start_text);
  const auto end = domain::parse_minute_of_day(end_text);
  if (!start_text.empty() && !start) window.fail("start", fmt::format("\"{}\" is not a time HH:MM", start_text));
  if (!end_text.empty() && !end) window.fail("end", fmt::format("\"{}\" is not a time HH:MM", end_text));
  if (start && end && *start == *end) {
    window.fail("end", fmt::format("the window is empty: it starts and ends at {}", start_text));
  }
  if (zone != domain::kDeviceZone && !domain::is_time_zone(zone)) {
    window.fail("timezone", fmt::format("\"{}\" is neither an IANA time zone nor \"device\"", zone));
  }
  if (!start || !end) return std::nullopt;
  return domain::MaintenanceWindow{*start, *end, zone};
}

// ---- target_filters ----------------------------------------------------------------------------------------------

struct FilterReading {
  FieldErrors& errors;
  domain::Filter clauses;

  std::optional<std::string> scalar(const json& value, const json& at) {
    if (value.is_string()) {
      auto text = value.get<std::string>();
      return check_length({errors, at}, text, {0, limits::kFilterValueChars}) ? std::optional(std::move(text)) : std::nullopt;
    }
    if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    errors.add(at, fmt::format("a text is wanted, not {}", shown(value.dump())), "string_type");
    return std::nullopt;
  }

  std::vector<std::string> list(const json& values, const json& at) {
    std::vector<std::string> texts;
    for (const auto& value : values) {
      if (auto text = scalar(value, at)) texts.push_back(std::move(*text));
    }
    if (values.empty()) errors.add(at, "the list is empty", "too_short");
    return texts;
  }

  static json inside(json at, std::string_view name) {
    at.push_back(name);
    return at;
  }

  // "SF-100", ["a", "b"] or {"lt": "2.1.0", ...}.
  void clause(domain::FilterField field, const std::string& attribute, const json& condition, const json& at) {
    if (condition.is_array()) {
      add(field, attribute, domain::FilterOp::kIn, list(condition, at));
      return;
    }
    if (!condition.is_object()) {
      if (auto text = scalar(condition, at)) add(field, attribute, domain::FilterOp::kEq, {std::move(*text)});
      return;
    }
    if (condition.empty()) errors.add(at, "no operator is given", "missing");
    for (const auto& [word, value] : condition.items()) {
      const auto op = domain::parse_filter_op(word);
      if (!op) {
        errors.add(inside(at, word),
                   fmt::format("\"{}\" is not an operator; eq, ne, in, lt, lte, gt, gte, prefix are", word), "enum");
      } else if (*op == domain::FilterOp::kIn) {
        if (value.is_array()) {
          add(field, attribute, *op, list(value, inside(at, word)));
        } else {
          errors.add(inside(at, word), "a list is wanted", "list_type");
        }
      } else if (auto text = scalar(value, inside(at, word))) {
        add(field, attribute, *op, {std::move(*text)});
      }
    }
  }

  void add(domain::FilterField field, const std::string& attribute, domain::FilterOp op,
           std::vector<std::string> values) {
    if (!values.empty()) clauses.push_back({field, attribute, op, std::move(values)});
  }

  void read(const json& filters, const json& at) {
    for (const auto& [name, condition] : filters.items()) {
      if (name == "attributes") {
        if (!condition.is_object()) {
          errors.add(inside(at, name), "an object is wanted", "dict_type");
          continue;
        }
        for (const auto& [attribute, wanted] : condition.items()) {
          if (check_attribute_name({errors, inside(at, name)}, attribute)) {
            clause(domain::FilterField::kAttribute, attribute, wanted, inside(inside(at, name), attribute));
          }
        }
      } else if (const auto field = domain::parse_filter_field(name)) {
        clause(*field, {}, condition, inside(at, name));
      } else {
        errors.add(inside(at, name),
                   fmt::format("\"{}\" cannot be filtered by; device_model, firmware_version, hardware_version, "
                               "group and attributes can",
                               name),
                   "enum");
      }
    }
  }
};

std::vector<domain::RollbackTrigger> read_triggers(JsonReader& body) {
  const auto words = body.strings("rollback_triggers", 5, {1, 50});
  if (!words) return {domain::RollbackTrigger::kFailureRate};
  std::vector<domain::RollbackTrigger> triggers;
  for (const auto& word : *words) {
    if (const auto trigger = domain::parse_rollback_trigger(word)) {
      triggers.push_back(*trigger);
    } else {
      body.fail("rollback_triggers", fmt::format("\"{}\" is none of {}", word, kTriggers), "enum");
    }
  }
  return triggers;
}

void read_schedule(JsonReader& body, domain::Time now, domain::CampaignPolicy& p) {
  p.scheduled_start = body.time("scheduled_start");
  p.scheduled_end = body.time("scheduled_end");
  p.switch_at = body.time("switch_at");
  const auto fail = [&](const char* name, domain::Time value, const std::string& why) {
    body.fail(name, fmt::format("{} {}", format_time(value), why));
  };
  if (p.scheduled_start && *p.scheduled_start <= now) {
    fail("scheduled_start", *p.scheduled_start, "is not in the future");
  }
  if (p.scheduled_end && p.scheduled_start && *p.scheduled_end <= *p.scheduled_start) {
    fail("scheduled_end", *p.scheduled_end, "is not after scheduled_start, " + format_time(*p.scheduled_start));
  } else if (p.scheduled_end && *p.scheduled_end <= now) {
    fail("scheduled_end", *p.scheduled_end, "is not in the future");
  }
  if (p.switch_at && p.strategy != domain::Strategy::kBlueGreen) {
    body.fail("switch_at", fmt::format("strategy {} has no switch, only blue_green has", domain::to_text(p.strategy)));
  } else if (p.switch_at && *p.switch_at <= std::max(now, p.scheduled_start.value_or(now))) {
    fail("switch_at", *p.switch_at, "is not after the start");
  } else if (p.switch_at && p.scheduled_end && *p.switch_at >= *p.scheduled_end) {
    fail("switch_at", *p.switch_at, "is not before scheduled_end, " + format_time(*p.scheduled_end));
  }
  if (p.strategy == domain::Strategy::kScheduled && !p.scheduled_start) {
    body.fail("scheduled_start", "strategy scheduled needs it", "missing");
  }
}

domain::CampaignPolicy read_policy(JsonReader& body, domain::Time now, FieldErrors& errors) {
  domain::CampaignPolicy p;
  p.strategy = body.word_or("deployment_strategy", domain::parse_strategy, kStrategies, domain::Strategy::kStaged);
  p.priority = body.word_or("priority", domain::parse_priority, kPriorities, domain::Priority::kNormal);
  p.rollout_percentage = whole(body, "rollout_percentage", 1, 100, 100);
  p.max_concurrent_updates = whole(body, "max_concurrent_updates", 1, 1'000, 10);
  p.batch_size = whole(body, "batch_size", 1, 500, 50);
  p.batch_settle_percent = whole(body, "batch_settle_percent", 1, 100, 95);
  read_schedule(body, now, p);
  p.timeout_minutes = whole(body, "timeout_minutes", 5, 1'440, 60);
  p.auto_rollback = body.boolean_or("auto_rollback", true);
  p.failure_threshold_percent = whole(body, "failure_threshold_percent", 1, 100, 20);
  p.min_finished_for_verdict = whole(body, "min_finished_for_verdict", 1, 1'000'000, 20);
  p.rollback_triggers = read_triggers(body);
  p.requires_approval = body.boolean_or("requires_approval", false);
  p.allow_beta = body.boolean_or("allow_beta", false);
  p.force_update = body.boolean_or("force_update", false);
  p.maintenance_window = read_window(body, errors);
  p.max_retries = whole(body, "max_retries", 0, 10, 3);
  p.pre_update_commands = commands(body, "pre_update_commands");
  p.post_update_commands = commands(body, "post_update_commands");
  p.notify_on_start = body.boolean_or("notify_on_start", false);
  p.notify_on_complete = body.boolean_or("notify_on_complete", false);
  p.notify_on_failure = body.boolean_or("notify_on_failure", true);
  p.notification_channels = body.strings("notification_channels", kChannelsMax, {1, 200}).value_or(std::vector<std::string>{});
  // Finer than whole percents: a rate of 0.2 % is worth telling apart.
  const auto rate = [&](const char* name) {
    const auto percent = body.number(name, {0, 99});
    // What would be rounded to nothing would count as not given.
    if (percent && *percent < 0.01) body.fail(name, fmt::format("must be 0.01 or more, got {}", *percent));
    return static_cast<std::uint32_t>(std::lround(percent.value_or(0) * 100.0));
  };
  p.canary_p0_basis_points = rate("canary_p0_percent");
  p.canary_p1_basis_points = rate("canary_p1_percent");
  const auto rates = domain::failure_rates(p.failure_threshold_percent, p.canary_p0_basis_points,
                                           p.canary_p1_basis_points);
  if (!domain::can_judge(rates.p0_basis_points, rates.p1_basis_points)) {
    body.fail("canary_p0_percent",
              fmt::format("an accepted failure rate of {} % is not above 0 and below the refused one of {} %",
                          rates.p0_basis_points / 100.0, rates.p1_basis_points / 100.0));
  }
  p.require_version_proof = body.boolean_or("require_version_proof", false);
  p.requires_device_confirmation = body.boolean_or("requires_device_confirmation", false);
  p.download_only = body.boolean_or("download_only", false);
  p.error_threshold_count = whole(body, "error_threshold_count", 1, 1'000'000, 10);
  p.health_window_minutes = whole(body, "health_window_minutes", 0, 1'440, 0);
  if (p.download_only && p.strategy == domain::Strategy::kBlueGreen) {
    body.fail("download_only", "blue_green installs at its switch: a download and no more is another strategy's");
  }
  p.rollback_deadline_minutes = whole(body, "rollback_deadline_minutes", 5, 43'200, 1'440);
  return p;
}

// What cannot be an id is that of no firmware: no_such_firmware() says so, as of any other that is not there.
domain::FirmwareId read_firmware_id(JsonReader& body) {
  const auto text = body.required_string("firmware_id", {1, 100});
  return domain::parse_firmware_id(text).value_or(domain::FirmwareId{});
}

}  // namespace

std::optional<Problem> no_such_firmware(const json& body) {
  const auto named = body.is_object() ? body.find("firmware_id") : body.end();
  if (named == body.end() || !named->is_string()) return std::nullopt;
  const auto& text = named->get_ref<const std::string&>();
  if (domain::parse_firmware_id(text)) return std::nullopt;
  return Problem::not_found("Firmware not found: " + shown(text));
}

domain::CampaignPolicy read_other_policy(json& changes, const domain::CampaignPolicy& recorded, FieldErrors& errors) {
  const auto& r = recorded;
  json triggers = json::array();
  for (const auto trigger : r.rollback_triggers) triggers.push_back(domain::to_text(trigger));
  // A schedule stays as it is, and is not looked at.
  const bool scheduled = r.strategy == domain::Strategy::kScheduled;
  json body{{"deployment_strategy", scheduled ? "staged" : domain::to_text(r.strategy)},
            {"rollout_percentage", r.rollout_percentage},
            {"max_concurrent_updates", r.max_concurrent_updates},
            {"batch_size", r.batch_size},
            {"batch_settle_percent", r.batch_settle_percent},
            {"auto_rollback", r.auto_rollback},
            {"failure_threshold_percent", r.failure_threshold_percent},
            {"min_finished_for_verdict", r.min_finished_for_verdict},
            {"rollback_triggers", std::move(triggers)},
            {"max_retries", r.max_retries},
            {"error_threshold_count", r.error_threshold_count}};
  const auto add_rate = [&](const char* name, std::uint32_t basis_points) {
    if (basis_points > 0) body[name] = basis_points / 100.0;
  };
  add_rate("canary_p0_percent", r.canary_p0_basis_points);
  add_rate("canary_p1_percent", r.canary_p1_basis_points);
  std::vector<std::string> names{"canary_p0_percent", "canary_p1_percent"};
  for (const auto& [name, value] : body.items()) names.push_back(name);
  if (changes.is_object()) {
    for (const auto& [name, value] : changes.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        errors.add({"body", name},
                   fmt::format("cannot be another one in a replay, got {}; {} can",
                               shown(value.dump(-1, ' ', false, json::error_handler_t::replace)), fmt::join(names, ", ")),
                   "extra_forbidden");
      }
      if (!value.is_null()) body[name] = value;   // null: as it was
    }
    if (scheduled && body["deployment_strategy"] == "scheduled") {
      changes.erase("deployment_strategy");
      body["deployment_strategy"] = "staged";
    }
    if (changes.value("deployment_strategy", json()) == "scheduled") {
      errors.add({"body", "deployment_strategy"}, "cannot be in a replay, got 'scheduled': when it begins stays as it was",
                 "value_error");
      return recorded;
    }
  } else if (!changes.is_null()) {
    errors.add({"body"}, "must be an object with fields of the policy, got " +
                             shown(changes.dump(-1, ' ', false, json::error_handler_t::replace)), "dict_type");
  }
  JsonReader reader(body, errors);
  const auto given = read_policy(reader, domain::Time{}, errors);
  domain::CampaignPolicy p = recorded;
  const bool keeps_strategy = scheduled && !changes.contains("deployment_strategy");
  p.strategy = keeps_strategy ? recorded.strategy : given.strategy;
  p.rollout_percentage = given.rollout_percentage;
  p.max_concurrent_updates = given.max_concurrent_updates;
  p.batch_size = given.batch_size;
  p.batch_settle_percent = given.batch_settle_percent;
  p.auto_rollback = given.auto_rollback;
  p.failure_threshold_percent = given.failure_threshold_percent;
  p.min_finished_for_verdict = given.min_finished_for_verdict;
  p.rollback_triggers = given.rollback_triggers;
  p.max_retries = given.max_retries;
  p.error_threshold_count = given.error_threshold_count;
  p.canary_p0_basis_points = given.canary_p0_basis_points;
  p.canary_p1_basis_points = given.canary_p1_basis_points;
  return p;
}

actors::CampaignSpec read_campaign(json& value, domain::Time now, FieldErrors& errors) {
  JsonReader body(value, errors);
  actors::CampaignSpec spec;
  spec.name = body.required_string("name", {1, 200});
  spec.description = body.string_or("description", {0, 1'000}, "");
  spec.firmware = read_firmware_id(body);
  const bool targeted = body.has("target_devices") || body.has("target_groups") || body.has("target_filters");
  spec.devices = body.strings("target_devices", kTargetsMax, check_device_id).value_or(std::vector<std::string>{});
  spec.groups =
      short_strings(body, "target_groups", kGroupsMax, {1, 128}, limits::kTargetGroupsBytes);
  if (auto* filters = body.object("target_filters")) {
    FilterReading reading{errors, {}};
    reading.read(*filters, body.location("target_filters"));
    if (errors.empty() && reading.clauses.empty()) {
      body.fail("target_filters", "has no clause: it would be every device", "too_short");
    }
    spec.filter = std::move(reading.clauses);
    spec.filter_json = filters->dump();
    if (spec.filter_json.size() > limits::kTargetFilterBytes) {
      body.fail("target_filters",
                fmt::format("must have at most {} bytes as JSON, got {}",
                            limits::kTargetFilterBytes, spec.filter_json.size()),
                "too_long");
    }
  }
  if (!targeted) {
    body.fail("target_devices", "at least one of target_devices, target_groups, target_filters is needed", "missing");
  }
  spec.policy = read_policy(body, now, errors);
  return spec;
}

domain::UpdatePlan read_update_request(json& value, FieldErrors& errors, bool& allow_beta) {
  JsonReader body(value, errors);
  domain::UpdatePlan plan;
  plan.firmware = read_firmware_id(body);
  plan.priority = body.word_or("priority", domain::parse_priority, kPriorities, domain::Priority::kNormal);
  plan.force_update = body.boolean_or("force_update", false);
  plan.max_retries = whole(body, "max_retries", 0, 10, 3);
  plan.timeout_minutes = whole(body, "timeout_minutes", 5, 1'440, 60);
  plan.pre_update_commands = commands(body, "pre_update_commands");
  plan.post_update_commands = commands(body, "post_update_commands");
  plan.maintenance_window = read_window(body, errors);
  allow_beta = body.boolean_or("allow_beta", false);
  return plan;
}

}  // namespace ota::http
