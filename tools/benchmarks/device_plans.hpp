// What simulated devices say over hawkBit DDI, as plans for the load generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/benchmarks/load.hpp"

namespace ota::bench {

// A request with everything that it needs.
std::string http_text(std::string_view method, std::string_view path, std::string_view body = {});

std::string device_name(std::size_t device);
std::string device_path(std::size_t device);

// Repeats the same requests for ever, connection by connection from another one on.
class RepeatPlan final : public LoadPlan {
 public:
  explicit RepeatPlan(std::vector<std::string> requests) : requests_(std::move(requests)) {}
  std::string_view next(std::size_t connection) override;

 private:
  std::vector<std::string> requests_;
  std::vector<std::size_t> next_;  // of each connection
};

enum class Step : std::uint8_t {
  kPoll,
  kConfigData,  // says what it is
  kDeployment,  // fetches what the last poll offered
  kDownloaded,
  kClosed,  // succeeded
};

// Lets devices go through the same steps, each device once, as many at a time as there are
// connections. A device whose poll should bring an offer and does not polls again: while grants of
// others are under way a campaign may look full. It is an error if that goes on.
class StepsPlan final : public LoadPlan {
 public:
  // Devices `first` to `first + count - 1`.
  StepsPlan(std::size_t first, std::size_t count, std::size_t connections, std::vector<Step> steps);
  std::string_view next(std::size_t connection) override;
  void answered(std::size_t connection, std::string_view body) override;

  // The action that each device was offered, in the order of the devices; 0: none.
  const std::vector<std::uint64_t>& actions() const { return actions_; }

 private:
  struct Seat {
    std::size_t device = 0;  // from 0
    std::size_t step = 0;
    std::size_t polls_in_vain = 0;
    std::string request;
  };
  std::string request_of(const Seat& seat) const;
  bool wants_offer(const Seat& seat) const;

  const std::size_t first_;
  const std::size_t count_;
  const std::vector<Step> steps_;
  std::vector<Seat> seats_;
  std::size_t devices_begun_ = 0;
  std::vector<std::uint64_t> actions_;
};

// Devices that report progress for ever; every report says something new, so every one is an event.
class ReportsPlan final : public LoadPlan {
 public:
  struct Reporting {
    std::size_t device = 0;
    std::uint64_t action = 0;
  };
  // The actions of devices 0, 1, ..., as StepsPlan found them.
  ReportsPlan(const std::vector<std::uint64_t>& actions, std::size_t connections);
  // So many reports at most.
  ReportsPlan(std::vector<Reporting> reporting, std::size_t connections, std::uint64_t reports_max = UINT64_MAX);
  std::string_view next(std::size_t connection) override;

  std::uint64_t reports() const { return reports_; }

 private:
  struct Seat {
    std::size_t next = 0;  // of those that report
    std::string request;
  };
  std::vector<Reporting> reporting_;
  std::vector<Seat> seats_;
  const std::uint64_t reports_max_;
  std::uint64_t reports_ = 0;
};

}  // namespace ota::bench
