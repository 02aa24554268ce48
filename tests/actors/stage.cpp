#include "tests/actors/stage.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <thread>

namespace ota::actors::test {
namespace {

constexpr std::int64_t kStart = 1'780'000'000'000'000;   // some day in 2026

std::unique_ptr<Service> open(const std::filesystem::path& directory, const std::atomic<std::int64_t>& now,
                              const std::function<void(ServiceOptions&)>& change) {
  ServiceOptions options;
  options.data_directory = directory;
  options.clock = [&now] { return domain::Time(domain::Duration(now.load())); };
  options.settings.retry_backoff_base = std::chrono::seconds(1);
  if (change) change(options);
  return Service::open(std::move(options));
}

}  // namespace

Stage::Stage(const std::function<void(ServiceOptions&)>& change) : change_(change), now_us_(kStart) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ota-actors-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  service_ = open(directory_, now_us_, change_);
}

Stage::~Stage() {
  service_.reset();
  std::filesystem::remove_all(directory_);
}

void Stage::restart() {
  service_.reset();
  service_ = open(directory_, now_us_, change_);
}

domain::FirmwareId Stage::firmware(const std::string& version, const std::string& model) {
  domain::RegisterFirmware command;
  auto& r = command.record;
  r.id.bytes[0] = static_cast<std::uint8_t>(std::hash<std::string>{}(version));
  r.id.bytes[1] = 1;
  r.name = "Frame";
  r.manufacturer = "Acme";
  r.facts.version = version;
  r.facts.device_model = model;
  r.facts.file_size = 1'000;
  r.file_name = "frame.bin";
  r.sha256[0] = r.id.bytes[0];
  command.sha1.emplace();
  const auto id = r.id;
  const auto answer = service_->firmware(id, std::move(command), {});
  REQUIRE(answer.ok());
  return id;
}

void Stage::device(const std::string& id, const std::string& version) {
  REQUIRE(service_->poll({id}, {}).ok());
  domain::ChangeAttributes change;
  change.values = {{"device_model", "SF-100"}, {"firmware_version", version}};
  change.by_device = true;
  REQUIRE(service_->device({id}, change, {}).ok());
}

domain::CampaignId Stage::campaign(domain::FirmwareId firmware, const std::vector<std::string>& devices,
                                   const domain::CampaignPolicy& policy) {
  CampaignSpec spec;
  spec.id = {new_uuid(now())};
  spec.name = "test";
  spec.firmware = firmware;
  spec.devices = devices;
  spec.policy = policy;
  const auto answer = service_->create_campaign(spec, {});
  REQUIRE(answer.ok());
  return spec.id;
}

void Stage::tell(domain::CampaignId id, domain::CampaignCommand command) {
  const auto answer = service_->campaign(id, std::move(command), {});
  REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : answer.error().message));
}

projections::CampaignRow Stage::row(domain::CampaignId id) {
  auto row = service_->views().campaign(id);
  REQUIRE(row.has_value());
  return *row;
}

std::optional<domain::DeviceUpdate> Stage::poll(const std::string& id) {
  const auto record = service_->poll({id}, {});
  REQUIRE(record.ok());
  if (record.value().active.value == 0) return std::nullopt;
  const auto ref = service_->views().action({id}, record.value().active);
  REQUIRE(ref.has_value());
  return service_->views().update(ref->update);
}

std::optional<domain::DeviceUpdate> Stage::poll_until_offered(const std::string& id) {
  std::optional<domain::DeviceUpdate> update;
  eventually([&] { return (update = poll(id)).has_value(); });
  return update;
}

void Stage::report(const domain::DeviceUpdate& update, domain::Report::Kind kind) {
  domain::Report report;
  report.attempt = update.attempt;
  report.kind = kind;
  REQUIRE(service_->update(update.id, report, {}).ok());
}

bool Stage::eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

std::vector<domain::Recorded> Stage::events() {
  std::vector<domain::Recorded> all;
  service_->log().scan({}, [&](const eventstore::RecordedEvent& event) {
    all.push_back(projections::decode(event));
    return true;
  });
  return all;
}

std::vector<std::string> names(std::size_t count) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back("frame-" + std::to_string(i));
  return list;
}

}  // namespace ota::actors::test
