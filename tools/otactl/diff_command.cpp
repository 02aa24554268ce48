// otactl diff --from MOMENT [--to MOMENT] [--campaign ID | --device ID | --update ID]: what changed in between.
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/human.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::string value_text(const json& value) {
  return text::printable(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string moment_text(const json& moment) {
  const auto time = moment.at("time").is_string() ? text::human_time(moment["time"].get<std::string>()) : "before the first event";
  return fmt::format("{} ({})", moment.at("position").get<std::uint64_t>(), time);
}

std::string diff_text(const json& answer) {
  std::string out = fmt::format("from {} to {}: {} events\n", moment_text(answer.at("from")), moment_text(answer.at("to")),
                                answer.at("positions").get<std::uint64_t>());
  if (answer.at("events").is_object()) {
    for (const auto& [type, count] : answer["events"].items()) out += fmt::format("  {:>9} {}\n", count.get<std::uint64_t>(), type);
  }
  for (const auto& change : answer.at("changes")) {
    const auto name = change.at("name").is_string() ? fmt::format(" \"{}\"", value_text(change["name"])) : std::string();
    out += fmt::format("{}{} {}\n", value_text(change.at("entity")), name, value_text(change.at("happened")));
    if (change["happened"] != "changed") continue;
    for (const auto& [field, values] : change.at("fields").items()) {
      out += fmt::format("  {}: {} -> {}\n", field, value_text(values.at("from")), value_text(values.at("to")));
    }
  }
  const auto left = answer.at("changed").get<std::uint64_t>() - answer.at("changes").size();
  if (left > 0) out += fmt::format("and {} further campaigns\n", left);
  if (answer["changes"].empty()) out += "nothing that is compared has changed\n";
  return out;
}

}  // namespace

void add_diff_command(CLI::App& app, Session& session) {
  struct Request {
    std::string from, to, campaign, device, update;
  };
  CLI::App* command = add_command(app, "diff", "What changed between two moments: times, or positions of the log");
  const auto request = std::make_shared<Request>();
  command->add_option("--from", request->from, "2026-01-31T12:00:00Z, or a position")->required();
  command->add_option("--to", request->to, "The present unless it is said");
  auto* campaign = command->add_option("--campaign", request->campaign, "Of this campaign alone");
  auto* device = command->add_option("--device", request->device, "Of this device alone")->excludes(campaign);
  command->add_option("--update", request->update, "Of this update alone")->excludes(campaign)->excludes(device);
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      const Reply reply = client.get(with_query("/diff", {{"from", request->from},
                                                          {"to", request->to},
                                                          {"campaign_id", request->campaign},
                                                          {"device_id", request->device},
                                                          {"update_id", request->update}}));
      session.print(reply, diff_text);
      return 0;
    };
  });
}

}  // namespace ota::ctl
