// Durable reports beside the same reports kept in PostgreSQL, behind the same front door and under the same load.
#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "http/front_door.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/report_load.hpp"
#include "tools/benchmarks/roles.hpp"
#include "tools/benchmarks/rows.hpp"

namespace ota::bench {
namespace {

constexpr double kRatioMin = 3;
// A handler, and a process of PostgreSQL, for each connection, but not more than the service has handlers.

std::uint64_t history_rows(int port) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(60);
  const auto answer = client.Get("/history");
  if (!answer || answer->status != 200) throw std::runtime_error("PostgreSQL does not say what it has written");
  return std::stoull(answer->body);
}

// The very devices of a ReportingService, by the names of their actions in the tables.
ReportsPlan reports_to_tables(std::size_t connections) {
  std::vector<std::uint64_t> actions;
  for (std::size_t device = 0; device < kReportingDevices; ++device) actions.push_back(device + 1);
  return ReportsPlan(actions, connections);
}

LoadResult run_peer(const Role& peer, std::size_t connections, const Extent& extent, ReportsPlan& plan) {
  const auto rows_before = history_rows(peer.port);
  const auto reports_before = plan.reports();
  const auto result = run_reports(peer.port, connections, extent, plan);
  const auto rows = history_rows(peer.port) - rows_before;
  if (rows != plan.reports() - reports_before) {
    throw std::runtime_error(fmt::format("{} reports were answered 200, {} rows were written", plan.reports() - reports_before, rows));
  }
  return result;
}

// Without its peer there is no ratio: what was to be shown is not, which is a miss.
Row skipped(std::string work, const std::string& why, bool binding) {
  fmt::print(stderr, "bench: the row beside PostgreSQL is skipped: {}\n", why);
  return {std::move(work), 0, "reports/s", {}, Goal{Goal::Kind::kValueAtLeast, kRatioMin, binding}, "SKIPPED: " + why};
}

Row measure_beside_postgres(const std::filesystem::path& directory, std::size_t connections, ReportTrips trips, const Extent& extent) {
  const bool pipelined = trips == ReportTrips::kOne;
  const std::string work =
      fmt::format("durable reports beside {}PostgreSQL, {} connections", pipelined ? "pipelined " : "", connections);
  std::filesystem::create_directories(directory);
  std::optional<Role> peer;
  try {
    peer.emplace(pipelined ? kPipelinedPostgresRole : kPostgresRole, (directory / "postgres").string(),
                 std::to_string(std::min(connections, http::FrontDoorOptions().handler_threads)));
  } catch (const std::runtime_error&) {
    return skipped(work, "PostgreSQL 15 or libpq is not there, see above", !pipelined);
  }
  ReportingService service(directory / "service", connections);
  auto plan = reports_to_tables(connections);
  LoadResult best;
  LoadResult best_peer;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    ReportCost cost;
    const auto result = service.run(extent, cost);
    if (result.per_second() > best.per_second()) best = result;
    settle_disk(directory);
    const auto other = run_peer(*peer, connections, extent, plan);
    if (other.per_second() > best_peer.per_second()) best_peer = other;
  }
  return {work,
          best.per_second(),
          "reports/s",
          Peer{"PostgreSQL 15 behind the same door", best_peer.per_second()},
          // The goal is about a service as services are written; the other is the most that can be had of libpq.
          Goal{Goal::Kind::kRatioAtLeast, kRatioMin, /*binding=*/!pipelined},
          fmt::format("p50 {} us, the peer's {} us; row update and history insert prepared, one transaction in {}, synchronous commit",
                      best.p50.count(), best_peer.p50.count(), pipelined ? "one round trip" : "four round trips")};
}

}  // namespace

Rows measure_postgres(const std::filesystem::path& directory, const Extent& extent) {
  Rows rows;
  for (const auto trips : {ReportTrips::kFour, ReportTrips::kOne}) {
    for (const std::size_t connections : {64U, 256U}) {
      const auto name = fmt::format("{}-{}", trips == ReportTrips::kOne ? "pipelined" : "plain", connections);
      rows.push_back(measure_beside_postgres(directory / name, connections, trips, extent));
    }
  }
  return rows;
}

}  // namespace ota::bench
