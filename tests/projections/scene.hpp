// Views that have read a story, the log that has it, and what a test does to their folders.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "projections/batched_rows.hpp"
#include "projections/rebuild.hpp"
#include "tests/projections/log_of_story.hpp"
#include "tests/projections/random_world.hpp"

namespace ota::projections::testing {

inline const RebuildProgress kToTheEnd = [](std::uint64_t, std::uint64_t) { return true; };

inline std::vector<std::string> folders_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline void change_row(const std::filesystem::path& folder, const std::string& key, const std::string& value) {
  const auto database = Database::open(folder);
  BatchedRows rows(*database);
  rows.put(key, value);
  rows.commit();
}

// A story, its log, and views that have read it.
struct Scene {
  explicit Scene(domain::Settings settings = {}) : read(std::move(settings)) {
    auto& story = read.story;
    story.firmware(firmware_id(1), "SF-100", "2.0.0", 1);
    story.devices(0, 8);
    story.campaign(campaign_id(1), set_of({1, 2, 3, 4}));
    story.start(campaign_id(1));
    story.grant(update(1), 1, 100);
    story.begin(update(1), 1);
    story.succeed(update(1), 1);
    story.grant(update(2), 2, 101);
    catch_up();
  }
  void catch_up() {
    log.write(read.story);
    read.read();
  }
  Views& views() { return read.views(); }
  std::string digest_of_log() { return digest_of_rebuilt(read.story.events(), read.settings(), 1'000); }

  ReadStory read;
  LogOfStory log;
};

}  // namespace ota::projections::testing
