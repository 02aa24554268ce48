// The whole service on a real bus: what it tells of a campaign, and what it does when a device is
// gone.
#include "gateways/nats/bus.hpp"

#include <doctest/doctest.h>

#include "actors/service.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using gateways::Bus;
using gateways::BusOptions;
using nlohmann::ordered_json;

namespace {

constexpr const char* kDeleted = "device_service.device.deleted";
constexpr const char* kDeviceStream = "device_service-stream";
constexpr const char* kUserDeleted = "account_service.user.deleted";
constexpr const char* kAccountStream = "account_service-stream";

// The service with its bus, in the order of life that bus.hpp asks for.
class Site {
 public:
  explicit Site(const NatsServer& server, const std::string& subject = kDeleted)
      : options_(bus_options(server)) {
    listen_to(subject);
    open();
  }
  ~Site() { close(); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void close() {
    if (bus_) bus_->stop();
    service_.reset();
    bus_.reset();
  }
  void listen_to(const std::string& subject) { options_.device_deleted_subject = subject; }
  void open() {
    bus_ = std::make_unique<Bus>(options_);
    actors::ServiceOptions options;
    options.data_directory = folder_.path();
    options.tails = {&bus_->tail()};
    service_ = actors::Service::open(std::move(options));
    bus_->start(*service_);
  }
  actors::Service& service() { return *service_; }
  Bus& bus() { return *bus_; }

  void upload() {
    domain::RegisterFirmware command;
    command.record = firmware_record();
    command.sha1.emplace();
    REQUIRE(service_->firmware(firmware_id(), std::move(command), meta_of("anna")).ok());
  }
  domain::CampaignId create(const std::vector<std::string>& devices) {
    actors::CampaignSpec spec;
    spec.id = {actors::new_uuid(service_->now())};
    spec.name = "Security Patch";
    spec.firmware = firmware_id();
    spec.devices = devices;
    spec.policy.strategy = domain::Strategy::kImmediate;
    auto meta = meta_of("bert");
    meta.correlation = "req-1";
    REQUIRE(service_->create_campaign(spec, meta).ok());
    return spec.id;
  }
  void start(domain::CampaignId id) {
    REQUIRE(service_->campaign(id, domain::StartCampaign{}, {}).ok());
  }
  // The device polls until it is offered something.
  domain::UpdateId granted(const std::string& device) {
    std::optional<domain::UpdateId> update;
    wait_for([&] {
      const auto record = service_->poll({device}, {});
      REQUIRE(record.ok());
      if (record.value().active.value == 0) return false;
      update = service_->views().action({device}, record.value().active).value().update;
      return true;
    });
    return *update;
  }
  bool is_deleted(const std::string& device) {
    return service_->views().device({device}).value().deleted;
  }

 private:
  BusOptions bus_options(const NatsServer& server) const {
    BusOptions options;
    options.url = server.url();
    options.cursor_directory = folder_.path() / "bus";
    options.retry_min = std::chrono::milliseconds(5);
    options.retry_max = std::chrono::milliseconds(50);
    return options;
  }
  actors::Meta meta_of(const std::string& person) {
    actors::Meta meta;
    meta.caller = service_->caller_of(person);
    return meta;
  }

  TempFolder folder_;
  BusOptions options_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<actors::Service> service_;
};

std::string deletion_of(const std::string& device) {
  return ordered_json{{"device_id", device}}.dump();
}

std::string enveloped(const std::string& id, const std::string& device) {
  return ordered_json{{"id", id}, {"type", "device.deleted"}, {"data", {{"device_id", device}}}}
      .dump();
}

// The same without what differs from run to run.
std::string data_of(Seen message) {
  auto& data = message.envelope["data"];
  CHECK(data["timestamp"] == message.envelope["timestamp"]);
  data.erase("timestamp");
  return message.subject + " " + data.dump();
}

}  // namespace

TEST_CASE(
    "the bus hears of an upload, a campaign, its start, an update's course and the campaign's end, in that order") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  site.upload();
  const auto campaign = site.create({"dev-1"});
  site.start(campaign);
  const auto update = site.granted("dev-1");
  REQUIRE(site.service().update(update, domain::CancelUpdate{}, {}).ok());

