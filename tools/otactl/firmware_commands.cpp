// otactl firmware upload | register | list | show | devices | deprecate | recall | restore
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/body_options.hpp"
#include "tools/otactl/device_text.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/transfer_progress.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

const std::vector<Shown> kFirmwareColumns{{"FIRMWARE", {"firmware_id"}},
                                          {"NAME", {"name"}},
                                          {"VERSION", {"version"}},
                                          {"MODEL", {"device_model"}},
                                          {"STATUS", {"status"}},
                                          {"CONTENT", {"content"}},
                                          {"SIZE", {"file_size"}, As::kSize},
                                          {"BETA", {"is_beta"}, As::kYesNo},
                                          {"SECURITY", {"is_security_update"}, As::kYesNo},
                                          {"DOWNLOADS", {"download_count"}, As::kNumber},
                                          {"SUCCESS", {"success_rate"}, As::kPercent},
                                          {"CREATED", {"created_at"}, As::kTime}};

const std::vector<Shown> kFirmwareLines{{"firmware", {"firmware_id"}},
                                        {"name", {"name"}},
                                        {"version", {"version"}},
                                        {"status", {"status"}},
                                        {"model", {"device_model"}},
                                        {"manufacturer", {"manufacturer"}},
                                        {"hardware from", {"min_hardware_version"}},
                                        {"hardware to", {"max_hardware_version"}},
                                        {"size", {"file_size"}, As::kSize},
                                        {"content", {"content"}},
                                        {"content error", {"content_error"}},
                                        {"received", {"content_received"}, As::kSize},
                                        {"fetch", {"fetch"}, As::kYesNo},
                                        {"source", {"source_url"}},
                                        {"sha256", {"checksum_sha256"}},
                                        {"md5", {"checksum_md5"}},
                                        {"signature", {"signature"}},
                                        {"tags", {"tags"}},
                                        {"metadata", {"metadata"}},
                                        {"beta", {"is_beta"}, As::kYesNo},
                                        {"security update", {"is_security_update"}, As::kYesNo},
                                        {"description", {"description"}},
                                        {"changelog", {"changelog"}},
                                        {"downloads", {"download_count"}, As::kNumber},
                                        {"success rate", {"success_rate"}, As::kPercent},
                                        {"devices running it", {"devices_running"}, As::kNumber},
                                        {"url", {"file_url"}},
                                        {"created", {"created_at"}, As::kTime},
                                        {"created by", {"created_by"}},
                                        {"updated", {"updated_at"}, As::kTime}};

std::string firmware_text(const json& firmware) { return object_lines(firmware, kFirmwareLines); }

// What every firmware says of itself.
void add_metadata(BodyOptions& options) {
  options.text("--name", "name", "Name of the package")->required();
  options.text("--version", "version", "Its version")->required();
  options.text("--model", "device_model", "Device model it is for")->required();
  options.text("--manufacturer", "manufacturer", "Manufacturer of the device")->required();
  options.text("--min-hardware", "min_hardware_version", "Lowest hardware version it runs on");
  options.text("--max-hardware", "max_hardware_version", "Highest hardware version it runs on");
  options.text("--description", "description", "What it is");
  options.texts("--tag", "tags", "Tag");
  options.flag("--beta", "is_beta", "A pre-release: only for those who opted in");
  options.flag("--security", "is_security_update", "A security update");
  options.text_or_file("--changelog", "changelog", "What changed");
  options.text("--md5", "checksum_md5", "Expected MD5, 32 hex");
  options.text("--signature", "signature", "Ed25519 signature over the SHA-256, base64");
  options.json("--metadata", "metadata", "Own attributes, a JSON object");
}

void add_upload(CLI::App& firmware, Session& session) {
  CLI::App* command = add_command(firmware, "upload", "Upload a firmware binary");
  const auto file = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("FILE", *file, "The binary")->required()->check(CLI::ExistingFile);
  BodyOptions options{*command, body};
  add_metadata(options);
  options.text("--sha256", "checksum_sha256", "Expected SHA-256, 64 hex");
  command->callback([&session, file, body] {
    session.action = [&session, file, body](ServiceClient& client) {
      const Reply reply = client.upload("/firmware", body->dump(), *file, TransferProgress{"upload"});
      session.print(reply, [&reply](const json& answer) {
        return (reply.status == 200 ? "already there with the same bytes\n" : "uploaded\n") +
               firmware_text(answer);
      });
      return 0;
    };
  });
}

