#include "tools/otactl/diff_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "tools/otactl/human.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::string diff_value(const json& value) {
  return text::printable(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string diff_moment(const json& moment) {
  const auto time = moment.at("time").is_string() ? text::human_time(moment["time"].get<std::string>()) : "before the first event";
  return fmt::format("{} ({})", moment.at("position").get<std::uint64_t>(), time);
}

std::string diff_change(const json& change) {
  const auto name = change.at("name").is_string() ? fmt::format(" \"{}\"", diff_value(change["name"])) : std::string();
  auto out = fmt::format("{}{} {}\n", diff_value(change.at("entity")), name, diff_value(change.at("happened")));
  if (change["happened"] != "changed") return out;
  for (const auto& [field, values] : change.at("fields").items()) {
    out += fmt::format("  {}: {} -> {}\n", diff_value(field), diff_value(values.at("from")), diff_value(values.at("to")));
  }
  return out;
}

// "and 3 further campaigns, 12 further devices"; empty: none.
std::string diff_further(const json& more) {
  const std::pair<const char*, const char*> kinds[] = {
      {"campaigns", "campaigns"}, {"firmware", "firmware"}, {"devices", "devices"}, {"updates", "direct updates"}};
  std::vector<std::string> further;
  for (const auto& [kind, words] : kinds) {
    const auto count = more.value(kind, json(0));
    if (count.is_number() && count != 0) further.push_back(fmt::format("{} further {}", count.get<std::uint64_t>(), words));
  }
  if (further.empty()) return {};
  return fmt::format("and {} with events in between, which are not compared\n", fmt::join(further, ", "));
}

}  // namespace

std::string diff_text(const json& answer) {
  const auto positions = answer.at("positions").get<std::uint64_t>();  // of the log, whatever of it was asked for
  std::string out = fmt::format("from {} to {}: {} position{} of the log\n", diff_moment(answer.at("from")),
                                diff_moment(answer.at("to")), positions, positions == 1 ? "" : "s");
  if (answer.at("events").is_object()) {
    for (const auto& [type, count] : answer["events"].items()) {
      out += fmt::format("  {:>9} {}\n", count.get<std::uint64_t>(), diff_value(type));
    }
  } else {
    out += "  too many events to count by type\n";
  }
  for (const auto& change : answer.at("changes")) out += diff_change(change);
  const auto& more = answer.at("more");
  const auto further = diff_further(more);
  out += further;
  const bool is_all = !more.value("devices", json(0)).is_null();
  if (!is_all) out += "too many events to look for the devices and direct updates that they are of\n";
  if (answer["changes"].empty() && further.empty()) {
    out += is_all ? "nothing that is compared has changed\n" : "no campaign and no firmware has changed\n";
  }
  return out;
}

}  // namespace ota::ctl
