// The service under the load of devices that report: a campaign with a thousand devices in the middle of their updates, which
// say something new for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/options.hpp"
#include "tools/benchmarks/service_under_test.hpp"

namespace ota::bench {

// A campaign's max_concurrent_updates.
inline constexpr std::size_t kReportingDevices = 1'000;

// What a report keeps the processors busy for: in the service, and beside it in whoever sends it.
struct ReportCost {
  double service_us = 0;
  double sender_us = 0;
};

class ReportingService {
 public:
  ReportingService(const std::filesystem::path& directory, std::size_t connections);

  // Throws std::runtime_error unless every report that was answered 200 is an event.
  LoadResult run(const Extent& extent, ReportCost& cost);

 private:
  static ReportsPlan begin(ServiceUnderTest& service, std::size_t connections);

  const std::size_t connections_;
  ServiceUnderTest service_;
  ReportsPlan plan_;
};

// What all of them have in common: the load on a port for a round.
LoadResult run_reports(int port, std::size_t connections, const Extent& extent, ReportsPlan& plan);

}  // namespace ota::bench
