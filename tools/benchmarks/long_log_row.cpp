// The long log's rows: what ten million events take on disk, how fast they are read into views and verified, and how soon a
// service on them answers.
//
// The log is made once; every row is of the very same one.
#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <future>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "domain/streams.hpp"
#include "eventstore/verify.hpp"
#include "projections/limits.hpp"
#include "projections/log_key_list.hpp"
#include "projections/views.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/lived_log.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/otad_process.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/stopwatch.hpp"
#include "tools/heap.hpp"

namespace ota::bench {
namespace {

constexpr std::uint64_t kLogEvents = 10'000'000;
constexpr std::uint64_t kLogEventsQuick = 200'000;
constexpr double kBytesMax = 300;
constexpr double kRebuiltMin = 250'000;
constexpr double kRebuiltWished = 400'000;
constexpr double kVerifiedMin = 500'000;
constexpr double kCleanStartMax = 2;
constexpr double kPastMax_ms = 200;
constexpr int kPastMoments = 40;             // of a campaign's life that are asked for
constexpr double kKilledStartMax = 10;
constexpr std::size_t kWriters = 64;
// Shortly before the views are flushed for their age: what a start after SIGKILL has at most to catch up with.
constexpr double kWriteSeconds = 55;
constexpr double kWriteSecondsQuick = 2;

std::string in_words(const LivedLog& log) {
  return fmt::format("{} events of {} devices", log.events, log.devices);
}

Row disk_row(const std::filesystem::path& data, const LivedLog& log) {
  const LogOnDisk disk = measure_settled_log(data / "log");
  std::string families;
  for (const auto& [name, bytes] : disk.families) {
    const double each = static_cast<double>(bytes) / static_cast<double>(log.events);
    if (each >= 0.1) families += fmt::format("{}{} {:.1f}", families.empty() ? "" : ", ", name, each);
  }
  return {"log on disk, all keys and indexes",
          static_cast<double>(disk.bytes) / static_cast<double>(log.events),
          "bytes/event",
          {},
          Goal{Goal::Kind::kValueAtMost, kBytesMax, /*binding=*/true},
          fmt::format("{}, once the files rest: {}; it was made in {:.0f} s", in_words(log), families, log.seconds)};
}

Row rebuild_row(const std::filesystem::path& data, const Extent& extent, const LivedLog& made) {
  const std::string work = "rebuild of all views";
  const domain::Settings settings;
  double best = std::numeric_limits<double>::max();
  double best_cpu = 0;
  std::uint64_t bytes = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    const auto directory = data / "rebuilt";
    settle_disk(data);
    const auto log = eventstore::Log::open_read_only(data / "log");
    const auto views = projections::Views::open(directory, settings);
    const Stopwatch stopwatch;
    views->catch_up(*log, {});
    const auto cost = stopwatch.cost();
    if (views->position().value != made.events || !views->broken().empty()) {
      throw std::runtime_error("the views were not rebuilt: " + views->broken());
    }
    if (cost.seconds < best) {
      best = cost.seconds;
      best_cpu = cost.cpu_seconds;
    }
    bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
      if (file.is_regular_file()) bytes += file.file_size();
    }
    std::filesystem::remove_all(directory);
  }
  const auto events = static_cast<double>(made.events);
  return {work,
          events / best,
          "events/s",
          {},
          Goal{Goal::Kind::kValueAtLeast, kRebuiltMin, /*binding=*/true, kRebuiltWished},
          fmt::format("to disk; processor {:.1f} us an event, views of {:.0f} bytes an event", 1e6 * best_cpu / events,
                      static_cast<double>(bytes) / events)};
}

Row verify_row(const std::filesystem::path& data, const Extent& extent, const LivedLog& made) {
  const std::string work = "audit verify";
  double best = std::numeric_limits<double>::max();
  eventstore::Verification found;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(data);
    const auto log = eventstore::Log::open_read_only(data / "log");
    eventstore::VerifyOptions how;
    how.keys = projections::trusted(projections::log_keys(*log));
    const Stopwatch stopwatch;
    found = eventstore::verify(*log, how);
    best = std::min(best, stopwatch.seconds());
    if (!found.is_sound() || found.events != made.events) throw std::runtime_error("the log is not sound");
  }
  return {work,
          static_cast<double>(made.events) / best,
          "events/s",
          {},
          Goal{Goal::Kind::kValueAtLeast, kVerifiedMin, /*binding=*/true},
          fmt::format("{:.1f} index rows an event, {} signed checkpoints",
                      static_cast<double>(found.index_rows) / static_cast<double>(made.events), found.checkpoints)};
}

