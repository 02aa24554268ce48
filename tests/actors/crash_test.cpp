// Kills a whole service again and again in one directory: what it acknowledged is in the log, the log proves itself, and the
// views that it left come to the same rows as views that begin anew.
//
// The child is this very binary, with only the test case "child: a service that works". It registers devices, runs campaigns
// and reports, and tells of every answer through a pipe. All of it is looked at behind each of 200 kills, 1,000 with
// OTA_TEST_LONG=1.
#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>

#include <fmt/format.h>

#include "actors/service.hpp"
#include "actors/views_keeper.hpp"
#include "eventstore/verify.hpp"
#include "projections/log_key_list.hpp"
#include "tests/processes/child_process.hpp"

using namespace ota;
using namespace ota::testing;

namespace {

namespace fs = std::filesystem;
using actors::Service;

constexpr const char* kChild = "child: a service that works";
constexpr unsigned kDevices = 60;

// What the child tells of an answer: which event is in the log, and whose it is. Less than PIPE_BUF, so whole or not at all.
struct Told {
  std::uint64_t position = 0;
  char stream[40] = {};
};

domain::Settings settings() {
  domain::Settings all;
  all.retry_backoff_base = std::chrono::milliseconds(10);
  return all;
}

// What operators and devices do, by the dice, for ever.
class Life {
 public:
  Life(Service& service, int pipe, unsigned seed) : service_(service), pipe_(pipe), dice_(seed) {}

  [[noreturn]] void go_on() {
    for (unsigned step = 0;; ++step) {
      if (step % 50 == 0) begin_campaign();
      if (step % 20 == 0) service_.views_keeper().start(actors::ViewsKeeper::Work::kRebuild);  // so that kills meet one, too
      const domain::DeviceId device{fmt::format("d{}", dice_() % kDevices)};
      if (dice_() % 4 == 0) say_what_it_is(device);
      poll_and_report(device);
    }
  }

 private:
  void tell(const actors::Answer& answer, const domain::Stream& stream) {
    if (!answer || !answer.value().wrote) return;
    Told told{answer.value().position.value, {}};
    const auto name = domain::stream_name(stream);
    std::memcpy(told.stream, name.data(), std::min(name.size(), sizeof told.stream));
    if (::write(pipe_, &told, sizeof told) != sizeof told) ::_exit(98);
  }

  domain::FirmwareId register_firmware() {
    domain::RegisterFirmware firmware;
    auto& record = firmware.record;
    record.id.bytes = actors::new_uuid(service_.now());
    record.name = "Frame";
    record.manufacturer = "Acme";
    record.facts.version = fmt::format("2.0.{}", service_.log().head().value);
    record.facts.device_model = "SF-100";
    record.facts.file_size = 1'000;
    record.file_name = "frame.bin";
    std::copy(record.id.bytes.begin(), record.id.bytes.end(), record.sha256.begin());
    firmware.sha1.emplace();
    const auto id = record.id;
    tell(service_.firmware(id, std::move(firmware), {}), id);
    return id;
  }
  void begin_campaign() {
    actors::CampaignSpec spec;
    spec.id = {actors::new_uuid(service_.now())};
    spec.name = "test";
    spec.firmware = register_firmware();
    for (unsigned i = 0; i < kDevices; ++i) spec.devices.push_back(fmt::format("d{}", i));
    spec.policy.strategy = dice_() % 2 == 0 ? domain::Strategy::kImmediate : domain::Strategy::kStaged;
    spec.policy.batch_size = 7;
    spec.policy.min_finished_for_verdict = 5;
    tell(service_.create_campaign(spec, {}), spec.id);
    tell(service_.campaign(spec.id, domain::StartCampaign{}, {}), spec.id);
  }
  void say_what_it_is(const domain::DeviceId& device) {
    domain::ChangeAttributes change;
    change.values = {{"device_model", "SF-100"}, {"firmware_version", fmt::format("1.0.{}", dice_() % 5)}};
    change.by_device = true;
    tell(service_.device(device, change, {}), device);
  }
  void poll_and_report(const domain::DeviceId& device) {
    const auto record = service_.poll(device, {});
    if (!record || record.value().active.value == 0) return;
    const auto action = service_.views().action(device, record.value().active);
    const auto update = action ? service_.views().update(action->update) : std::nullopt;
    if (!update) return;
    for (const auto kind : {domain::Report::Kind::kProgress, dice_() % 5 == 0 ? domain::Report::Kind::kFailure : domain::Report::Kind::kSuccess}) {
      domain::Report report;
      report.attempt = update->attempt;
      report.kind = kind;
      tell(service_.update(update->id, report, {}), update->id);
    }
  }

