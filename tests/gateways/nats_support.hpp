// What the tests of the bus gateway share: a real server that can be killed and started again, a
// reader of what was published, and a log with events in it.
#pragma once

#include <doctest/doctest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/streams.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/log.hpp"
#include "eventstore/subjects.hpp"
#include "gateways/nats/connection.hpp"
#include "gateways/nats/pull_consumer.hpp"

namespace ota::gateways::testing {

// Longer than anything takes that works.
inline constexpr std::chrono::seconds kDeadline{30};

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// nats-server with JetStream on a free loopback port, its files in a folder of its own.
class NatsServer {
 public:
  NatsServer();   // started and ready
  // With an MQTT listener as well, and these users alone, each with its permissions, in the server's own words.
  explicit NatsServer(const std::string& users);
  ~NatsServer();  // killed
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::string url() const;
  int mqtt_port() const { return mqtt_port_; }
  void kill();    // SIGKILL, and waits for the end
  void start();   // again, with the same port and files; returns when it is ready
  void forget();  // deletes its files; while it is not running

 private:
  TempFolder folder_;
  int port_ = 0;
  int mqtt_port_ = 0;      // 0: none
  pid_t process_ = -1;
  int output_ = -1;
};

// A message as somebody else sees it.
struct Seen {
  std::string subject;
  std::string message_id;
  nlohmann::ordered_json envelope;
};

// Reads what is published on ota_service.>, from the oldest message on; a name reads each message
// once.
class BusReader {
 public:
  explicit BusReader(const NatsServer& server, const std::string& name = "reader");
  // The next message; fails the test if none comes before the deadline.
  Seen next();
  std::vector<Seen> next(std::size_t count);
  // Fails the test unless everything that the stream holds was read.
  void check_no_more();

 private:
  nats::Connection connection_;
  nats::PullConsumer consumer_;
};

// Publishes a body as another service would; `id`: its Nats-Msg-Id.
void publish(const NatsServer& server, const std::string& stream, const std::string& subject,
             const std::string& body, const std::string& id = "");

// Waits for a condition until the deadline; fails the test then.
void wait_for(const std::function<bool()>& condition);

// A log with a journal and names, without actors.
class LogFixture {
 public:
  explicit LogFixture(std::vector<eventstore::Tail*> tails = {});
  // Appends events together and waits until they are durable and the tails know.
  eventstore::Committed commit(const std::vector<domain::Emitted>& events,
                               const std::string& person = "", const std::string& correlation = "");

  TempFolder folder;
  std::shared_ptr<eventstore::Log> log;
  std::unique_ptr<eventstore::Subjects> subjects;
  std::unique_ptr<eventstore::Journal> journal;
};

// Events of a small story: firmware SF 2.1.0, a campaign on it, a device's update in the campaign.
domain::FirmwareId firmware_id();
domain::CampaignId campaign_id(std::uint8_t number = 1);
domain::UpdateId update_id(std::uint32_t ordinal = 0);
domain::FirmwareRegistered firmware_record();
domain::CampaignCreated campaign_record(const std::string& name);
domain::AttemptGranted grant(std::uint32_t attempt = 1);

}  // namespace ota::gateways::testing
