// otactl user erase ID: a person's name is nowhere any more; what they did stays.
#include <memory>

#include "tools/otactl/human.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {

void add_user_commands(CLI::App& app, Session& session) {
  CLI::App* user = add_command(app, "user", "Persons: erase");
  user->require_subcommand(1);
  CLI::App* command = add_command(*user, "erase", "Delete a person's name and preferences; their devices' updates are cancelled");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "As in X-User-Id")->required();
  command->callback([&session, id] {
    session.action = [&session, id](ServiceClient& client) {
      session.print(client.remove("/users/" + escape(*id)), [](const nlohmann::json& answer) {
        return text::printable(answer.value("message", std::string("done"))) + "\n";
      });
      return 0;
    };
  });
}

}  // namespace ota::ctl
