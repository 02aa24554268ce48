// Snapshots save time and nothing else: without them, and with ones that are damaged or of another version, a service gives the
// same answers and has the same views.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "actors/service.hpp"
#include "domain/streams.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using namespace ota::actors::test;

namespace {

using eventstore::Database;
using eventstore::Family;

// Changes the rows of all snapshots of a service that is stopped; "" deletes one. Answers how many there were.
std::size_t change_snapshots(const std::filesystem::path& log, const std::function<std::string(const std::string&)>& changed) {
  const auto database = Database::open(log, std::make_shared<eventstore::Head>(), nullptr);
  std::size_t count = 0;
  rocksdb::WriteBatch batch;
  const auto rows = database->iterate(Family::kSnapshots);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next(), ++count) {
    const auto bytes = changed(rows->value().ToString());
    auto* family = database->family(Family::kSnapshots);
    REQUIRE((bytes.empty() ? batch.Delete(family, rows->key()) : batch.Put(family, rows->key(), bytes)).ok());
  }
  REQUIRE(database->db().Write(eventstore::durable_write(), &batch).ok());
  return count;
}

// A campaign that is over and a device, both with histories so long that they leave snapshots when they rest.
struct LongHistory {
  LongHistory() {
    for (int i = 0; i < 90; ++i) stage.device("frame-0", fmt::format("1.0.{}", i % 7));
    for (const auto& name : names(40)) stage.device(name, "1.0.0");
    campaign = stage.campaign(stage.firmware("2.0.0"), names(40), {});
    stage.start(campaign);
    for (const auto& name : names(40)) {
      const auto update = stage.poll_until_offered(name);
      REQUIRE(update.has_value());
      stage.report(*update, domain::Report::Kind::kSuccess);
    }
    REQUIRE(Stage::eventually([&] { return stage.row(campaign).status == domain::CampaignStatus::kCompleted; }));
    // Others that are needed send them to rest: one in the shard of each, whichever that is.
    std::size_t others = 0;
    REQUIRE(Stage::eventually([&] {
      for (int i = 0; i < 40; ++i) stage.device(fmt::format("other-{}", others++), "2.1.0");
      stage.service().settle();
      return has_snapshot(domain::stream_name(campaign)) && has_snapshot(domain::stream_name(domain::DeviceId{"frame-0"}));
    }));
  }
  bool has_snapshot(const std::string& stream) { return stage.service().log().snapshot(stream).has_value(); }

  // What is seen and what is decided; nothing of it writes.
  std::string answers() {
    const auto started = stage.service().campaign(campaign, domain::StartCampaign{}, {});
    domain::ChangeAttributes same;
    same.values = {{"device_model", "SF-100"}, {"firmware_version", "2.0.0"}};
    same.by_device = true;
    const auto told = stage.service().device({"frame-0"}, same, {});
    REQUIRE(told.ok());
    stage.service().settle();
    return fmt::format("{}|{}|{}|{}", stage.service().views().digest(), started.ok() ? "started" : started.error().message,
                       told.value().wrote, stage.service().log().head().value);
  }
  // Starts the service again, with its snapshots changed.
  std::size_t restart_with(const std::function<std::string(const std::string&)>& changed) {
    std::size_t count = 0;
    at_start = [&](const std::filesystem::path& log) { count = change_snapshots(log, changed); };
    stage.restart();
    at_start = {};
    return count;
  }

  std::function<void(const std::filesystem::path& log)> at_start;
  Stage stage{[this](ServiceOptions& options) {
    options.entities_per_shard = 1;
    if (at_start) at_start(options.data_directory / "log");
  }};
  domain::CampaignId campaign;
};

}  // namespace

TEST_CASE("damaging all snapshots in any way, or dropping them, changes no answer and no view") {
  LongHistory history;
  const auto right = history.answers();
  for (const std::size_t place : {0U, 1U, 2U, 4U}) {
    CAPTURE(place);
    const auto flip = [place](const std::string& bytes) {
      std::string flipped = bytes;
      char& byte = flipped[std::min(bytes.size() - 1, bytes.size() * place / 4)];
      byte = static_cast<char>(byte ^ 8);
      return flipped;
    };
    CHECK(history.restart_with(flip) >= 2);
    CHECK(history.answers() == right);
  }
  history.restart_with([](const std::string& bytes) { return bytes.substr(0, bytes.size() / 2); });
  CHECK(history.answers() == right);
  CHECK(history.restart_with([](const std::string&) { return std::string(); }) >= 2);
  CHECK_FALSE(history.has_snapshot(domain::stream_name(history.campaign)));
  CHECK(history.answers() == right);
}
