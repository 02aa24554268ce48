// tools/otasim: a whole device, as each client of the field behaves, against the protocol.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/small_ddi.hpp"
#include "tools/otasim/fleet.hpp"

using namespace ota::sim;
using namespace ota::sim::test;
using namespace std::chrono_literals;

namespace {

using Calls = std::vector<std::string>;

Options options_for(const SmallDdi& ddi, ClientMix client) {
  Options options;
  options.server = ddi.url();
  options.origin = parse_url(ddi.url())->origin;
  options.devices = 1;
  options.clients = client;
  options.install = 2ms;
  options.reboot_min = 10ms;
  options.reboot_max = 20ms;
  options.sleep_max = 10ms;
  options.duration = 10s;  // a guard: every test ends before
  return options;
}

struct Outcome {
  std::string version;
  Attempt attempt;
  Stats stats;
  StopReason reason = StopReason::kNone;
};

// Runs one device until `done` says so of its record.
Outcome run(const Options& options, const std::function<bool(const Device&)>& done) {
  const Choices choices{options.seed};
  const Credentials credentials;
  Journal journal{""};
  Stats stats;
  EventLoop loop;
  HttpSettings settings;
  settings.server = options.origin;
  settings.faults = options.faults.network;
  settings.timeout = options.timeout;
  HttpClient http{loop, settings, choices};
  World world{options, choices, credentials, loop, http, nullptr, journal, stats};
  Fleet fleet{world};
  fleet.start();
  const Device& device = fleet.devices().front();
  TimerTicket look;
  std::function<void()> again = [&] {
    if (!device.record().attempts().empty() && !device.is_busy() && done(device))
      return loop.stop();
    look = world.after(1ms, again);
  };
  again();
  loop.run(http);
  for (const std::string& violation : stats.violation_texts) FAIL_CHECK(violation);
  return {device.version(), device.record().attempts().front(), stats, fleet.stop_reason()};
}

Outcome update(const Options& options) {
  return run(options, [](const Device& device) {
    return device.record().attempts().front().is_over() && device.version() == "2.0.0";
  });
}

void check_updated(const Outcome& outcome) {
  CHECK(outcome.reason == StopReason::kNone);
  CHECK(outcome.version == "2.0.0");
  CHECK(outcome.attempt.installs == 1);
  CHECK(outcome.attempt.acked_end == "closed/success");
  CHECK(outcome.attempt.ended == "succeeded");
  CHECK(outcome.stats.offers == 1);
}

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a plain device reports every step, and its success after the reboot") {
  SmallDdi ddi{{}};
  check_updated(update(options_for(ddi, ClientMix::kPlain)));
  CHECK(ddi.calls() == Calls{"PUT configData 1.0.0", "GET deploymentBase", "POST proceeding/none",
                             "GET file", "POST downloaded/none", "POST proceeding/none",
                             "GET deploymentBase", "POST closed/success"});
  CHECK(ddi.others_open().at(6) == 0);  // nothing of before the reboot
}

TEST_CASE("a fleet is done when its devices have reported, not when they run the version") {
  SmallDdi::Behaviour behaviour;
  behaviour.polls_without_offer = 40;  // each 10 ms after the one before, and the fleet looks every 50 ms
  SmallDdi ddi{behaviour};
  Options options = options_for(ddi, ClientMix::kPlain);
  SUBCASE("all run it") { options.stop_when_version = "2.0.0"; }
  SUBCASE("nothing happens") {
    options.stop_when_idle = 100ms;
    options.sleep_max = 1ms;
  }
  const Outcome outcome = run(options, [](const Device&) { return false; });
  CHECK(outcome.reason == (options.stop_when_idle ? StopReason::kIdle : StopReason::kVersion));
  CHECK(outcome.attempt.acked_end == "closed/success");
}

TEST_CASE(
    "swupdate reads the deployment, pushes its attributes first, and again after the reboot") {
  SmallDdi ddi{{}};
  const Outcome outcome = update(options_for(ddi, ClientMix::kSwupdate));
  check_updated(outcome);
  Calls calls = ddi.calls();
  // After the report the restarted client pushes its attributes, if the test lets it live so long.
  if (calls.back() == "PUT configData 2.0.0") calls.pop_back();
  CHECK(calls == Calls{"GET deploymentBase", "PUT configData 1.0.0", "GET deploymentBase",
                       "POST proceeding/none", "HEAD file", "GET file", "POST proceeding/none",
                       "POST proceeding/none", "GET deploymentBase", "POST closed/success"});
  for (const std::string& head : ddi.heads()) {
    CHECK(has_line(head, "User-Agent: libcurl-agent/1.0"));
    const bool artifact = head.find("/file ") != std::string::npos;
    const std::string type = artifact ? "application/octet-stream" : "application/json";
    CHECK(has_line(head, "Accept: " + type));
    CHECK(has_line(head, "Content-Type: " + type));
    CHECK(has_line(head, "Expect: 100-continue") == head.starts_with("PUT"));
  }
}

