// otactl story campaign | device | update ID: what happened to it, in plain sentences.
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr const char* kLinesAtOnce = "1000";

// A line of the story; before the first of another update, whose it is.
std::string story_line(const json& line, std::string& update) {
  std::string heading;
  const auto of = line.value("update_id", std::string());
  if (of != update) {
    update = of;
    const auto campaign = line.value("campaign", std::string());
    if (!of.empty()) heading = fmt::format("-- {}{}\n", of, campaign.empty() ? "" : fmt::format(", of \"{}\"", text::printable(campaign)));
    if (of.empty()) heading = "--\n";
  }
  const auto until = line.contains("until") && line["until"] != line["time"]
                         ? " to " + text::human_time(line["until"].get<std::string>())
                         : std::string();
  return fmt::format("{}{}{}  {}\n", heading, text::human_time(line.at("time").get<std::string>()), until,
                     text::printable(line.at("text").get<std::string>()));
}

int print_story(ServiceClient& client, Session& session, const std::string& path) {
  std::string update;
  std::uint64_t after = 0;
  for (bool more = true; more;) {
    const Reply reply = client.get(with_query(path, {{"after", std::to_string(after)}, {"limit", kLinesAtOnce}}));
    const auto page = expect_json(reply);
    session.print(reply, [&](const json& answer) {
      std::string text;
      for (const auto& line : answer.at("story")) text += story_line(line, update);
      return text;
    });
    after = page.at("next_after").get<std::uint64_t>();
    more = page.at("more").get<bool>();
  }
  return 0;
}

}  // namespace

void add_story_commands(CLI::App& app, Session& session) {
  CLI::App* story = add_command(app, "story", "What happened, in plain sentences");
  story->require_subcommand(1);
  const auto add = [&](const char* what, const char* description, const char* path) {
    CLI::App* command = add_command(*story, what, description);
    const auto id = std::make_shared<std::string>();
    command->add_option("ID", *id)->required();
    command->callback([&session, id, path] {
      session.action = [&session, id, path](ServiceClient& client) {
        return print_story(client, session, fmt::format(fmt::runtime(path), escape(*id)));
      };
    });
  };
  add("campaign", "From its creation to its end; its devices in numbers", "/campaigns/{}/story");
  add("device", "All that is known of it, and all of its updates", "/devices/{}/story");
  add("update", "One update, attempt by attempt", "/updates/{}/story");
}

}  // namespace ota::ctl
