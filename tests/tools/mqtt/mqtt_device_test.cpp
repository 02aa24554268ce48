// tools/otasim: a whole device over MQTT against the protocol: what it says, and says again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "tests/tools/mqtt/small_mqtt_ota.hpp"
#include "tools/otasim/fleet.hpp"

using namespace ota::sim;
using namespace ota::sim::test;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

Options options_for(const SmallMqttOta& ota) {
  Options options;
  options.server = ota.server();
  options.origin = parse_url(options.server)->origin;
  options.mqtt_broker = Origin{false, "127.0.0.1", ota.port()};
  options.devices = 1;
  options.install = 2ms;
  options.reboot_min = 10ms;
  options.reboot_max = 20ms;
  return options;
}

// One device and its loop, which turns until a condition holds.
class Scene {
 public:
  explicit Scene(Options options) : options_(std::move(options)) { fleet_.start(); }

  // False: not within the patience of a test.
  bool until(const std::function<bool()>& condition) {
    const auto deadline = EventLoop::now() + 20s;
    TimerTicket look;
    std::function<void()> again = [&] {
      if (condition() || EventLoop::now() > deadline) return loop_.stop();
      look = world_.after(1ms, again);
    };
    again();
    TwoSources both{http_, mqtt_};
    if (!condition()) loop_.run(both);
    for (const std::string& violation : stats.violation_texts) FAIL_CHECK(violation);
    return condition();
  }
  bool updated() {
    return until([this] {
      return !device().record().attempts().empty() && attempt().is_over() && !device().is_busy();
    });
  }

  const Device& device() const { return fleet_.devices().front(); }
  const Attempt& attempt() const { return device().record().attempts().front(); }
  std::uint64_t faults(FaultKind kind) const { return mqtt_.faults(kind); }

  Stats stats;

 private:
  MqttSettings mqtt_settings() const {
    MqttSettings settings;
    settings.broker = *options_.mqtt_broker;
    settings.timeout = 10s;
    settings.half_open_max = options_.faults.network.half_open_max;
    return settings;
  }
  HttpSettings http_settings() const {
    HttpSettings settings;
    settings.server = options_.origin;
    return settings;
  }

  const Options options_;
  const Choices choices_{options_.seed};
  const Credentials credentials_;
  Journal journal_{""};
  EventLoop loop_;
  HttpClient http_{loop_, http_settings(), choices_};
  MqttNetwork mqtt_{loop_, mqtt_settings()};
  World world_{options_, choices_, credentials_, loop_, http_, &mqtt_, journal_, stats};
  Fleet fleet_{world_};
};

void check_updated(Scene& scene) {
  REQUIRE(scene.updated());
  CHECK(scene.device().version() == "2.0.0");
  CHECK(scene.attempt().action == "1000001");
  CHECK(scene.attempt().installs == 1);
  CHECK(scene.attempt().acked_end == "closed/success");
  CHECK(scene.attempt().ended == "succeeded");
}

const Words kAll{"hello 1.0.0", "accepted",    "downloading", "verifying",
                 "installing",  "hello 2.0.0", "completed"};

}  // namespace

TEST_CASE("a device over MQTT says hello, asks whether to begin, and reports every step") {
  SmallMqttOta ota{{}};
  Scene scene{options_for(ota)};
  check_updated(scene);
  CHECK(ota.words() == kAll);
  CHECK(ota.downloads() == 1);
  CHECK(scene.attempt().reads == 1);
  CHECK(scene.attempt().reports_acked == 4);
  CHECK(scene.stats.offers == 1);
  CHECK(scene.stats.mqtt_connections == 2);  // one before the reboot, one after it
  CHECK(scene.stats.mqtt_lost == 0);
  CHECK(ota.broker().clients().at(0).ended != SmallBroker::Ended::kNo);
}

