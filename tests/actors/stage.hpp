// A service on a temporary directory with a clock of its own, and the few verbs that the tests tell their stories with.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "actors/service.hpp"

namespace ota::actors::test {

class Stage {
 public:
  explicit Stage(const std::function<void(ServiceOptions&)>& change = {});
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Service& service() { return *service_; }
  void restart();
  void advance(domain::Duration by) { now_us_ += by.count(); }
  domain::Time now() const { return domain::Time(domain::Duration(now_us_.load())); }

  domain::FirmwareId firmware(const std::string& version, const std::string& model = "SF-100");
  // Polls and says what it is.
  void device(const std::string& id, const std::string& version);
  domain::CampaignId campaign(domain::FirmwareId firmware, const std::vector<std::string>& devices,
                              const domain::CampaignPolicy& policy);
  void start(domain::CampaignId id) { tell(id, domain::StartCampaign{}); }
  void tell(domain::CampaignId id, domain::CampaignCommand command);
  projections::CampaignRow row(domain::CampaignId id);
  // The update in progress on a device after a poll; empty if it was offered nothing.
  std::optional<domain::DeviceUpdate> poll(const std::string& id);
  // The same, as often as it takes: while an event is on its way to the campaign a poll may be answered without an offer.
  std::optional<domain::DeviceUpdate> poll_until_offered(const std::string& id);
  void report(const domain::DeviceUpdate& update, domain::Report::Kind kind);
  // Waits until `condition` holds, at most some seconds; false: it never did.
  static bool eventually(const std::function<bool()>& condition);
  // Every event of the log, decoded.
  std::vector<domain::Recorded> events();

 private:
  std::filesystem::path directory_;
  std::function<void(ServiceOptions&)> change_;
  std::atomic<std::int64_t> now_us_;
  std::unique_ptr<Service> service_;
};

std::vector<std::string> names(std::size_t count);

}  // namespace ota::actors::test
