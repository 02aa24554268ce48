#include "tools/benchmarks/seeded_fleet.hpp"

#include <algorithm>
#include <atomic>
#include <semaphore>
#include <stdexcept>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/limits.hpp"
#include "tools/benchmarks/device_plans.hpp"

namespace ota::bench {
namespace {

constexpr std::ptrdiff_t kInFlight = 16;

eventstore::NewEvent registration(std::size_t device) {
  domain::DeviceRegistered registered;
  registered.ordinal = {static_cast<std::uint32_t>(device)};
  registered.via = domain::RegisteredVia::kImport;
  registered.attributes = {{"device_model", is_seeded_model(device) ? kSeededModel : "SF-200"},
                           {"hardware_version", "1.0"},
                           {"firmware_version", kSeededVersion}};
  auto encoded = domain::encode(domain::Event(std::move(registered)));
  eventstore::NewEvent event;
  event.stream = domain::stream_name(domain::DeviceId{device_name(device)});
  event.type = encoded.type;
  event.payload = std::move(encoded.payload);
  return event;
}

}  // namespace

void write_fleet(const std::filesystem::path& data_directory, std::size_t count) {
  std::filesystem::create_directories(data_directory);
  std::counting_semaphore places(kInFlight);
  std::atomic<std::size_t> written{0};
  {
    eventstore::Journal journal(eventstore::Log::open(data_directory / "log"), {}, {});
    for (std::size_t first = 0; first < count; first += eventstore::limits::kAppendEvents) {
      const std::size_t end = std::min(count, first + eventstore::limits::kAppendEvents);
      eventstore::Append append;
      for (std::size_t device = first; device < end; ++device) {
        append.events.push_back(registration(device));
      }
      places.acquire();
      journal.append(std::move(append), [&](const eventstore::AppendOutcome& outcome) {
        const auto* committed = std::get_if<eventstore::Committed>(&outcome);
        written += committed ? committed->count : 0;
        places.release();
      });
    }
  }
  if (written != count) throw std::runtime_error("the fleet could not be written");
}

}  // namespace ota::bench