  BusReader reader(server);
  const auto messages = reader.next(6);
  const auto camp = domain::to_text(campaign);
  const auto firmware = domain::to_text(firmware_id());
  CHECK(
      data_of(messages[0]) ==
      R"(ota_service.firmware.uploaded {"firmware_id":")" + firmware +
          R"(","name":"Smart Frame Firmware","version":"2.1.0","device_model":"SF-100","file_size":52428800,)"
          R"("is_security_update":false,"uploaded_by":"anna"})");
  CHECK(data_of(messages[1]) ==
        R"(ota_service.campaign.created {"campaign_id":")" + camp +
            R"(","name":"Security Patch","firmware_id":")" + firmware +
            R"(","firmware_version":"2.1.0","target_device_count":1,)"
            R"("deployment_strategy":"immediate","priority":"normal","created_by":"bert"})");
  CHECK(messages[1].envelope["metadata"]["correlation_id"] == "req-1");
  CHECK(data_of(messages[2]) == R"(ota_service.campaign.started {"campaign_id":")" + camp +
                                    R"(","name":"Security Patch","firmware_id":")" + firmware +
                                    R"(","firmware_version":"2.1.0","target_device_count":1})");
  const auto of_update = R"({"update_id":")" + domain::to_text(update) + R"(","device_id":"dev-1","firmware_id":")" +
                         firmware + R"(","firmware_version":"2.1.0","campaign_id":")" + camp + R"(")";
  CHECK(data_of(messages[3]) == "ota_service.update.scheduled " + of_update + R"(,"from_version":""})");
  CHECK(data_of(messages[4]) == "ota_service.update.cancelled " + of_update + "}");
  CHECK(messages[5].subject == "ota_service.campaign.completed");
  CHECK(messages[5].envelope["data"]["cancelled_devices"] == 0);
  for (const auto& message : messages) {
    CHECK(message.envelope["id"] == message.message_id);
    CHECK(message.envelope["source"] == "ota_service");
    CHECK(message.envelope["version"] == "1.0.0");
  }
  CHECK(messages[0].envelope["metadata"]["position"] <
        messages[1].envelope["metadata"]["position"]);
  wait_for([&] { return site.bus().status().connected && site.bus().status().behind == 0; });
  reader.check_no_more();
}

TEST_CASE(
    "a device that is gone is deleted, and the bus hears that its granted update is cancelled") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  REQUIRE(site.service().poll({"dev-2"}, {}).ok());
  site.upload();
  const auto campaign = site.create({"dev-1", "dev-2"});
  site.start(campaign);
  const auto update = site.granted("dev-1");

  publish(server, kDeviceStream, kDeleted, enveloped("e-1", "dev-1"));
  // Never granted: not told of device by device.
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-2"));

  BusReader reader(server);
  const auto cancelled = reader.next(5).back();
  CHECK(cancelled.subject == "ota_service.update.cancelled");
  CHECK(cancelled.envelope["data"]["update_id"] == domain::to_text(update));
  CHECK(cancelled.envelope["data"]["device_id"] == "dev-1");
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK(site.is_deleted("dev-1"));
  CHECK(site.is_deleted("dev-2"));
  CHECK(site.service().views().update(update).value().status == domain::UpdateStatus::kCancelled);
  const auto completed = reader.next();
  CHECK(completed.subject == "ota_service.campaign.completed");
  CHECK(completed.envelope["data"]["cancelled_devices"] == 1);
  wait_for([&] { return site.bus().status().behind == 0; });
  reader.check_no_more();
}

TEST_CASE("a deletion is written in the name of the service that told of it") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  publish(
      server, kDeviceStream, kDeleted,
      R"({"id": "e-1", "data": {"device_id": "dev-1"}, "metadata": {"correlation_id": "req-9"}})");
  wait_for([&] { return site.bus().status().received == 1; });
  std::string correlation;
  std::optional<std::string> actor;
  site.service().log().read_tag(domain::stream_name(domain::DeviceId{"dev-1"}), {},
                                [&](const auto& event) {
                                  correlation = event.correlation;
                                  actor = site.service().subjects().person(event.caller);
                                  return true;
                                });
  CHECK(correlation == "req-9");
  CHECK(actor == "device_service");
}