TEST_CASE("rauc reports success before it reboots, and tells its old version until then") {
  SmallDdi::Behaviour behaviour;
  behaviour.asks_after_success = true;
  SmallDdi ddi{behaviour};
  Options options = options_for(ddi, ClientMix::kRauc);
  options.reboot_min = options.reboot_max = 300ms;
  // One that stays up for a while.
  while (Choices{options.seed}.fraction("sim-00001", "11", "reboot-linger") < 0.5) ++options.seed;
  check_updated(run(options, [&](const Device& device) {
    return device.version() == "2.0.0" && ddi.calls().back() == "PUT configData 2.0.0";
  }));
  Calls calls = ddi.calls();
  CHECK(std::count(calls.begin(), calls.end(), "PUT configData 1.0.0") > 1);
  calls.erase(std::unique(calls.begin() + 7, calls.end()), calls.end());
  CHECK(calls == Calls{"PUT configData 1.0.0", "GET deploymentBase", "POST proceeding/none",
                       "GET file", "POST proceeding/none", "POST proceeding/none",
                       "POST closed/success", "PUT configData 1.0.0", "PUT configData 2.0.0"});
  for (const std::string& head : ddi.heads())
    CHECK(has_line(head, "User-Agent: rauc-hawkbit-c-agent/1.0"));
}

TEST_CASE("zephyr does all of a run on one connection, says nothing before its success") {
  SmallDdi::Behaviour behaviour;
  behaviour.part_of_link = "http://ota.invalid:1";  // of a link it knows the path alone
  SmallDdi ddi{behaviour};
  check_updated(update(options_for(ddi, ClientMix::kZephyr)));
  CHECK(ddi.calls() == Calls{"PUT configData 1.0.0", "GET deploymentBase", "GET file",
                             "GET deploymentBase", "POST closed/success"});
  const auto connections = ddi.connections();
  CHECK(connections[0] == connections[2]);
  CHECK(connections[2] != connections[3]);
  CHECK(connections[3] == connections[4]);
  CHECK(ddi.others_open().at(3) == 0);
  for (const std::string& head : ddi.heads()) CHECK(head.find("User-Agent") == std::string::npos);
}

TEST_CASE("a zephyr device that fails never says so, and does not try again") {
  SmallDdi ddi{{}};
  Options options = options_for(ddi, ClientMix::kZephyr);
  options.faults.fail_devices = 1;
  const Outcome outcome = run(
      options, [&](const Device& device) { return device.record().attempts().front().reads > 3; });
  CHECK(outcome.attempt.ended == "silent");
  CHECK(outcome.attempt.acked_end.empty());
  CHECK(outcome.attempt.installs == 0);
  Calls calls = ddi.calls();
  CHECK(std::count(calls.begin(), calls.end(), "GET file") == 1);
}

TEST_CASE("an install that fails is reported, by everybody else") {
  for (const ClientMix client : {ClientMix::kPlain, ClientMix::kSwupdate, ClientMix::kRauc}) {
    SmallDdi ddi{{}};
    Options options = options_for(ddi, client);
    options.faults.fail_devices = 1;
    const Outcome outcome =
        run(options, [](const Device& device) { return device.failed_at().has_value(); });
    CHECK(outcome.attempt.acked_end == "closed/failure");
    CHECK(outcome.version == "1.0.0");
    CHECK(ddi.calls().back() == "POST closed/failure");
  }
}

TEST_CASE("what is only to be downloaded is not installed; swupdate calls it done at once") {
  SmallDdi::Behaviour behaviour;
  behaviour.update = "skip";
  const auto over = [](const Device& device) {
    return !device.record().attempts().front().ended.empty();
  };
  SmallDdi for_rauc{behaviour};
  const Outcome downloaded = run(options_for(for_rauc, ClientMix::kRauc), over);
  CHECK(downloaded.attempt.ended == "downloaded");
  CHECK(downloaded.attempt.acked_end == "downloaded/success");
  SmallDdi for_swupdate{behaviour};
  const Outcome skipped = run(options_for(for_swupdate, ClientMix::kSwupdate), over);
  CHECK(skipped.attempt.ended == "skipped");
  CHECK(skipped.attempt.installs == 0);
  CHECK(for_swupdate.calls().back() == "POST closed/success");
  SmallDdi for_zephyr{behaviour};
  check_updated(update(options_for(for_zephyr, ClientMix::kZephyr)));
}

TEST_CASE("a cancel is agreed to before anything began; zephyr does not read it first") {
  SmallDdi::Behaviour behaviour;
  behaviour.cancels = true;
  const auto cancelled = [](const Device& device) {
    return device.record().attempts().front().cancel_agreed;
  };
  SmallDdi for_rauc{behaviour};
  CHECK(run(options_for(for_rauc, ClientMix::kRauc), cancelled).attempt.ended == "cancelled");
  CHECK(for_rauc.calls() == Calls{"GET cancelAction", "POST closed/success"});
  SmallDdi for_zephyr{behaviour};
  CHECK(run(options_for(for_zephyr, ClientMix::kZephyr), cancelled).attempt.ended == "cancelled");
  CHECK(for_zephyr.calls() == Calls{"POST closed/success"});
}

TEST_CASE("power cuts and a bad network change nothing of what comes of it in the end") {
  for (const ClientMix client :
       {ClientMix::kPlain, ClientMix::kSwupdate, ClientMix::kRauc, ClientMix::kZephyr})
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      SmallDdi ddi{{}};
      Options options = options_for(ddi, client);
      options.seed = seed;
      options.timeout = 20ms;
      options.faults.power_cut = 1;
      options.faults.duplicate_reports = 0.3;
      options.faults.network.loss = 0.05;
      options.faults.network.stall = 0.05;
      options.faults.network.stall_max = 10ms;
      options.faults.network.reset = 0.05;
      options.faults.network.half_open = 0.05;
      const Outcome outcome = update(options);
      CHECK(outcome.version == "2.0.0");
      CHECK(outcome.attempt.installs == 1);
      CHECK(outcome.attempt.acked_end == "closed/success");
      CHECK(outcome.attempt.power_was_cut);
    }
}
