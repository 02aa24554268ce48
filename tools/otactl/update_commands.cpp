// otactl update show | cancel | retry
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/campaign_text.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

void add_update_verb(CLI::App& update, Session& session, const std::string& verb,
                     const std::string& description) {
  CLI::App* command = add_command(update, verb, description);
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "Update id")->required();
  command->callback([&session, id, verb] {
    session.action = [&session, id, verb](ServiceClient& client) {
      const std::string path = "/updates/" + escape(*id);
      session.print(verb == "show" ? client.get(path)
                                   : client.post(path + "/" + verb, nlohmann::json::object()),
                    update_text);
      return 0;
    };
  });
}

}  // namespace

void add_update_commands(CLI::App& app, Session& session) {
  CLI::App* update = add_command(app, "update", "Updates of single devices: show, cancel, retry");
  add_update_verb(*update, session, "show", "Show one update");
  add_update_verb(*update, session, "cancel", "Cancel it; one that started is asked to stop");
  add_update_verb(*update, session, "retry", "Try a failed or cancelled one again");
}

}  // namespace ota::ctl
