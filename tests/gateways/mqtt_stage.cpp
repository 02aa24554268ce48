#include "tests/gateways/mqtt_stage.hpp"

#include <fmt/format.h>

namespace ota::gateways::testing {
namespace {

using nlohmann::json;

constexpr std::int64_t kStart = 1'780'000'000'000'000;  // some day in 2026

std::string url_of(const domain::DeviceId& device, const domain::Firmware& firmware) {
  return fmt::format("https://ota.example/{}/{}?signed", device.value, firmware.record.file_name);
}

bool has(const json& command, const json& members) {
  for (const auto& [name, value] : members.items()) {
    if (!command.contains(name) || command[name] != value) return false;
  }
  return true;
}

domain::RegisterFirmware registration(const std::string& version) {
  domain::RegisterFirmware command;
  auto& r = command.record;
  r.id.bytes[0] = static_cast<std::uint8_t>(std::hash<std::string>{}(version));
  r.id.bytes[1] = 1;
  r.name = "Frame";
  r.manufacturer = "Acme";
  r.facts.version = version;
  r.facts.device_model = "SF-100";
  r.facts.file_size = 1'000;
  r.file_name = "frame.bin";
  r.sha256[0] = r.id.bytes[0];
  return command;
}

}  // namespace

MqttStage::MqttStage(bool plug_and_play) : plug_and_play_(plug_and_play), now_us_(kStart) { open(); }
MqttStage::~MqttStage() { close(); }

void MqttStage::open() {
  pusher_ = std::make_unique<mqtt::Pusher>(topics_, [this](const mqtt::Letter& letter) {
    const std::lock_guard lock(mutex_);
    CHECK(letter.kind != mqtt::Letter::Kind::kAnswer);
    letters_[letter.topic].push_back(letter.body);
  });
  actors::ServiceOptions options;
  options.data_directory = folder_.path() / "data";
  options.clock = [this] { return domain::Time(domain::Duration(now_us_.load())); };
  options.settings.retry_backoff_base = std::chrono::seconds(1);
  options.tails = {pusher_.get()};
  service_ = actors::Service::open(std::move(options));
  pusher_->start(*service_, url_of);
  conversation_.emplace(*service_, mqtt::Hooks{url_of, {}}, plug_and_play_);
}

void MqttStage::close() {
  pusher_->stop();
  conversation_.reset();
  service_.reset();
  pusher_.reset();
}

void MqttStage::restart() {
  close();
  open();
}

domain::FirmwareId MqttStage::firmware(const std::string& version) {
  auto command = registration(version);
  command.sha1.emplace();
  return put(std::move(command));
}

domain::FirmwareId MqttStage::firmware_by_url(const std::string& version, bool kept_elsewhere) {
  auto command = registration(version);
  command.record.file_url = "https://files.example/frame.bin";
  command.record.kept_elsewhere = kept_elsewhere;
  return put(std::move(command));
}

domain::FirmwareId MqttStage::put(domain::RegisterFirmware command) {
  const auto id = command.record.id;
  REQUIRE(service_->firmware(id, std::move(command), {}).ok());
  return id;
}

domain::CampaignPolicy MqttStage::immediate() {
  domain::CampaignPolicy policy;
  policy.strategy = domain::Strategy::kImmediate;
  return policy;
}

domain::CampaignId MqttStage::campaign(domain::FirmwareId firmware, const std::vector<std::string>& devices,
                                       domain::CampaignPolicy policy) {
  actors::CampaignSpec spec;
  spec.id = {actors::new_uuid(service_->now())};
  spec.name = "over MQTT";
  spec.firmware = firmware;
  spec.devices = devices;
  spec.policy = std::move(policy);
  REQUIRE(service_->create_campaign(spec, {}).ok());
  REQUIRE(service_->campaign(spec.id, domain::StartCampaign{}, {}).ok());
  return spec.id;
}

domain::DeviceUpdate MqttStage::update(const json& command) {
  const auto id = domain::parse_update_id(command.at("update_id").get<std::string>());
  REQUIRE(id.has_value());
  const auto update = service_->views().update(*id);
  REQUIRE(update.has_value());
  return *update;
}

domain::Device MqttStage::device(const std::string& id) {
  const auto device = service_->views().device({id});
  REQUIRE(device.has_value());
  return *device;
}

json MqttStage::say(const std::string& device, const json& message) {
  const auto outcome = conversation_->carry_out({device}, mqtt::read_up(message.dump()));
  CHECK_FALSE(outcome.later);
  switch (outcome.then) {
    case mqtt::Outcome::Then::kSpoke: pusher_->spoke({device}); break;
    case mqtt::Outcome::Then::kTellAnew: pusher_->heard({device}, mqtt::Cause::kTellAnew); break;
    case mqtt::Outcome::Then::kGone: pusher_->heard({device}, mqtt::Cause::kGone); break;
  }
  return outcome.reply ? json::parse(*outcome.reply) : json();
}

json MqttStage::status(const std::string& device, const json& command, const std::string& word, json more) {
  more["type"] = "status";
  more["update_id"] = command.at("update_id");
  more["attempt"] = command.at("attempt");
  more["status"] = word;
  return say(device, more);
}

void MqttStage::hello(const std::string& device, const std::string& version) {
  const auto answer = say(device, {{"type", "hello"}, {"attributes", {{"device_model", "SF-100"}, {"firmware_version", version}}}});
  CHECK_MESSAGE(answer.is_null(), answer.dump());
}

json MqttStage::standing(const std::string& device) {
  const std::lock_guard lock(mutex_);
  const auto& letters = letters_[topics_.down({device})];
  if (letters.empty()) return {};
  return letters.back().empty() ? json("") : json::parse(letters.back());
}

json MqttStage::wait_for_command(const std::string& device, const std::string& type, const json& members) {
  wait_for([&] {
    const auto now = standing(device);
    return now.is_object() && now.at("type") == type && has(now, members);
  });
  return standing(device);
}

void MqttStage::wait_for_nothing(const std::string& device) {
  wait_for([&] { return standing(device) == json(""); });
}

std::size_t MqttStage::published(const std::string& device) {
  const std::lock_guard lock(mutex_);
  return letters_[topics_.down({device})].size();
}

}  // namespace ota::gateways::testing