TEST_CASE("malformed messages are skipped, and what comes behind them is done") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  for (const auto* body :
       {"", "gone", "[]", "{}", R"({"device_id": 7})", R"({"data": {"device_id": ""}})", "\xff"}) {
    publish(server, kDeviceStream, kDeleted, body);
  }
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-1"));
  wait_for([&] { return site.bus().status().received == 8; });
  CHECK(site.bus().status().malformed == 7);
  CHECK(site.is_deleted("dev-1"));
  CHECK(site.bus().status().last_error.empty());
}

TEST_CASE("a deletion told twice, and one of an unknown device, write nothing") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  publish(server, kDeviceStream, kDeleted, enveloped("e-1", "dev-1"));
  wait_for([&] { return site.bus().status().received == 1; });
  const auto head = site.service().log().head();
  publish(server, kDeviceStream, kDeleted, enveloped("e-1", "dev-1"));
  publish(server, kDeviceStream, kDeleted, enveloped("e-2", "dev-1"));
  publish(server, kDeviceStream, kDeleted, deletion_of("nobody"));
  wait_for([&] { return site.bus().status().received == 4; });
  CHECK(site.service().log().head() == head);
  CHECK(site.bus().status().malformed == 0);
}

TEST_CASE("an old deletion, told again, does not touch a device that has come back") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  publish(server, kDeviceStream, kDeleted, enveloped("e-1", "dev-1"));
  wait_for([&] { return site.bus().status().received == 1; });
  domain::RegisterDevice back;
  back.via = domain::RegisteredVia::kApi;
  REQUIRE(site.service().device({"dev-1"}, back, {}).ok());
  REQUIRE_FALSE(site.is_deleted("dev-1"));
  publish(server, kDeviceStream, kDeleted, enveloped("e-1", "dev-1"));
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK_FALSE(site.is_deleted("dev-1"));
  // A deletion that is news is carried out.
  publish(server, kDeviceStream, kDeleted, enveloped("e-2", "dev-1"));
  wait_for([&] { return site.bus().status().received == 3; });
  CHECK(site.is_deleted("dev-1"));
}

TEST_CASE("the history of the bus from before a device was registered here does not touch it") {
  const NatsServer server;
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-1"));
  Site site(server, "");
  for (const auto* device : {"dev-1", "dev-2"}) REQUIRE(site.service().poll({device}, {}).ok());
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-2"));
  site.close();
  site.listen_to(kDeleted);
  site.open();
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK_FALSE(site.is_deleted("dev-1"));
  CHECK(site.is_deleted("dev-2"));
}

TEST_CASE("deletions told while the service was away are done after its start, each once") {
  const NatsServer server;
  Site site(server);
  for (const auto* device : {"dev-1", "dev-2"}) REQUIRE(site.service().poll({device}, {}).ok());
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-1"));
  wait_for([&] { return site.bus().status().received == 1; });
  site.close();
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-2"));
  site.open();
  wait_for([&] { return site.bus().status().received == 1; });
  CHECK(site.is_deleted("dev-2"));
}

TEST_CASE("a server that dies and comes back is listened to again") {
  NatsServer server;
  Site site(server);
  for (const auto* device : {"dev-1", "dev-2"}) REQUIRE(site.service().poll({device}, {}).ok());
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-1"));
  wait_for([&] { return site.bus().status().received == 1; });
  server.kill();
  wait_for(
      [&] { return !site.bus().status().connected && !site.bus().status().last_error.empty(); });
  // Nothing waits for the bus.
  CHECK_FALSE(site.is_deleted("dev-2"));
  site.upload();
  server.start();
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-2"));
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK(site.is_deleted("dev-2"));
  wait_for([&] { return site.bus().status().connected; });
}

TEST_CASE("a consumer that the bus has lost is created again") {
  NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  wait_for([&] { return site.bus().status().connected; });
  server.kill();
  server.forget();
  server.start();
  publish(server, kDeviceStream, kDeleted, deletion_of("dev-1"));
  wait_for([&] { return site.bus().status().received == 1; });
  CHECK(site.is_deleted("dev-1"));
}

