// What a command has at hand: the client, how to print, and the deferred action that the command
// line chose.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tools/otactl/service_client.hpp"

namespace ota::ctl {

struct Session {
  ServiceSettings settings;
  bool json = false;  // print the service's answers as they are
  // Set while the command line is read, run afterwards: reading has no effects. Answers the exit
  // code.
  std::function<int(ServiceClient&)> action;

  // Prints an answer: raw with --json, else what `text` makes of it. Throws Failure for an error
  // answer; with --json that answer is printed as well.
  void print(const Reply& reply,
             const std::function<std::string(const nlohmann::json&)>& text) const;
};

// Adds a sub-command that also takes the options of the program itself behind its name.
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description);

// Each adds the commands of one subject.
void add_firmware_commands(CLI::App& app, Session& session);
void add_campaign_commands(CLI::App& app, Session& session);
void add_campaign_create(CLI::App& campaign, Session& session);
void add_campaign_watch(CLI::App& campaign, Session& session);
void add_update_commands(CLI::App& app, Session& session);
void add_device_commands(CLI::App& app, Session& session);
void add_rollback_commands(CLI::App& app, Session& session);
void add_why_command(CLI::App& app, Session& session);
void add_service_commands(CLI::App& app, Session& session);
void add_audit_commands(CLI::App& app, Session& session);
void add_story_commands(CLI::App& app, Session& session);
void add_diff_command(CLI::App& app, Session& session);
void add_user_commands(CLI::App& app, Session& session);
void add_whatif_command(CLI::App& app, Session& session);
void add_events_command(CLI::App& parent, Session& session);
void add_log_commands(CLI::App& app, Session& session);
void add_log_stream(CLI::App& log, Session& session);
void add_log_repair(CLI::App& log, Session& session);
void add_log_drop_snapshots(CLI::App& log, Session& session);
void add_backup_commands(CLI::App& app, Session& session);
void add_views_commands(CLI::App& app, Session& session);

// The position of the last event in lines of JSON, or of CSV.
std::uint64_t last_position(std::string_view lines);

}  // namespace ota::ctl
