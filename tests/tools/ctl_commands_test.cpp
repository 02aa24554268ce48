// tools/otactl: what it offers is what the service has routes for.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tools/otactl/session.hpp"

using namespace ota::ctl;

namespace {

std::set<std::string> commands_of(const CLI::App& app) {
  std::set<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.insert(command->get_name());
  return names;
}

}  // namespace

TEST_CASE("every command has a route behind it") {
  using Names = std::set<std::string>;
  Session session;
  CLI::App app;
  add_firmware_commands(app, session);
  add_campaign_commands(app, session);
  add_device_commands(app, session);
  add_update_commands(app, session);
  add_rollback_commands(app, session);
  add_why_command(app, session);
  CHECK(commands_of(*app.get_subcommand("firmware")) ==
        Names{"deprecate", "devices", "list", "recall", "register", "restore", "show", "upload"});
  CHECK(commands_of(*app.get_subcommand("campaign")) ==
        Names{"approve", "cancel", "create", "finish", "list", "pause", "promote", "resume",
              "rollback", "show", "start", "switch", "updates", "watch"});
  CHECK(commands_of(*app.get_subcommand("device")) ==
        Names{"bulk-update", "delete", "import", "list", "mqtt-users", "rollback", "show", "token", "update"});
  CHECK(commands_of(*app.get_subcommand("update")) == Names{"cancel", "retry", "show"});
  CHECK(commands_of(*app.get_subcommand("rollback")) == Names{"list", "show"});
  CHECK(app.get_subcommand("why") != nullptr);
}
