// Feeds: a JSON object: the whole body of a new campaign if it has a "name", else its target
// filters.
//
// Claims: either every error names its place, or what was read keeps its bounds. A filter that was
// taken is evaluated on any device; its clauses are those of the JSON that is kept of it; all
// clauses hold just where each of them holds, `ne` where `eq` does not, `in` where one of its
// values is the device's, `lte` where `lt` or `eq` hold. The versions it compares are ordered the
// same from both sides. A policy that was taken is written to the log and read back as it is.
#include <algorithm>
#include <set>
#include <string>

#include "domain/codec/codec.hpp"
#include "domain/evidence.hpp"
#include "domain/filter.hpp"
#include "domain/version.hpp"
#include "http/campaign_request.hpp"
#include "http/json_text.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota;
using namespace ota::fuzz;
using domain::Filter;
using domain::FilterClause;
using domain::FilterField;
using domain::FilterOp;
using nlohmann::json;

namespace {

constexpr domain::Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

void check_errors(const http::FieldErrors& errors) {
  for (const auto& [place, message] : errors.listed()) {
    claim(place.starts_with("body") && !message.empty(), "an error has its place and its reason");
  }
  claim(json::accept(errors.problem().to_json("id")), "the answer is JSON");
}

bool same(const Filter& a, const Filter& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const FilterClause& x, const FilterClause& y) {
                      return x.field == y.field && x.attribute == y.attribute && x.op == y.op &&
                             x.values == y.values;
                    });
}

json campaign_with(json filters) {
  return {{"name", "n"}, {"firmware_id", "f"}, {"target_filters", std::move(filters)}};
}

// Devices that have the filter's own values, each in every field: the nearest to every bound.
std::vector<domain::Device> devices_near(const Filter& filter) {
  std::set<std::string> values{"1.0.0", "SF-100"};
  std::set<std::string> attributes{"site"};
  for (const auto& clause : filter) {
    for (const auto& value : clause.values) {
      if (values.size() < 8) values.insert({value, value + "0"});
    }
    if (!clause.attribute.empty() && attributes.size() < 4) attributes.insert(clause.attribute);
  }
  std::vector<domain::Device> devices(1);
  for (const auto& value : values) {
    domain::Device device;
    device.registered = true;
    device.attributes = {
        {"device_model", value}, {"hardware_version", value}, {"firmware_version", value}};
    for (const auto& name : attributes) device.attributes[name] = value;
    device.version = value;
    device.groups = {value, "beta"};
    devices.push_back(std::move(device));
  }
  return devices;
}

bool holds(const FilterClause& clause, const domain::Device& device) {
  return domain::matches({clause}, device);
}

FilterClause with(FilterClause clause, FilterOp op) {
  clause.op = op;
  return clause;
}

bool is_version(FilterField field) {
  return field == FilterField::kFirmwareVersion || field == FilterField::kHardwareVersion;
}

void check_clause(const FilterClause& clause, const domain::Device& device) {
  claim(!clause.values.empty(), "a clause has a value");
  claim((clause.field == FilterField::kAttribute) == !clause.attribute.empty(),
        "an attribute has its name");
  claim(clause.op == FilterOp::kIn || clause.values.size() == 1, "only a list has several values");
  bool any = false;
  for (const auto& value : clause.values) {
    auto one = with(clause, FilterOp::kEq);
    one.values = {value};
    any = any || holds(one, device);
    claim(holds(with(one, FilterOp::kNe), device) != holds(one, device),
          "ne holds where eq does not");
    if (clause.field == FilterField::kGroup)
      continue;  // of several, one may be less and another one more
    const bool less = holds(with(one, FilterOp::kLt), device);
    const bool more = holds(with(one, FilterOp::kGt), device);
    claim(holds(with(one, FilterOp::kLte), device) == (less || holds(one, device)),
          "lte is lt or eq");
    claim(holds(with(one, FilterOp::kGte), device) == (more || holds(one, device)),
          "gte is gt or eq");
    claim(!(less && more), "nothing is less and more");
  }
  claim(holds(with(clause, FilterOp::kIn), device) == any, "in is one of its values");
}

