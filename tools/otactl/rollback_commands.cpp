// otactl rollback list | show; otactl why DEVICE
#include <memory>

#include "tools/otactl/rollback_text.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

void add_rollback_list(CLI::App& rollback, Session& session) {
  struct Wanted {
    std::string device, campaign, limit, offset, cursor;
  };
  CLI::App* command = add_command(rollback, "list", "List rollbacks, the newest first");
  const auto filters = std::make_shared<Wanted>();
  command->add_option("--device", filters->device, "Only of this device");
  command->add_option("--campaign", filters->campaign, "Only of this campaign");
  command->add_option("--limit", filters->limit, "Rows at most, 1-200");
  command->add_option("--offset", filters->offset, "Rows to skip");
  command->add_option("--cursor", filters->cursor, "Go on behind the page that named this cursor");
  command->callback([&session, filters] {
    session.action = [&session, filters](ServiceClient& client) {
      const Query query{{"device_id", filters->device},
                        {"campaign_id", filters->campaign},
                        {"limit", filters->limit},
                        {"offset", filters->offset},
                        {"cursor", filters->cursor}};
      session.print(client.get(with_query("/rollbacks", query)), rollbacks_text);
      return 0;
    };
  });
}

void add_rollback_show(CLI::App& rollback, Session& session) {
  CLI::App* command = add_command(rollback, "show", "Show one rollback");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "Rollback id, rb_...")->required();
  command->callback([&session, id] {
    session.action = [&session, id](ServiceClient& client) {
      session.print(client.get("/rollbacks/" + escape(*id)), rollback_text);
      return 0;
    };
  });
}

}  // namespace

void add_rollback_commands(CLI::App& app, Session& session) {
  CLI::App* rollback = add_command(app, "rollback", "Rollbacks of devices: list, show");
  add_rollback_list(*rollback, session);
  add_rollback_show(*rollback, session);
}

void add_why_command(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, "why", "Why is this device not updated?");
  const auto id = std::make_shared<std::string>();
  const auto campaign = std::make_shared<std::string>();
  command->add_option("DEVICE", *id, "Device id")->required();
  command->add_option("--campaign", *campaign, "Only in this campaign, also if it has ended");
  command->callback([&session, id, campaign] {
    session.action = [&session, id, campaign](ServiceClient& client) {
      const std::string path = "/devices/" + escape(*id) + "/why";
      session.print(client.get(with_query(path, {{"campaign_id", *campaign}})), why_text);
      return 0;
    };
  });
}

}  // namespace ota::ctl