TEST_CASE("a pattern and a stream of another name will do") {
  const NatsServer server;
  publish(server, "everything", "fleet.eu.deleted", "{}");
  Site site(server, "fleet.*.deleted");
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  publish(server, "everything", "fleet.us.deleted", deletion_of("dev-1"));
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK(site.bus().status().malformed == 1);
  CHECK(site.is_deleted("dev-1"));
}

TEST_CASE(
    "a pattern that no stream keeps and that names no service is an error for health, not for the "
    "service") {
  const NatsServer server;
  Site site(server, "*.device.deleted");
  // The other connections have errors of their own while they begin.
  wait_for([&] {
    return site.bus().status().last_error.find("\"*.device.deleted\"") != std::string::npos;
  });
  CHECK_FALSE(site.bus().status().connected);
  site.upload();
  BusReader reader(server);
  CHECK(reader.next().subject == "ota_service.firmware.uploaded");
}

TEST_CASE("decision 18: a user who is gone is forgotten, and nothing of theirs is under way any more") {
  const NatsServer server;
  Site site(server);
  REQUIRE(site.service().poll({"dev-1"}, {}).ok());
  domain::ChangeAttributes owned;
  owned.owner = site.service().caller_of("anna");
  REQUIRE(site.service().device({"dev-1"}, owned, {}).ok());
  site.upload();
  const auto campaign = site.create({"dev-1"});
  site.start(campaign);
  const auto update = site.granted("dev-1");
  const auto message =
      ordered_json{{"id", "e-1"}, {"type", "user.deleted"}, {"data", {{"user_id", "anna"}}}}.dump();
  publish(server, kAccountStream, kUserDeleted, message);
  publish(server, kAccountStream, kUserDeleted, R"({"user_id": 7})");
  wait_for([&] { return site.bus().status().received == 2; });
  CHECK(site.bus().status().malformed == 1);
  CHECK(site.service().views().update(update).value().status == domain::UpdateStatus::kCancelled);
  CHECK_FALSE(site.service().known_user("anna").has_value());
  // In the name of whoever told of it, and once.
  std::optional<std::string> actor;
  site.service().log().read_tag(domain::stream_name(domain::UserStream{*owned.owner}), {}, [&](const auto& event) {
    actor = site.service().subjects().person(event.caller);
    return true;
  });
  CHECK(actor == "account_service");
  const auto head = site.service().log().head();
  publish(server, kAccountStream, kUserDeleted, message);
  wait_for([&] { return site.bus().status().received == 3; });
  CHECK(site.service().log().head() == head);
  // Nor does it touch the person who has come back.
  owned.owner = site.service().caller_of("anna");
  REQUIRE(site.service().device({"dev-1"}, owned, {}).ok());
  publish(server, kAccountStream, kUserDeleted, message);
  wait_for([&] { return site.bus().status().received == 4; });
  CHECK(site.service().known_user("anna") == owned.owner);
}

TEST_CASE("options that cannot be are refused with their value") {
  const TempFolder folder;
  BusOptions options;
  options.cursor_directory = folder.path();
  CHECK_THROWS_WITH_AS(Bus{options}, "nats.url \"\" names no server", std::runtime_error);
  options.url = "nats://127.0.0.1:1";
  for (const auto* subject : {".a", "a.", "a..b", "a b", "a\n"}) {
    CAPTURE(subject);
    options.device_deleted_subject = subject;
    CHECK_THROWS_WITH_AS(Bus{options}, doctest::Contains("nats.device_deleted \""),
                         std::runtime_error);
    options.device_deleted_subject = kDeleted;
    options.user_deleted_subject = subject;
    CHECK_THROWS_WITH_AS(Bus{options}, doctest::Contains("nats.user_deleted \""), std::runtime_error);
    options.user_deleted_subject = kUserDeleted;
  }
}

TEST_CASE("a bus that was never started can be asked and stopped") {
  const TempFolder folder;
  BusOptions options;
  options.url = "nats://127.0.0.1:1";
  options.cursor_directory = folder.path();
  Bus bus(options);
  CHECK_FALSE(bus.status().connected);
  CHECK(bus.status().behind == 0);
  bus.stop();
}