void add_register(CLI::App& firmware, Session& session) {
  CLI::App* command = add_command(firmware, "register", "Register a binary that is held at a URL");
  const auto body = std::make_shared<json>(json::object());
  BodyOptions options{*command, body};
  options.text("--url", "file_url", "Where it is: http or https, without a password")->required();
  options.integer("--size", "file_size", "Its size in bytes")->required();
  options.text("--sha256", "checksum_sha256", "Its SHA-256, 64 hex")->required();
  options.flag("--fetch,!--no-fetch", "fetch", "--no-fetch: it stays there, and is never offered to devices that poll");
  add_metadata(options);
  command->callback([&session, body] {
    session.action = [&session, body](ServiceClient& client) {
      const Reply reply = client.post("/firmware", *body);
      session.print(reply, [&reply](const json& answer) {
        return (reply.status == 200 ? "already registered with the same bytes\n" : "registered\n") +
               firmware_text(answer);
      });
      return 0;
    };
  });
}

struct Filters {
  std::string model, manufacturer, version, status, content, tag, limit, offset;
  bool beta = false;
  bool security = false;
};

void add_firmware_list(CLI::App& firmware, Session& session) {
  CLI::App* command = add_command(firmware, "list", "List firmware");
  const auto filters = std::make_shared<Filters>();
  command->add_option("--model", filters->model, "Only this device model");
  command->add_option("--manufacturer", filters->manufacturer, "Only this manufacturer");
  command->add_option("--version", filters->version, "Only this version");
  command->add_option("--status", filters->status, "available, deprecated or recalled");
  command->add_option("--content", filters->content, "here, pending or failed: where its bytes are");
  command->add_option("--tag", filters->tag, "Only with this tag");
  command->add_flag("--beta", filters->beta, "Only pre-releases");
  command->add_flag("--security", filters->security, "Only security updates");
  command->add_option("--limit", filters->limit, "Rows at most, 1-200");
  command->add_option("--offset", filters->offset, "Rows to skip");
  command->callback([&session, filters] {
    session.action = [&session, filters](ServiceClient& client) {
      const Query query{{"device_model", filters->model},
                        {"manufacturer", filters->manufacturer},
                        {"version", filters->version},
                        {"status", filters->status},
                        {"content", filters->content},
                        {"tag", filters->tag},
                        {"is_beta", filters->beta ? "true" : ""},
                        {"is_security_update", filters->security ? "true" : ""},
                        {"limit", filters->limit},
                        {"offset", filters->offset}};
      session.print(client.get(with_query("/firmware", query)),
                    [](const json& answer) { return list_text(answer, "firmware", kFirmwareColumns); });
      return 0;
    };
  });
}

void add_firmware_verb(CLI::App& firmware, Session& session, const std::string& verb,
                       const std::string& description, bool takes_reason) {
  CLI::App* command = add_command(firmware, verb, description);
  const auto id = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("ID", *id, "Firmware id")->required();
  if (takes_reason) BodyOptions{*command, body}.text("--reason", "reason", "Why");
  command->callback([&session, id, body, verb] {
    session.action = [&session, id, body, verb](ServiceClient& client) {
      session.print(client.post(fmt::format("/firmware/{}/{}", escape(*id), verb), *body),
                    firmware_text);
      return 0;
    };
  });
}

void add_devices(CLI::App& firmware, Session& session) {
  struct Request {
    std::string id, limit, offset, cursor;
  };
  CLI::App* command = add_command(firmware, "devices", "List the devices that run it");
  const auto request = std::make_shared<Request>();
  command->add_option("ID", request->id, "Firmware id")->required();
  command->add_option("--limit", request->limit, "Rows at most, 1-200");
  command->add_option("--offset", request->offset, "Rows to skip");
  command->add_option("--cursor", request->cursor, "Go on behind the page that named this cursor");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      const Query query{{"limit", request->limit}, {"offset", request->offset}, {"cursor", request->cursor}};
      session.print(client.get(with_query("/firmware/" + escape(request->id) + "/devices", query)), devices_text);
      return 0;
    };
  });
}

}  // namespace

void add_firmware_commands(CLI::App& app, Session& session) {
  CLI::App* firmware = add_command(app, "firmware", "Firmware: upload, register, list, show, recall");
  add_upload(*firmware, session);
  add_register(*firmware, session);
  add_firmware_list(*firmware, session);
  CLI::App* show = add_command(*firmware, "show", "Show one firmware");
  const auto id = std::make_shared<std::string>();
  show->add_option("ID", *id, "Firmware id")->required();
  show->callback([&session, id] {
    session.action = [&session, id](ServiceClient& client) {
      session.print(client.get("/firmware/" + escape(*id)), firmware_text);
      return 0;
    };
  });
  add_devices(*firmware, session);
  add_firmware_verb(*firmware, session, "deprecate", "Allow no new campaigns with it", true);
  add_firmware_verb(*firmware, session, "recall", "Stop every update to it", true);
  add_firmware_verb(*firmware, session, "restore", "Make a deprecated one available again", false);
}

}  // namespace ota::ctl
