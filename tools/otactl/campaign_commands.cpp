// otactl campaign list | show | updates | start | pause | resume | cancel | promote | finish |
// switch | rollback | approve (create and watch have files of their own)
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/body_options.hpp"
#include "tools/otactl/campaign_text.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

void add_campaign_list(CLI::App& campaign, Session& session) {
  struct Filters {
    std::string status, priority, firmware, limit, offset;
  };
  CLI::App* command = add_command(campaign, "list", "List campaigns");
  const auto filters = std::make_shared<Filters>();
  command->add_option("--status", filters->status, "Only in this status");
  command->add_option("--priority", filters->priority, "Only of this priority");
  command->add_option("--firmware", filters->firmware, "Only of this firmware id");
  command->add_option("--limit", filters->limit, "Rows at most, 1-200");
  command->add_option("--offset", filters->offset, "Rows to skip");
  command->callback([&session, filters] {
    session.action = [&session, filters](ServiceClient& client) {
      const Query query{{"status", filters->status},
                        {"priority", filters->priority},
                        {"firmware_id", filters->firmware},
                        {"limit", filters->limit},
                        {"offset", filters->offset}};
      session.print(client.get(with_query("/campaigns", query)), campaigns_text);
      return 0;
    };
  });
}

void add_campaign_show(CLI::App& campaign, Session& session) {
  CLI::App* command = add_command(campaign, "show", "Show one campaign");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "Campaign id")->required();
  command->callback([&session, id] {
    session.action = [&session, id](ServiceClient& client) {
      session.print(client.get("/campaigns/" + escape(*id)), campaign_text);
      return 0;
    };
  });
}

struct UpdatesRequest {
  std::string id, status, limit, cursor;
  bool all = false;
};

// Prints one page, or with --all page after page until there is no further cursor.
void print_updates(ServiceClient& client, const Session& session, UpdatesRequest request) {
  while (true) {
    const Query query{
        {"status", request.status}, {"limit", request.limit}, {"cursor", request.cursor}};
    const Reply reply =
        client.get(with_query("/campaigns/" + escape(request.id) + "/updates", query));
    std::string next;
    session.print(reply, [&](const json& page) {
      // The hint how to get more is for those who do not get it anyway.
      json shown = page;
      if (request.all && shown.is_object()) shown.erase("next_cursor");
      return updates_text(shown);
    });
    const json page = json::parse(reply.body, nullptr, false);
    if (page.is_object() && page.contains("next_cursor") && page["next_cursor"].is_string())
      next = page["next_cursor"].get<std::string>();
    if (!request.all || next.empty() || next == request.cursor) return;
    request.cursor = next;
  }
}

void add_updates(CLI::App& campaign, Session& session) {
  CLI::App* command = add_command(campaign, "updates", "List the device updates of a campaign");
  const auto request = std::make_shared<UpdatesRequest>();
  command->add_option("ID", request->id, "Campaign id")->required();
  command->add_option("--status", request->status, "Only in this status");
  command->add_option("--limit", request->limit, "Rows a page, 1-200");
  command->add_option("--cursor", request->cursor, "Go on behind the page that named this cursor");
  command->add_flag("--all", request->all, "All pages");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      if (request->all && request->limit.empty()) request->limit = "200";
      print_updates(client, session, *request);
      return 0;
    };
  });
}

struct Verb {
  const char* name;
  const char* description;
  enum { kNoReason, kReason, kReasonRequired } reason;
};

constexpr Verb kVerbs[] = {
    {"start", "Start a campaign", Verb::kNoReason},
    {"pause", "Grant no further device until resumed", Verb::kReason},
    {"resume", "Go on after a pause", Verb::kNoReason},
    {"cancel", "Cancel what is not finished", Verb::kReason},
    {"promote", "End a canary early, as passed", Verb::kReason},
    {"finish", "Cancel what is not granted and complete", Verb::kReasonRequired},
    {"switch", "Let the holders of a blue_green campaign install", Verb::kReason},
    {"rollback", "Take back whoever completed it", Verb::kReasonRequired},
};

void add_campaign_verb(CLI::App& campaign, Session& session, const Verb& verb) {
  CLI::App* command = add_command(campaign, verb.name, verb.description);
  const auto id = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("ID", *id, "Campaign id")->required();
  if (verb.reason != Verb::kNoReason) {
    CLI::Option* reason = BodyOptions{*command, body}.text("--reason", "reason", "Why");
    reason->required(verb.reason == Verb::kReasonRequired);
  }
  command->callback([&session, id, body, name = std::string{verb.name}] {
    session.action = [&session, id, body, name](ServiceClient& client) {
      session.print(client.post(fmt::format("/campaigns/{}/{}", escape(*id), name), *body),
                    campaign_text);
      return 0;
    };
  });
}

void add_approve(CLI::App& campaign, Session& session) {
  CLI::App* command = add_command(campaign, "approve", "Approve a campaign, or refuse to");
  const auto id = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json{{"approved", true}});
  command->add_option("ID", *id, "Campaign id")->required();
  BodyOptions options{*command, body};
  command->add_flag_callback(
      "--refuse", [body] { (*body)["approved"] = false; }, "Refuse it");
  options.text("--comment", "approval_comment", "Why");
  options.text("--conditions", "conditions", "Under which conditions");
  command->callback([&session, id, body] {
    session.action = [&session, id, body](ServiceClient& client) {
      session.print(client.post("/campaigns/" + escape(*id) + "/approve", *body), campaign_text);
      return 0;
    };
  });
}

}  // namespace

void add_campaign_commands(CLI::App& app, Session& session) {
  CLI::App* campaign = add_command(app, "campaign", "Campaigns: create, start, watch, cancel");
  add_campaign_create(*campaign, session);
  add_campaign_list(*campaign, session);
  add_campaign_show(*campaign, session);
  add_updates(*campaign, session);
  add_campaign_watch(*campaign, session);
  for (const Verb& verb : kVerbs) add_campaign_verb(*campaign, session, verb);
  add_approve(*campaign, session);
}

}  // namespace ota::ctl
