// History as the log has it. Streams are short: a seek and a few reads answer each question.
//
// Safe from any thread. Everything throws LogError if the log cannot be read.
#pragma once

#include "eventstore/log.hpp"
#include "eventstore/subjects.hpp"
#include "gateways/nats/translate.hpp"

namespace ota::gateways::nats {

class LogHistory final : public History {
 public:
  // Both outlive it.
  LogHistory(const eventstore::Log& log, const eventstore::Subjects& subjects)
      : log_(log), subjects_(subjects) {}

  std::optional<RegisteredFirmware> firmware(domain::FirmwareId id) const override;
  std::optional<domain::CampaignCreated> campaign(domain::CampaignId id) const override;
  bool was_cancelled(domain::CampaignId id, domain::Position as_of) const override;
  std::uint32_t never_granted(domain::CampaignId id, domain::Position as_of) const override;
  domain::DeviceUpdate update(const domain::UpdateId& id, domain::Position as_of) const override;
  std::optional<std::string> person(domain::Caller caller) const override;

 private:
  const eventstore::Log& log_;
  const eventstore::Subjects& subjects_;
};

// When a device was registered, or brought back after a deletion, the last time; empty if never.
std::optional<domain::Time> known_since(const eventstore::Log& log, const domain::DeviceId& device);

}  // namespace ota::gateways::nats
