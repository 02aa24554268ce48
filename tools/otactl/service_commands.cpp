// otactl stats | health
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/table.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

const std::vector<Shown> kFleetLines{
    {"campaigns", {"total_campaigns"}, As::kNumber},
    {"  active", {"active_campaigns"}, As::kNumber},
    {"  completed", {"completed_campaigns"}, As::kNumber},
    {"  failed", {"failed_campaigns"}, As::kNumber},
    {"updates", {"total_updates"}, As::kNumber},
    {"  pending", {"pending_updates"}, As::kNumber},
    {"  in progress", {"in_progress_updates"}, As::kNumber},
    {"  completed", {"completed_updates"}, As::kNumber},
    {"  failed", {"failed_updates"}, As::kNumber},
    {"  cancelled", {"cancelled_updates"}, As::kNumber},
    {"success rate", {"success_rate"}, As::kPercent},
    {"average update time", {"avg_update_time"}, As::kMinutes},
    {"data transferred", {"total_data_transferred"}, As::kSize},
    {"last 24 h: updates", {"last_24h_updates"}, As::kNumber},
    {"last 24 h: failures", {"last_24h_failures"}, As::kNumber},
    {"last 24 h: data", {"last_24h_data_transferred"}, As::kSize},
    {"rollback rate", {"rollback_rate"}, As::kNumber},
    {"on latest firmware", {"devices_on_latest_firmware"}, As::kPercent}};

const std::vector<Shown> kCampaignLines{
    {"campaign", {"campaign_id"}},
    {"progress", {"progress_percentage"}, As::kPercent},
    {"devices", {"total_devices"}, As::kNumber},
    {"  pending", {"pending_updates"}, As::kNumber},
    {"  in progress", {"in_progress_updates"}, As::kNumber},
    {"  succeeded", {"successful_updates"}, As::kNumber},
    {"  failed", {"failed_updates"}, As::kNumber},
    {"  cancelled", {"cancelled_updates"}, As::kNumber},
    {"success rate", {"success_rate"}, As::kPercent},
    {"failure rate", {"failure_rate"}, As::kPercent},
    {"average update time", {"avg_update_time"}, As::kMinutes},
    {"devices per hour", {"devices_per_hour"}, As::kNumber},
    {"estimated completion", {"estimated_completion"}, As::kTime}};

// {"SF-100": 12, ...} as a table of its own.
std::string histogram(const json& stats, const char* member, const std::string& title) {
  if (!stats.is_object() || !stats.contains(member) || !stats[member].is_object() ||
      stats[member].empty())
    return {};
  Table table{{{title}, {"UPDATES", true}}};
  for (const auto& entry : stats[member].items())
    table.add({text::printable(entry.key()), value_text(entry.value())});
  return "\n" + table.text();
}

void add_stats(CLI::App& app, Session& session) {
  struct Request {
    std::string campaign, from;
  };
  CLI::App* command = add_command(app, "stats", "Statistics of everything, or of a campaign");
  const auto request = std::make_shared<Request>();
  command->add_option("--campaign", request->campaign, "Of this campaign only");
  command->add_option("--from", request->from,
                      "What can be told of updates created from 2026-01-31T12:00:00Z on");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      if (!request->campaign.empty()) {
        session.print(client.get("/stats/campaigns/" + escape(request->campaign)),
                      [](const json& stats) { return object_lines(stats, kCampaignLines); });
        return 0;
      }
      const Query query{{"from", request->from}};
      session.print(client.get(with_query("/stats", query)), [](const json& stats) {
        return object_lines(stats, kFleetLines) +
               histogram(stats, "updates_by_device_type", "DEVICE TYPE") +
               histogram(stats, "updates_by_firmware_version", "VERSION");
      });
      return 0;
    };
  });
}

// Every member on a line; those of objects behind the object's name. Health pages grow: no list of
// known members here.
void flatten(const json& value, const std::string& name,
             std::vector<std::pair<std::string, std::string>>& fields) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items())
      flatten(member, name.empty() ? key : fmt::format("{}.{}", name, key), fields);
    return;
  }
  fields.emplace_back(text::printable(name), value.is_null() ? "-" : value_text(value));
}

std::string health_text(const json& health) {
  std::vector<std::pair<std::string, std::string>> fields;
  flatten(health, "", fields);
  return aligned(fields);
}

void add_health(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "health", "Is the service well? Exit code 1 when it says that it is not");
  const auto detailed = std::make_shared<bool>(false);
  command->add_flag("--detailed", *detailed, "With every dependency");
  command->callback([&session, detailed] {
    session.action = [&session, detailed](ServiceClient& client) {
      const Reply reply =
          *detailed ? client.get_from_root("/health/detailed") : client.get("/health");
      // 503 carries the same page: what is wrong is the answer, not an error.
      const json page = json::parse(reply.body, nullptr, false);
      if (!reply.ok() && page.is_object() && page.contains("status") &&
          page["status"].is_string()) {
        fmt::print("{}", session.json ? reply.body + "\n" : health_text(page));
        return kExitFailed;
      }
      session.print(reply, health_text);
      return 0;
    };
  });
}

}  // namespace

void add_service_commands(CLI::App& app, Session& session) {
  add_stats(app, session);
  add_health(app, session);
}

}  // namespace ota::ctl
