#include "tools/otactl/session.hpp"

#include <fmt/format.h>

namespace ota::ctl {

void Session::print(const Reply& reply,
                    const std::function<std::string(const nlohmann::json&)>& text) const {
  if (json && !reply.body.empty()) fmt::print("{}\n", reply.body);
  // An empty good answer (a deletion) has nothing to parse.
  const nlohmann::json parsed =
      reply.ok() && reply.body.empty() ? nlohmann::json::object() : expect_json(reply);
  if (!json) fmt::print("{}", text(parsed));
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->fallthrough();
  return command;
}

}  // namespace ota::ctl
