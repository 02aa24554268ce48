// A rollout through the actors' door: a campaign on a seeded fleet, and devices that ask for their
// update and report how it ended, each once. HTTP is taken away, everything behind it is there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "actors/service.hpp"

namespace ota::bench {

// Registers a firmware for the seeded fleet; its bytes count as stored.
domain::FirmwareId add_firmware(actors::Service& service);

// Creates and starts a campaign on the whole fleet: immediate, 1,000 at a time, judged when `judged_at`
// devices have finished (0: at its end).
domain::CampaignId begin_campaign(actors::Service& service, domain::FirmwareId firmware,
                                  std::uint32_t judged_at);

// What the asking threads do: as many as the front door has handlers.
struct Asking {
  std::size_t threads = 128;
  double seconds = 1;  // of run()
  // Grants a second of all threads together; absent: as fast as they can.
  std::optional<double> per_second;
  // Every n-th device reports a failure; 0: none does.
  std::size_t failing_every = 0;
};

class RolloutLoad {
 public:
  // Devices `first` to `first + count - 1` of the fleet; first's ordinal is `first`.
  RolloutLoad(actors::Service& service, domain::CampaignId campaign, std::size_t first,
              std::size_t count)
      : service_(service), campaign_(campaign), first_(first), count_(count) {}

  // Lets devices that have not asked yet ask and report. Answers the grants a second, each with its
  // terminal report committed. Throws std::runtime_error if a report is refused or the devices do not
  // suffice.
  double run(const Asking& asking);
  // The same until the campaign gives nothing any more, and `asked_on` devices beyond that.
  void run_until_closed(const Asking& asking, std::size_t asked_on);

  std::uint64_t granted() const { return granted_; }

 private:
  enum class Outcome : std::uint8_t { kGranted, kNothing };
  Outcome update_one(std::size_t device, bool fails);
  std::size_t next_device();

  actors::Service& service_;
  const domain::CampaignId campaign_;
  const std::size_t first_;
  const std::size_t count_;
  std::atomic<std::size_t> begun_{0};
  std::atomic<std::uint64_t> granted_{0};
};

}  // namespace ota::bench