// What a campaign of all devices of a model was, at moments spread over its life, asked of a service over HTTP: the worst.
Row past_row(const std::filesystem::path& data, const LivedLog& log) {
  const std::string work = "a campaign as of an earlier moment";
  show_progress(work, 0, 1);
  if (!log.closed_campaign) throw std::runtime_error("no campaign has closed in this log");
  const auto stream = domain::stream_name(*log.closed_campaign);
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  {
    const auto opened = eventstore::Log::open_read_only(data / "log");
    opened->read_stream(stream, {}, [&](const eventstore::RecordedEvent& event) {
      if (first == 0) first = event.position.value;
      return true;
    });
    last = opened->newest(stream).value;
  }
  OtadProcess service(data);
  httplib::Client client("127.0.0.1", service.port());
  double worst = 0;
  double sum = 0;
  std::uint64_t devices = 0;
  for (int n = 0; n <= kPastMoments; ++n) {
    const auto at = first + (last - first) * static_cast<std::uint64_t>(n) / kPastMoments;
    const Stopwatch stopwatch;
    const auto answer = client.Get(fmt::format("/api/v1/ota/campaigns/{}?as_of={}", domain::to_text(*log.closed_campaign), at));
    const double took_ms = stopwatch.seconds() * 1e3;
    if (!answer || answer->status != 200) throw std::runtime_error(fmt::format("the campaign as of {} is not answered", at));
    devices = nlohmann::json::parse(answer->body)["total_devices"].get<std::uint64_t>();
    worst = std::max(worst, took_ms);
    sum += took_ms;
  }
  service.stop();
  return {work,
          worst,
          "ms",
          {},
          Goal{Goal::Kind::kValueAtMost, kPastMax_ms, /*binding=*/true},
          fmt::format("of {} devices, the worst of {} moments of its life; the mean {:.0f} ms; {} events lie between its first and "
                      "its last", devices, kPastMoments + 1, sum / (kPastMoments + 1), last - first)};
}

// Starts it until it has to catch up with nothing: the views are built at the first start of all.
Row clean_start_row(const std::filesystem::path& data, const Extent& extent) {
  const std::string work = "otad: start after a clean stop";
  double worst = 0;
  OtadProcess first(data);
  const double first_seconds = first.start_seconds();
  first.stop();
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    OtadProcess service(data);
    worst = std::max(worst, service.start_seconds());
    if (service.caught_up() > 0) throw std::runtime_error("views were not flushed at a clean stop");
    service.stop();
  }
  return {work,
          worst,
          "s",
          {},
          Goal{Goal::Kind::kValueAtMost, kCleanStartMax, /*binding=*/true},
          fmt::format("to the open door, the worst of {}; {:.1f} s where all views are yet to be built", extent.rounds(),
                      first_seconds)};
}

// As far as the views may be behind: shortly before they would be flushed for their age, or for their number of events.
std::uint64_t write_until_flush_is_due(const OtadProcess& service, const LivedLog& log, const Extent& extent) {
  LoadOptions options;
  options.port = service.port();
  options.connections = kWriters;
  options.duration = std::chrono::duration<double>(extent.quick ? kWriteSecondsQuick : kWriteSeconds);
  ReportsPlan plan(log.updating, kWriters, projections::limits::kFlushEvents * 9 / 10);
  run_load(options, plan);
  return plan.reports();
}

void kill_while_it_writes(OtadProcess& service, const LivedLog& log) {
  constexpr std::chrono::milliseconds kIntoIt{300};
  auto writing = std::async(std::launch::async, [&, port = service.port()] {
    ReportsPlan plan(log.updating, kWriters);
    run_load({.port = port, .connections = kWriters}, plan);
  });
  std::this_thread::sleep_for(kIntoIt);
  service.kill();
  try {
    writing.get();
  } catch (const std::runtime_error&) {  // its connections are broken, as they should be
  }
}

Row killed_start_row(const std::filesystem::path& data, const Extent& extent, const LivedLog& log) {
  const std::string work = "otad: start after SIGKILL while it writes";
  show_progress(work, 0, 1);
  OtadProcess service(data);
  const auto reports = write_until_flush_is_due(service, log, extent);
  kill_while_it_writes(service, log);
  OtadProcess again(data);
  const double seconds = again.start_seconds();
  const auto caught_up = again.caught_up();
  again.stop();
  if (caught_up == 0) throw std::runtime_error("the views had seen everything before the kill");
  return {work,
          seconds,
          "s",
          {},
          Goal{Goal::Kind::kValueAtMost, kKilledStartMax, /*binding=*/true},
          fmt::format("to the open door; {} reports were written and then some, the views were {} events behind", reports, caught_up)};
}

}  // namespace

Rows measure_long_log(const std::filesystem::path& directory, const Extent& extent) {
  const auto data = directory / "data";
  const auto log = make_lived_log(data, extent.quick ? kLogEventsQuick : kLogEvents);
  tools::give_back_free_memory();
  Rows rows{disk_row(data, log), rebuild_row(data, extent, log), verify_row(data, extent, log)};
  rows.push_back(clean_start_row(data, extent));
  rows.push_back(past_row(data, log));
  rows.push_back(killed_start_row(data, extent, log));
  return rows;
}

}  // namespace ota::bench