void check_order(const Filter& filter) {
  std::vector<std::string> versions{"1.0.0", "1.0.0-rc.1", "", "a"};
  for (const auto& clause : filter) {
    if (is_version(clause.field) && versions.size() < 8) versions.push_back(clause.values.front());
  }
  for (const auto& a : versions) {
    claim(domain::compare_versions(a, a) == 0, "a version is itself");
    for (const auto& b : versions) {
      claim((domain::compare_versions(a, b) <=> 0) == (0 <=> domain::compare_versions(b, a)),
            "order is the same from both sides");
    }
  }
}

void check_filter(const actors::CampaignSpec& spec) {
  const Filter& filter = *spec.filter;
  claim(!filter.empty(), "a filter has a clause");
  claim(spec.filter_json.size() <= http::limits::kTargetFilterBytes, "a filter is bounded");
  auto kept = http::parse_json(spec.filter_json);
  claim(std::holds_alternative<json>(kept), "what is kept of it is JSON");
  http::FieldErrors errors;
  auto body = campaign_with(std::get<json>(kept));
  const auto again = http::read_campaign(body, kNow, errors);
  claim(errors.empty() && again.filter && same(*again.filter, filter),
        "what is kept of it is the same filter");
  claim(again.filter_json == spec.filter_json, "and stays as it is");

  check_order(filter);
  const std::size_t looked_at = std::min<std::size_t>(filter.size(), 16);
  for (const auto& device : devices_near(filter)) {
    for (std::size_t i = 0; i < looked_at; ++i) check_clause(filter[i], device);
    const bool each = std::all_of(filter.begin(), filter.end(),
                                  [&](const FilterClause& c) { return holds(c, device); });
    claim(domain::matches(filter, device) == each, "all clauses hold where each of them does");
  }
}

void check_policy(const domain::CampaignPolicy& p) {
  const auto within = [](std::uint32_t value, std::uint32_t low, std::uint32_t high) {
    return value >= low && value <= high;
  };
  claim(within(p.rollout_percentage, 1, 100) && within(p.max_concurrent_updates, 1, 1'000) &&
            within(p.batch_size, 1, 500) && within(p.batch_settle_percent, 1, 100) &&
            within(p.timeout_minutes, 5, 1'440) && within(p.max_retries, 0, 10) &&
            within(p.failure_threshold_percent, 1, 100),
        "numbers are within their bounds");
  claim(!p.scheduled_start || *p.scheduled_start > kNow, "it starts in the future");
  claim(!p.scheduled_end || *p.scheduled_end > p.scheduled_start.value_or(kNow),
        "it ends behind its start");
  claim(
      !p.maintenance_window ||
          (p.maintenance_window->start_minute != p.maintenance_window->end_minute &&
           p.maintenance_window->start_minute < 1'440 && p.maintenance_window->end_minute < 1'440),
      "a window is some time of the day");
}

void check_campaign(const actors::CampaignSpec& spec) {
  claim(!spec.name.empty() && http::count_characters(spec.name).value_or(201) <= 200,
        "a campaign has a name");
  check_policy(spec.policy);
  domain::CampaignCreated created;
  created.name = spec.name;
  created.description = spec.description;
  created.firmware = spec.firmware;
  created.policy = spec.policy;
  created.target_groups = spec.groups;
  created.target_filters_json = spec.filter_json;
  const auto encoded = domain::encode(created);
  const auto again = domain::decode(encoded.type, encoded.payload);
  claim(again && *again == domain::Event(created), "what is recorded is read back");
}

void check_update_request(json body) {
  http::FieldErrors errors;
  bool allow_beta = false;
  const auto plan = http::read_update_request(body, errors, allow_beta);
  if (!errors.empty()) return check_errors(errors);
  const auto encoded = domain::encode(domain::UpdateRequested{plan});
  const auto again = domain::decode(encoded.type, encoded.payload);
  claim(again && *again == domain::Event(domain::UpdateRequested{plan}),
        "what is recorded is read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  auto parsed = http::parse_json(guarded.view());
  auto* value = std::get_if<json>(&parsed);
  if (!value) return 0;
  const bool is_whole = value->is_object() && value->contains("name");
  json body = is_whole ? *value : campaign_with(*value);
  if (is_whole) check_update_request(*value);
  http::FieldErrors errors;
  const auto spec = http::read_campaign(body, kNow, errors);
  if (!errors.empty()) {
    check_errors(errors);
    return 0;
  }
  check_campaign(spec);
  if (spec.filter) check_filter(spec);
  return 0;
}