TEST_CASE("what has no answer is said again, with the same id, and nothing is installed twice") {
  for (const std::string word : {"hello 1.0.0", "accepted", "installing", "completed"}) {
    SmallMqttOta::Behaviour behaviour;
    behaviour.swallows_first = word;
    SmallMqttOta ota{behaviour};
    Options options = options_for(ota);
    options.timeout = 200ms;
    Scene scene{options};
    check_updated(scene);
    const auto ids = ota.ids(word);
    REQUIRE(ids.size() >= 2);
    CHECK(ids[0] == ids[1]);
    CHECK(scene.stats.mqtt_repeated >= 1);
    CHECK(scene.stats.mqtt_lost == 0);  // the broker was there all the time
  }
}

TEST_CASE("a device whose connection ends says hello on the next one, then what was not answered") {
  for (const std::string word : {"accepted", "downloading", "installing", "completed"}) {
    SmallMqttOta::Behaviour behaviour;
    behaviour.hangs_up_at = word;
    SmallMqttOta ota{behaviour};
    Scene scene{options_for(ota)};
    check_updated(scene);
    const auto ids = ota.ids(word);
    REQUIRE(ids.size() == 2);
    CHECK(ids[0] == ids[1]);
    const Words said = ota.words();
    const auto second = std::find(std::find(said.begin(), said.end(), word) + 1, said.end(), word);
    CHECK((second - 1)->starts_with("hello"));
    CHECK(scene.stats.mqtt_lost == 1);
  }
}

TEST_CASE("a device that may not begin downloads nothing, and asks again when it is told again") {
  SmallMqttOta::Behaviour behaviour;
  behaviour.goes = false;
  SmallMqttOta ota{behaviour};
  Scene scene{options_for(ota)};
  REQUIRE(scene.until([&] { return scene.stats.mqtt_no_go == 1; }));
  ota.offer_again();
  REQUIRE(scene.until([&] { return scene.stats.mqtt_no_go == 2; }));
  CHECK(ota.downloads() == 0);
  CHECK_FALSE(scene.device().is_busy());
  CHECK(scene.stats.offers == 0);
}

TEST_CASE("a command that comes again while a device works on it, or has ended it, is no news") {
  SmallMqttOta ota{{}};
  Options options = options_for(ota);
  options.install = 50ms;
  Scene scene{options};
  REQUIRE(scene.until([&] { return scene.device().phase() == Phase::kInstalling; }));
  ota.offer_again();
  check_updated(scene);
  ota.offer_again();  // out of date
  // At the first hello, and again; from the topic after the reboot, and at the hello; nothing; and this.
  REQUIRE(scene.until([&] { return scene.stats.mqtt_commands == 6; }));
  CHECK(ota.ids("accepted").size() == 1);
  CHECK(ota.words() == kAll);
}

TEST_CASE("install later: a device downloads, says so, and waits until it is told now") {
  SmallMqttOta::Behaviour behaviour;
  behaviour.install = "later";
  SmallMqttOta ota{behaviour};
  Scene scene{options_for(ota)};
  check_updated(scene);
  CHECK(ota.words() == kAll);
}

TEST_CASE("install never: a device downloads, says so, and that was it") {
  SmallMqttOta::Behaviour behaviour;
  behaviour.install = "never";
  SmallMqttOta ota{behaviour};
  Scene scene{options_for(ota)};
  REQUIRE(scene.until([&] { return scene.stats.ended(RunEnd::kDownloaded) == 1; }));
  CHECK(ota.words() == Words{"hello 1.0.0", "accepted", "downloading", "verifying"});
  CHECK(scene.device().version() == "1.0.0");
  CHECK(ota.downloads() == 1);
}

TEST_CASE("a user who is asked says yes") {
  SmallMqttOta::Behaviour behaviour;
  behaviour.asks_for_consent = true;
  SmallMqttOta ota{behaviour};
  Scene scene{options_for(ota)};
  check_updated(scene);
  Words said = ota.words();
  CHECK(said.at(1) == "confirmed");
  std::erase(said, "confirmed");
  CHECK(said == kAll);
}

