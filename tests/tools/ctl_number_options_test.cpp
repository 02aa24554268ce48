// tools/otactl: numbers of the command line, and what is said of others.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tools/otactl/number_options.hpp"
#include "tools/otactl/session.hpp"

using namespace ota::ctl;

namespace {

// What is wrong with the words behind the program's name; empty: nothing.
std::string wrong_with(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
    return {};
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
}

std::string wrong_with_command(const std::vector<std::string>& words) {
  Session session;
  CLI::App app;
  add_events_command(app, session);
  add_audit_commands(app, session);
  add_log_commands(app, session);
  add_backup_commands(app, session);
  add_campaign_commands(app, session);
  add_device_commands(app, session);
  return wrong_with(app, words);
}

}  // namespace

TEST_CASE("a whole number is digits, decimal ones, of the range, and what is not is named with its option") {
  CLI::App app;
  std::optional<std::uint64_t> number;
  take_whole(app.add_option("--after", number), 0);
  long seconds = 0;
  take_whole(app.add_option("--seconds", seconds), 1, 60);
  CHECK(wrong_with(app, {"--after", "0"}).empty());
  CHECK(number == 0);
  CHECK(wrong_with(app, {"--after", "010", "--seconds", "60"}).empty());
  CHECK(number == 10);
  CHECK(seconds == 60);
  CHECK(wrong_with(app, {"--after", "9223372036854775807"}).empty());
  CHECK(number == 9'223'372'036'854'775'807U);
  for (const std::string text : {"-1", "+1", "1.0", "1e3", " 1", "0x10", "9223372036854775808", "99999999999999999999", "one"}) {
    CHECK(wrong_with(app, {"--after", text}) == "--after: '" + text + "' is no whole number from 0");
  }
  CHECK(wrong_with(app, {"--seconds", "61"}) == "--seconds: '61' is no whole number from 1 to 60");
  CHECK(wrong_with(app, {"--seconds", "0"}) == "--seconds: '0' is no whole number from 1 to 60");
}

TEST_CASE("seconds may have parts, and are no less than the least") {
  CLI::App app;
  double seconds = 0;
  take_seconds(app.add_option("--give-up", seconds), 0);
  CHECK(wrong_with(app, {"--give-up", "0.5"}).empty());
  CHECK(seconds == 0.5);
  CHECK(wrong_with(app, {"--give-up", "0"}).empty());
  for (const std::string text : {"-1", "nan", "1s", "soon"}) {
    CHECK(wrong_with(app, {"--give-up", text}) == "--give-up: '" + text + "' is no number of seconds from 0");
  }
}

TEST_CASE("every position, limit and id of the commands is a whole number") {
  const auto of = [](std::vector<std::string> words, const std::string& option, const std::string& value, const std::string& range) {
    CHECK(wrong_with_command(words) == option + ": '" + value + "' is no whole number " + range);
  };
  of({"events", "--limit", "-1"}, "--limit", "-1", "from 1");
  of({"events", "--limit", "0"}, "--limit", "0", "from 1");
  of({"audit", "events", "--after", "-1"}, "--after", "-1", "from 0");
  of({"audit", "prove", "0"}, "EVENT", "0", "from 1");
  of({"audit", "verify", ".", "--backup", "-1"}, "--backup", "-1", "from 1 to 4294967295");
  of({"backup", "check", ".", "--id", "-1"}, "--id", "-1", "from 1 to 4294967295");
  of({"backup", "restore", ".", "data", "--id", "4294967296"}, "--id", "4294967296", "from 1 to 4294967295");
  of({"log", "dump", ".", "--after", "-1"}, "--after", "-1", "from 0");
  of({"log", "dump", ".", "--limit", "0"}, "--limit", "0", "from 1");
  of({"log", "stream", ".", "--from", "0"}, "--from", "0", "from 1");
  CHECK(wrong_with_command({"events", "--give-up", "-1"}) == "--give-up: '-1' is no number of seconds from 0");
  CHECK(wrong_with_command({"campaign", "watch", "c", "--interval", "0"}) == "--interval: '0' is no number of seconds from 0.05 to 3600");
}

TEST_CASE("a filter of devices without a value is no filter") {
  CHECK(wrong_with_command({"device", "list", "--where", "group="}) == "--where: 'group=' is not name=value");
  CHECK(wrong_with_command({"device", "list", "--where", "group=lab"}).empty());
}
