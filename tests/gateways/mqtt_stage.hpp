// A service with a clock of its own, its devices over MQTT, and no broker: what would be published is kept.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actors/service.hpp"
#include "gateways/mqtt/conversation.hpp"
#include "gateways/mqtt/pusher.hpp"
#include "tests/gateways/nats_support.hpp"

namespace ota::gateways::testing {

class MqttStage {
 public:
  explicit MqttStage(bool plug_and_play = true);
  ~MqttStage();
  MqttStage(const MqttStage&) = delete;
  MqttStage& operator=(const MqttStage&) = delete;

  actors::Service& service() { return *service_; }
  void advance(domain::Duration by) { now_us_ += by.count(); }
  void restart();

  domain::FirmwareId firmware(const std::string& version);
  // Whose bytes are not here, and are fetched, or stay where they are.
  domain::FirmwareId firmware_by_url(const std::string& version, bool kept_elsewhere);
  domain::CampaignId campaign(domain::FirmwareId firmware, const std::vector<std::string>& devices,
                              domain::CampaignPolicy policy = immediate());
  static domain::CampaignPolicy immediate();
  domain::DeviceUpdate update(const nlohmann::json& command);
  domain::Device device(const std::string& id);

  // Carries out what a device says; its answer, or null.
  nlohmann::json say(const std::string& device, const nlohmann::json& message);
  // The same about an attempt.
  nlohmann::json status(const std::string& device, const nlohmann::json& command, const std::string& word,
                        nlohmann::json more = nlohmann::json::object());
  // Says hello as a device of the model that firmware() is for.
  void hello(const std::string& device, const std::string& version = "1.0.0");

  // What stands on the device's topic: null if nothing was ever published, "" if it is empty.
  nlohmann::json standing(const std::string& device);
  // Waits until it is a command of this type, with these members.
  nlohmann::json wait_for_command(const std::string& device, const std::string& type,
                                  const nlohmann::json& members = nlohmann::json::object());
  void wait_for_nothing(const std::string& device);
  // How many letters were published on its topic so far.
  std::size_t published(const std::string& device);

 private:
  void open();
  void close();
  domain::FirmwareId put(domain::RegisterFirmware command);

  TempFolder folder_;
  const bool plug_and_play_;
  std::atomic<std::int64_t> now_us_;
  mqtt::Topics topics_{"DEFAULT"};
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> letters_;   // by topic
  std::unique_ptr<mqtt::Pusher> pusher_;
  std::unique_ptr<actors::Service> service_;
  std::optional<mqtt::Conversation> conversation_;
};

}  // namespace ota::gateways::testing
