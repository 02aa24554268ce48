// otactl whatif CAMPAIGN [--set FIELD=VALUE ...]: a campaign that is over, replayed under another policy.
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

// "5" is a number, "true" a truth value, "a,b" a list, and anything else a text.
json policy_value(const std::string& name, const std::string& text) {
  if (name == "rollback_triggers") {
    json list = json::array();
    for (std::size_t begin = 0; begin <= text.size();) {
      const auto end = std::min(text.find(',', begin), text.size());
      if (end > begin) list.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return list;
  }
  auto value = json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() ? value : json(text);
}

std::string counts_text(const json& counts) {
  const auto of = [&](const char* name) { return counts.at(name).get<std::uint64_t>(); };
  return fmt::format("{} completed, {} failed, {} cancelled, {} in progress, {} pending", of("completed_devices"),
                     of("failed_devices"), of("cancelled_devices"), of("in_progress_devices"), of("pending_devices"));
}

std::string outcome_text(const json& outcome) {
  std::string out;
  if (outcome.at("stopped").is_object()) {
    const auto& stopped = outcome["stopped"];
    out += fmt::format("  stopped   {} with {} devices granted: {}\n            {}\n",
                       text::human_time(stopped.at("at").get<std::string>()), stopped.at("granted_devices").get<std::uint64_t>(),
                       counts_text(stopped.at("counts")), text::printable(stopped.at("reason").get<std::string>()));
  } else {
    out += "  stopped   never\n";
  }
  out += fmt::format("  at end    {}, {} devices granted: {}\n", outcome.at("status").get<std::string>(),
                     outcome.at("granted_devices").get<std::uint64_t>(), counts_text(outcome.at("counts")));
  if (outcome.at("ended_at").is_string()) {
    out += fmt::format("  ended     {}\n", text::human_time(outcome["ended_at"].get<std::string>()));
  }
  if (const auto unknown = outcome.at("unknown_attempts").get<std::uint64_t>(); unknown > 0) {
    out += fmt::format("  unknown   the outcome of {} attempts\n", unknown);
  }
  if (const auto left = outcome.at("operator_steps_left_out").get<std::uint64_t>(); left > 0) {
    out += fmt::format("  left out  {} steps of operators, impossible here\n", left);
  }
  if (outcome.at("cut_short").get<bool>()) out += "  cut short it took too many steps: this is how far it came\n";
  return out;
}

std::string between(const json& range) {
  const auto least = range.at("min").get<std::uint64_t>();
  const auto most = range.at("max").get<std::uint64_t>();
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

std::string bounds_text(const json& bounds) {
  const auto stopped = bounds.at("stopped").get<std::string>();
  std::string out = fmt::format("  stopped   {}", stopped);
  if (bounds.at("stopped_at").is_object()) {
    const auto first = text::human_time(bounds["stopped_at"].at("min").get<std::string>());
    const auto& max = bounds["stopped_at"].at("max");
    const auto last = max.is_string() ? text::human_time(max.get<std::string>()) : std::string();
    const auto when = last.empty() ? first + " or later" : first == last ? first : fmt::format("{} to {}", first, last);
    out += fmt::format(", {} with {} devices granted", when, between(bounds.at("granted_when_stopped")));
  }
  return out + fmt::format("\n  at end    {} devices granted: {} completed, {} failed, {} cancelled\n",
                           between(bounds.at("granted_devices")), between(bounds.at("completed_devices")),
                           between(bounds.at("failed_devices")), between(bounds.at("cancelled_devices")));
}

// It is not stopped, and every count is one number.
bool is_known(const json& bounds) {
  for (const auto* count : {"granted_devices", "completed_devices", "failed_devices", "cancelled_devices"}) {
    if (bounds.at(count).at("min") != bounds.at(count).at("max")) return false;
  }
  return bounds.at("stopped") == "never";
}

std::string what_if_text(const json& answer) {
  if (answer.at("exact").get<bool>()) return outcome_text(answer.at("scenarios").front());
  const auto& bounds = answer.at("bounds");
  std::string out = is_known(bounds) ? "When it is decided is not known exactly, and changes none of this:\n"
                                     : "Not known exactly. However each of the unknown attempts ends, and however late it is decided:\n";
  out += bounds_text(bounds);
  for (const auto& scenario : answer.at("scenarios")) {
    const bool as_recorded = scenario.at("devices_come").get<std::string>() == "as_recorded";
    out += fmt::format("{}; attempts without a known outcome all {}:\n",
                       as_recorded ? "Devices come when they were granted then, the others never" : "Devices come as soon as they may",
                       scenario.at("unknown_outcomes").get<std::string>());
    out += outcome_text(scenario);
  }
  return out + "Attempts take as long and end as they did; operators do what they did when they did it; ways back are not played.\n";
}

}  // namespace

void add_whatif_command(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, "whatif", "What would have become of a campaign under another policy; changes nothing");
  const auto campaign = std::make_shared<std::string>();
  const auto set = std::make_shared<std::vector<std::string>>();
  command->add_option("CAMPAIGN", *campaign)->required();
  command->add_option("--set", *set, "FIELD=VALUE of the policy: failure_threshold_percent=5, deployment_strategy=canary, ...");
  command->callback([&session, campaign, set] {
    session.action = [&session, campaign, set](ServiceClient& client) {
      if (const auto& as_of = session.settings.as_of; !as_of.empty()) {
        throw Failure(kExitUsage, fmt::format("--as-of {}: whatif replays the whole of a campaign that is over, and changes nothing; "
                                              "it is the same as of any moment: leave --as-of out", as_of));
      }
      json body = json::object();
      for (const auto& assignment : *set) {
        const auto equals = assignment.find('=');
        if (equals == std::string::npos || equals == 0) {
          throw Failure(kExitUsage, fmt::format("--set {}: FIELD=VALUE is wanted", text::printable(assignment)));
        }
        body[assignment.substr(0, equals)] = policy_value(assignment.substr(0, equals), assignment.substr(equals + 1));
      }
      session.print(client.post("/campaigns/" + escape(*campaign) + "/what-if", body), what_if_text);
      return 0;
    };
  });
}

}  // namespace ota::ctl
