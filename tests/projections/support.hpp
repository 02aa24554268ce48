// What the tests of the views share: a directory that vanishes, a story that writes events as the
// log would have them, and views that read it.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "domain/bitmap.hpp"
#include "projections/views.hpp"

namespace ota::projections::testing {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr domain::Time kBegin = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

domain::Bytes16 bytes_16(std::uint8_t first);
domain::CampaignId campaign_id(std::uint8_t n);
domain::FirmwareId firmware_id(std::uint8_t n);
domain::UpdateId direct_id(std::uint8_t n);
// Of the device with this number in a campaign.
domain::UpdateId update(std::uint32_t n, std::uint8_t campaign = 1);
// "pump-007"
domain::DeviceId device_id(std::uint32_t n);
domain::Bitmap set_of(std::initializer_list<std::uint32_t> ordinals);

// Events in log order, one a second, with the device that their tags name.
class Story {
 public:
  const domain::Recorded& tell(const domain::Emitted& emitted, domain::Caller caller = {});
  void tell(const domain::Events& events);
  void wait(domain::Duration time) { now_ += time; }
  domain::Time now() const { return now_; }
  const std::vector<domain::Recorded>& events() const { return events_; }

  // ---- whole sentences ----
  void firmware(domain::FirmwareId id, const std::string& model, const std::string& version,
                std::uint32_t number);
  void device(std::uint32_t n, const domain::Attributes& attributes = {},
              std::vector<std::string> groups = {});
  void devices(std::uint32_t from, std::uint32_t to);  // pumps of model SF-100
  void campaign(domain::CampaignId id, const domain::Bitmap& targets,
                const domain::CampaignPolicy& policy = {});
  void start(domain::CampaignId id) { tell({id, domain::CampaignStarted{}, {}}); }
  void cancel(domain::CampaignId id) { tell({id, domain::CampaignCancelled{"enough"}, {}}); }
  void close(domain::CampaignId id, domain::CampaignStatus outcome) {
    tell({id, domain::CampaignClosed{outcome, {}}, {}});
  }
  void grant(const domain::UpdateId& id, std::uint32_t device, std::uint32_t action,
             std::uint32_t attempt = 1, std::uint32_t batch = 0);
  void begin(const domain::UpdateId& id, std::uint32_t device, std::uint32_t attempt = 1);
  void progress(const domain::UpdateId& id, std::uint32_t device, domain::UpdateStatus phase,
                std::uint32_t attempt = 1);
  void succeed(const domain::UpdateId& id, std::uint32_t device, std::uint32_t attempt = 1,
               std::uint32_t batch = 0);
  void fail(const domain::UpdateId& id, std::uint32_t device, const std::string& code,
            std::optional<domain::Time> retry_at = {}, std::uint32_t attempt = 1,
            std::uint32_t batch = 0);

 private:
  domain::Time now_ = kBegin;
  std::vector<domain::Recorded> events_;
};

domain::FirmwareRegistered firmware_record(domain::FirmwareId id, const std::string& model,
                                           const std::string& version, std::uint32_t number);
domain::CampaignCreated campaign_record(const domain::Bitmap& targets,
                                        const domain::CampaignPolicy& policy);
inline constexpr std::uint64_t kFileBytes = 1'000;

// A group of decoded events as the feed hands it over.
DecodedGroup group_of(const std::vector<domain::Recorded>& events, std::size_t from,
                      std::size_t to);

// Views in a directory of their own, that read a story as far as it was told.
class ReadStory {
 public:
  explicit ReadStory(domain::Settings settings = {}) : settings_(std::move(settings)) { open(); }

  Story story;
  // Applies what was told since, as one group; the views.
  Views& read();
  // The same in groups of `size` events.
  Views& read_in_groups(std::size_t size);
  Views& views() { return *views_; }
  // Ends the views and opens them again over what they wrote to disk.
  void restart();
  // The same, with a copy of what is on disk in between.
  void restart_and_copy_to(const std::filesystem::path& copy);
  const std::filesystem::path& directory() const { return directory_.path(); }
  const domain::Settings& settings() const { return settings_; }

 private:
  void open();
  TempDir directory_;
  domain::Settings settings_;
  std::unique_ptr<Views> views_;
};

// The digest of new views over the same events.
std::string digest_of_rebuilt(const std::vector<domain::Recorded>& events,
                              const domain::Settings& settings, std::size_t group_size);

// All rows of a list, page by page with the cursor.
template <class Ask>
auto by_cursor(const Ask& ask, std::size_t limit) {
  auto page = ask(PageRequest{limit, 0, ""});
  auto all = page.rows;
  while (!page.next_cursor.empty()) {
    page = ask(PageRequest{limit, 0, page.next_cursor});
    CHECK_FALSE(page.bad_cursor);
    CHECK(page.rows.size() <= limit);
    CHECK_FALSE(page.rows.empty());
    all.insert(all.end(), page.rows.begin(), page.rows.end());
  }
  return all;
}
// The same with offsets.
template <class Ask>
auto by_offset(const Ask& ask, std::size_t limit) {
  auto page = ask(PageRequest{limit, 0, ""});
  auto all = page.rows;
  while (!page.next_cursor.empty()) {
    page = ask(PageRequest{limit, all.size(), ""});
    all.insert(all.end(), page.rows.begin(), page.rows.end());
  }
  return all;
}

}  // namespace ota::projections::testing