  Service& service_;
  int pipe_;
  std::mt19937 dice_;
};

std::string digest_of_views(const fs::path& directory, const eventstore::Log& log) {
  const auto views = projections::Views::open(directory, settings());
  views->catch_up(log, [](std::uint64_t, std::uint64_t) {});
  CHECK(views->broken().empty());
  return views->digest();
}

void check_what_is_left(const fs::path& data, std::size_t round) {
  const auto log = eventstore::Log::open_read_only(data / "log");
  const auto found = eventstore::verify(*log, {projections::trusted(projections::log_keys(*log)), {}, 0, {}});
  for (const auto& finding : found.findings) FAIL_CHECK(finding.first.value, ": ", finding.what);
  CHECK(found.is_sound());
  // Of a copy: the next life is to begin with what this one left.
  const auto left = data.parent_path() / fmt::format("left-{}", round);
  const auto fresh = data.parent_path() / fmt::format("fresh-{}", round);
  if (fs::exists(data / "views")) fs::copy(data / "views", left, fs::copy_options::recursive);
  CHECK(digest_of_views(left, *log) == digest_of_views(fresh, *log));
  fs::remove_all(left);
  fs::remove_all(fresh);
}

// A service is killed so often before the next one begins.
constexpr std::size_t kLivesOfOne = 20;

}  // namespace

TEST_CASE("child: a service that works" * doctest::skip()) {
  const int pipe = pipe_to_parent();
  if (pipe < 0) return;  // somebody runs all tests with --no-skip
  actors::ServiceOptions options;
  options.data_directory = variable("OTA_CRASH_DIRECTORY");
  options.key_directory = options.data_directory / "keys";
  options.settings = settings();
  const auto service = Service::open(std::move(options));
  Life(*service, pipe, static_cast<unsigned>(::getpid())).go_on();
}

TEST_CASE("whatever moment a service is killed at, what it acknowledged is there, proven, and its views are those of the log") {
  const auto seed = static_cast<unsigned>(::getpid());
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::size_t kills = variable("OTA_TEST_LONG") == "1" ? 1'000 : 200;
  const std::vector<std::string> places{"journal.before_write", "journal.after_write", "journal.before_tails", "actors.before_delivery",
                                        "journal.before_completions"};
  std::string pattern = (fs::temp_directory_path() / "ota-crash-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const fs::path directory = pattern;
  const auto data = directory / "data";
  std::map<std::uint64_t, std::string> told;
  std::size_t answers = 0;
  for (std::size_t round = 0; round < kills; ++round) {
    CAPTURE(round);
    const bool from_outside = round % 2 == 0;
    const auto fault = from_outside ? std::string() : fmt::format("{}:{}", places[random() % places.size()], 1 + random() % 150);
    CAPTURE(fault);
    ChildProcess child(kChild, {"OTA_CRASH_DIRECTORY=" + data.string(), "OTA_FAULT=" + fault});
    Told heard;
    const auto keep = [&] { told[heard.position] = std::string(heard.stream, sizeof heard.stream); };
    for (std::size_t left = random() % 150; left > 0 && child.read(&heard, sizeof heard); --left) keep();
    if (from_outside) child.kill();
    while (child.read(&heard, sizeof heard)) keep();
    REQUIRE(child.signal_of_end() == SIGKILL);

    if (!fs::exists(data / "log" / "CURRENT")) continue;  // killed before there was one
    check_what_is_left(data, round);
    const auto log = eventstore::Log::open_read_only(data / "log");
    for (const auto& [position, stream] : told) {
      const bool there = log->read_one({position}, [&, expected = &stream](const eventstore::RecordedEvent& event) {
        std::string name(event.stream);
        name.resize(expected->size());
        CHECK(name == *expected);
        return true;
      });
      REQUIRE(there);
    }
    answers += told.size();
    if (round % kLivesOfOne != kLivesOfOne - 1) continue;
    fs::remove_all(data);                   // another one, which is young again
    told.clear();
  }
  MESSAGE(kills, " kills, each looked at whole; answers were found ", answers, " times");
  CHECK(answers > kills * kLivesOfOne);
  fs::remove_all(directory);
}
