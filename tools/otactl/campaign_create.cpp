// otactl campaign create
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/body_options.hpp"
#include "tools/otactl/campaign_text.hpp"
#include "tools/otactl/device_list.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

void add_targets(CLI::App& command, BodyOptions& options, const Body& body) {
  options.texts("--device", "target_devices", "Target device");
  command.add_option_function<std::string>(
      "--devices-file",
      [body](const std::string& path) {
        for (std::string& id : device_lines(read_text_file("--devices-file", path)))
          (*body)["target_devices"].push_back(std::move(id));
      },
      "Target devices, one a line, from a file (- for standard input)");
  options.texts("--group", "target_groups", "Target group");
  options.json(
      "--filter", "target_filters",
      R"(Target filter, JSON, as {"device_model": "SF-100", "firmware_version": {"lt": "2.0.0"}})");
}

void add_rollout(BodyOptions& options) {
  options.text("--strategy", "deployment_strategy",
               "immediate, scheduled, staged, canary or blue_green");
  options.text("--priority", "priority", "low, normal, high, critical or emergency");
  options.integer("--rollout", "rollout_percentage", "Percent of the targets to update");
  options.integer("--max-concurrent", "max_concurrent_updates", "Updates in progress at once");
  options.integer("--batch-size", "batch_size", "Devices a batch");
  options.number("--batch-settle", "batch_settle_percent", "Percent settled before the next batch");
  options.integer("--timeout", "timeout_minutes", "Minutes a device may take");
  options.integer("--max-retries", "max_retries", "Automatic retries of a failed device");
  options.text("--start-at", "scheduled_start", "Earliest start, 2026-01-31T12:00:00Z");
  options.text("--end-at", "scheduled_end", "Latest grant, 2026-02-01T12:00:00Z");
  options.text("--switch-at", "switch_at", "When the holders of a blue_green campaign install");
  options.json("--window", "maintenance_window",
               R"(JSON, as {"start": "22:00", "end": "05:00", "timezone": "device"})");
}

void add_safety(BodyOptions& options) {
  options.number("--threshold", "failure_threshold_percent",
                 "Percent of failures that is too much");
  options.flag("--auto-rollback,!--no-auto-rollback", "auto_rollback",
               "Roll back, or do not, when there are too many failures");
  options.texts("--trigger", "rollback_triggers",
                "manual, failure_rate, health_check, timeout or error_threshold");
  options.integer("--min-finished", "min_finished_for_verdict",
                  "Finished devices before the threshold is judged");
  options.integer("--error-threshold", "error_threshold_count",
                  "Devices with one error code that are too many");
  options.number("--canary-p0", "canary_p0_percent", "Failure rate that a canary accepts");
  options.number("--canary-p1", "canary_p1_percent", "Failure rate that a canary refuses");
  options.integer("--health-window", "health_window_minutes", "Minutes of health after success");
  options.integer("--rollback-deadline", "rollback_deadline_minutes",
                  "Minutes for devices to be taken back");
  options.flag("--requires-approval", "requires_approval", "Somebody else must approve it first");
  options.flag("--allow-beta", "allow_beta", "Opt in to beta firmware");
  options.flag("--force", "force_update", "Also devices that have this version or a newer one");
  options.flag("--require-version-proof", "require_version_proof",
               "Complete a device only when it reports the new version");
  options.flag("--device-confirmation", "requires_device_confirmation", "Devices must confirm");
  options.flag("--download-only", "download_only", "Download and do not install");
}

void add_hooks(BodyOptions& options) {
  options.texts("--pre-command", "pre_update_commands", "Command before the download");
  options.texts("--post-command", "post_update_commands", "Command after the install");
  options.texts("--notify", "notification_channels", "Notification channel");
  options.any_field();
}

}  // namespace

void add_campaign_create(CLI::App& campaign, Session& session) {
  CLI::App* command = add_command(campaign, "create", "Create a campaign (it does not start)");
  const auto body = std::make_shared<json>(json::object());
  BodyOptions options{*command, body};
  options.text("--name", "name", "Name")->required();
  options.text("--firmware", "firmware_id", "Firmware id")->required();
  options.text("--description", "description", "What it is for");
  add_targets(*command, options, body);
  add_rollout(options);
  add_safety(options);
  add_hooks(options);
  command->callback([&session, body] {
    session.action = [&session, body](ServiceClient& client) {
      session.print(client.post("/campaigns", *body), campaign_text);
      return 0;
    };
  });
}

}  // namespace ota::ctl
