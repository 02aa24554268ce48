#include "tools/benchmarks/report_load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "tools/benchmarks/processor_time.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kStartingConnections = 64;

}  // namespace

ReportingService::ReportingService(const std::filesystem::path& directory, std::size_t connections)
    : connections_(connections), service_(directory), plan_(begin(service_, connections)) {}

ReportsPlan ReportingService::begin(ServiceUnderTest& service, std::size_t connections) {
  service.register_devices(kReportingDevices);
  service.start_campaign(kReportingDevices);
  StepsPlan starting(0, kReportingDevices, kStartingConnections, {Step::kPoll, Step::kDeployment});
  run_load({.port = service.port(), .connections = kStartingConnections}, starting);
  return ReportsPlan(starting.actions(), connections);
}

LoadResult ReportingService::run(const Extent& extent, ReportCost& cost) {
  const std::uint64_t events_before = service_.log_position();
  const std::uint64_t reports_before = plan_.reports();
  const double service_before = processor_seconds_of(service_.pid());
  const double sender_before = processor_seconds_of(getpid());
  const LoadResult result = run_reports(service_.port(), connections_, extent, plan_);
  const auto each_us = [&](double seconds) {
    return 1e6 * seconds / static_cast<double>(plan_.reports() - reports_before);
  };
  cost = {each_us(processor_seconds_of(service_.pid()) - service_before),
          each_us(processor_seconds_of(getpid()) - sender_before)};
  const std::uint64_t events = service_.log_position() - events_before;
  const std::uint64_t reports = plan_.reports() - reports_before;
  if (events != reports) {
    throw std::runtime_error(
        fmt::format("{} reports were answered 200, {} events were written", reports, events));
  }
  return result;
}

LoadResult run_reports(int port, std::size_t connections, const Extent& extent, ReportsPlan& plan) {
  LoadOptions options;
  options.port = port;
  options.connections = connections;
  options.warm_up = std::chrono::duration<double>(extent.warm_up_seconds());
  options.duration = std::chrono::duration<double>(extent.seconds());
  return run_load(options, plan);
}

}  // namespace ota::bench