TEST_CASE("a cancel is agreed to until the install begins, and refused from then on") {
  SmallMqttOta::Behaviour behaviour;
  SUBCASE("before") {
    behaviour.install = "later";
    behaviour.cancels_at = "verifying";
    SmallMqttOta ota{behaviour};
    Scene scene{options_for(ota)};
    REQUIRE(scene.until([&] { return scene.stats.cancels_agreed == 1; }));
    CHECK(ota.words().back() == "cancelled");
    CHECK(scene.device().version() == "1.0.0");
    CHECK(scene.attempt().cancel_agreed);
    CHECK(scene.attempt().ended == "cancelled");
    CHECK_FALSE(scene.device().is_busy());
  }
  SUBCASE("behind") {
    behaviour.cancels_at = "installing";
    SmallMqttOta ota{behaviour};
    Options options = options_for(ota);
    options.install = 200ms;
    Scene scene{options};
    check_updated(scene);
    CHECK(scene.stats.cancels_refused == 1);
    CHECK(ota.ids("cancel_refused").size() >= 1);
    CHECK(scene.attempt().cancel_refused);
  }
}

TEST_CASE("an install that fails is told with its reason") {
  SmallMqttOta ota{{}};
  Options options = options_for(ota);
  options.faults.failure_rate = 1;
  Scene scene{options};
  REQUIRE(scene.updated());
  CHECK(ota.words().back() == "failed");
  CHECK(scene.attempt().acked_end == "closed/failure");
  CHECK(scene.attempt().installs == 0);
  CHECK(scene.device().version() == "1.0.0");
}

TEST_CASE(
    "an end that nobody wants to know any more ends the work; one that is refused is a problem") {
  SmallMqttOta::Behaviour behaviour;
  behaviour.refuses = "completed";
  SUBCASE("not found") {
    SmallMqttOta ota{behaviour};
    Scene scene{options_for(ota)};
    REQUIRE(scene.until([&] { return scene.stats.ended(RunEnd::kGone) == 1; }));
    CHECK(scene.stats.violations == 0);
  }
  SUBCASE("invalid") {
    behaviour.error = "invalid";
    SmallMqttOta ota{behaviour};
    Scene scene{options_for(ota)};
    Stats& stats = scene.stats;
    const bool rejected = scene.until([&] {
      stats.violation_texts.clear();
      return stats.ended(RunEnd::kRejected) == 1;
    });
    CHECK(rejected);
    CHECK(stats.violations == 1);
  }
}

TEST_CASE("power that fails leaves the connection half open; the device reports once it is back") {
  for (std::uint64_t seed = 1; seed < 15; ++seed) {
    SmallMqttOta ota{{}};
    Options options = options_for(ota);
    options.seed = seed;
    options.faults.power_cut = 1;
    Scene scene{options};
    check_updated(scene);
    CHECK(scene.attempt().power_was_cut);
    CHECK(ota.broker().clients().at(0).ended == SmallBroker::Ended::kNo);
  }
}

TEST_CASE("on a bad network a device gets its update all the same, once") {
  std::array<std::uint64_t, kFaultKinds> faults{};
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SmallMqttOta ota{{}};
    Options options = options_for(ota);
    options.seed = seed;
    options.timeout = 150ms;
    options.faults.network = {0.1, 0.2, 0.1, 0.1, 30ms, 100};
    Scene scene{options};
    check_updated(scene);
    for (std::size_t kind = 0; kind < kFaultKinds; ++kind)
      faults[kind] += scene.faults(static_cast<FaultKind>(kind));
  }
  CHECK(std::all_of(faults.begin(), faults.end(), [](std::uint64_t count) { return count > 0; }));
}

TEST_CASE("where the broker is, in the ways in which it is written") {
  const auto broker = [](const char* text) {
    const auto origin = parse_broker(text);
    return origin ? fmt::format("{}{}|{}", origin->tls ? "tls " : "", origin->host, origin->port)
                  : std::string{"none"};
  };
  CHECK(broker("broker.example:1884") == "broker.example|1884");
  CHECK(broker("mqtt://broker.example") == "broker.example|1883");
  CHECK(broker("mqtts://broker.example") == "tls broker.example|8883");
  CHECK(broker("mqtts://[::1]:8884") == "tls ::1|8884");
  CHECK(broker("mqtt://[::1]") == "::1|1883");
  for (const char* wrong :
       {"", "broker.example", ":1883", "mqtt://", "http://b:1883", "b:1883/x", "b:0x1"})
    CHECK(broker(wrong) == "none");
}
