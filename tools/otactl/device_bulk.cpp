// otactl device bulk-update | import
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tools/otactl/body_options.hpp"
#include "tools/otactl/bulk_text.hpp"
#include "tools/otactl/device_bulk.hpp"
#include "tools/otactl/device_list.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/transfer_progress.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::size_t kDevicesPerRequest = 10'000;  // as many as the service takes

// Asks in as few requests as there may be; answers the exit code.
int bulk_update(const Session& session, ServiceClient& client, const json& common,
                const std::vector<std::string>& devices) {
  BulkCounts counts;
  for (std::size_t from = 0; from < devices.size(); from += kDevicesPerRequest) {
    const auto to = std::min(devices.size(), from + kDevicesPerRequest);
    json body = common;
    body["device_ids"] =
        std::vector<std::string>(devices.begin() + static_cast<std::ptrdiff_t>(from),
                                 devices.begin() + static_cast<std::ptrdiff_t>(to));
    const Reply reply = client.post("/devices/bulk/update", body);
    const auto shown = [&](const json& answer) { return bulk_lines(answer, counts); };
    session.print(reply, shown);
    if (session.json) shown(expect_json(reply));
  }
  if (!session.json) fmt::print("{}", bulk_summary(counts));
  return counts.failed == 0 ? 0 : kExitFailed;
}

void add_bulk_update(CLI::App& device, Session& session) {
  CLI::App* command =
      add_command(device, "bulk-update", "Update many devices, outside of any campaign");
  const auto devices = std::make_shared<std::vector<std::string>>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("DEVICE", *devices, "Device ids");
  command->add_option_function<std::string>(
      "--devices-file",
      [devices](const std::string& path) {
        for (std::string& id : device_lines(read_text_file("--devices-file", path)))
          devices->push_back(std::move(id));
      },
      "Devices, one a line, from a file (- for standard input)");
  BodyOptions options{*command, body};
  add_direct_update_options(options);
  command->callback([&session, devices, body] {
    if (devices->empty()) throw CLI::RequiredError("DEVICE or --devices-file");
    session.action = [&session, devices, body](ServiceClient& client) {
      return bulk_update(session, client, *body, *devices);
    };
  });
}

void add_import(CLI::App& device, Session& session) {
  CLI::App* command =
      add_command(device, "import", "Register or change the devices of a file, many at once");
  const auto file = std::make_shared<std::string>();
  const auto format = std::make_shared<std::string>();
  command
      ->add_option("FILE", *file, "CSV with a header line (.csv), or JSON Lines (.jsonl, .ndjson)")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--format", *format, "csv or jsonl, whatever the file's name")
      ->check(CLI::IsMember({"csv", "jsonl"}));
  command->callback([&session, file, format] {
    const std::string type = import_type(*file, *format);
    if (type.empty())
      throw CLI::ValidationError(
          "FILE", fmt::format("'{}' ends in none of .csv, .jsonl, .ndjson: give --format", *file));
    session.action = [&session, file, type](ServiceClient& client) {
      const Reply reply =
          client.send_file("/devices/import", type, *file, TransferProgress{"import"});
      session.print(reply, import_text);
      return expect_json(reply).value("failed", 0) == 0 ? 0 : kExitFailed;
    };
  });
}

}  // namespace

void add_direct_update_options(BodyOptions& options) {
  options.text("--firmware", "firmware_id", "Firmware id")->required();
  options.text("--priority", "priority", "low, normal, high, critical or emergency");
  options.flag("--force", "force_update", "Also if it has this version or a newer one");
  options.flag("--allow-beta", "allow_beta", "Opt in to beta firmware");
  options.integer("--timeout", "timeout_minutes", "Minutes it may take");
  options.integer("--max-retries", "max_retries", "Automatic retries");
  options.json("--window", "maintenance_window", "Maintenance window, JSON");
  options.texts("--pre-command", "pre_update_commands", "Command before the download");
  options.texts("--post-command", "post_update_commands", "Command after the install");
}

void add_device_bulk_commands(CLI::App& device, Session& session) {
  add_bulk_update(device, session);
  add_import(device, session);
}

}  // namespace ota::ctl
