// otactl: the service from the command line, over its REST API.
//
// Exit codes: 0 done; 1 the service refused, what was watched ended badly, or the output could not be written; 2 usage; 3 the
// service cannot be reached. Whose reader goes away is ended by SIGPIPE (output.hpp). The commands are in tools/otactl/, a file
// for each subject.
#include <curl/curl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <string>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/session.hpp"

namespace ota::ctl {
namespace {

void add_global_options(CLI::App& app, Session& session) {
  ServiceSettings& settings = session.settings;
  app.set_version_flag("-V,--program-version", OTA_VERSION);
  app.add_option("--server", settings.server, "Address of the service")
      ->envname("OTA_SERVER")
      ->capture_default_str();
  app.add_flag("--json", session.json, "Print the service's answers as they are");
  app.add_option("--user", settings.user, "Sent as X-User-Id")->envname("OTA_USER");
  app.add_option("--token", settings.token, "Sent as Authorization: Bearer")->envname("OTA_TOKEN");
  app.add_option("--api-key", settings.api_key, "Sent as X-API-Key")->envname("OTA_API_KEY");
  app.add_option("--cacert", settings.ca_file, "Certificates (PEM) to trust for https")
      ->check(CLI::ExistingFile);
  app.add_flag("--insecure", settings.insecure, "Do not check the server's certificate");
  app.add_option("--as-of", settings.as_of, "What was so then: a time (2026-01-31T12:00:00Z) or a position of the log");
  take_whole(app.add_option("--max-time", settings.seconds_max, "Seconds to wait for an answer"), 1, 86'400)->capture_default_str();
}

// What was named last: "log dump".
const CLI::App& command_of(const CLI::App& app) {
  const auto named = app.get_subcommands();
  return named.empty() ? app : command_of(*named.front());
}

// A variable that a script forgot to set asks for everything otherwise, or for another thing: `--device "$DEVICE"`.
void refuse_empty_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      if (value.empty()) throw CLI::ValidationError(option->get_name(), "is empty: give it a value, or leave it out");
    }
  }
  for (const CLI::App* named : app.get_subcommands()) refuse_empty_values(*named);
}

void check(const CLI::App& app, Session& session) {
  if (!session.action) {
    put_note(app.help());  // of the deepest command that was named
    throw CLI::RuntimeError(kExitUsage);
  }
  refuse_empty_values(app);
  const auto* directory = command_of(app).get_option_no_throw("DIRECTORY");
  if (!session.settings.as_of.empty() && directory && directory->count() > 0) {
    throw CLI::ValidationError("--as-of", fmt::format("'{}': what is read from a directory is shown as it is",
                                                      session.settings.as_of));
  }
  std::string& server = session.settings.server;
  while (server.ends_with('/')) server.pop_back();
  if (!server.starts_with("http://") && !server.starts_with("https://"))
    throw CLI::ValidationError("--server", fmt::format("'{}' is not http:// or https://", server));
}

int run(int argc, char** argv) {
  Session session;
  CLI::App app{
      "The OTA service from the command line.\n"
      "Exit code: 0 done, 1 refused, ended badly or output lost, 2 usage, 3 service not reachable.",
      "otactl"};
  add_global_options(app, session);
  add_firmware_commands(app, session);
  add_campaign_commands(app, session);
  add_update_commands(app, session);
  add_device_commands(app, session);
  add_rollback_commands(app, session);
  add_why_command(app, session);
  add_service_commands(app, session);
  add_audit_commands(app, session);
  add_story_commands(app, session);
  add_diff_command(app, session);
  add_user_commands(app, session);
  add_whatif_command(app, session);
  add_events_command(app, session);
  add_log_commands(app, session);
  add_backup_commands(app, session);
  add_views_commands(app, session);
  try {
    app.parse(argc, argv);
    check(app, session);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  ServiceClient client{session.settings};
  return session.action(client);
}

// What was thrown is told in words. Once output is lost, that is what it was thrown for, and end_output tells it.
int run_and_tell(int argc, char** argv, std::string& why_lost) {
  int code = kExitFailed;
  std::string why;
  try {
    return run(argc, argv);
  } catch (const Failure& failure) {
    code = failure.exit_code();
    why = failure.what();
  } catch (const std::exception& error) {
    why = error.what();
  }
  if (is_output_lost()) {
    why_lost = why;
  } else {
    note("otactl: {}\n", why);
  }
  return code;
}

}  // namespace
}  // namespace ota::ctl

int main(int argc, char** argv) {
  ota::ctl::begin_output();
  const auto inherited = std::signal(SIGPIPE, SIG_IGN);  // a closed connection is an error of the call, not the end of us
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::string why_lost;
  const int code = ota::ctl::run_and_tell(argc, argv, why_lost);
  curl_global_cleanup();
  std::signal(SIGPIPE, inherited);
  return ota::ctl::end_output(code, why_lost);
}
