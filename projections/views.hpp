// What the log looks like: every list, counter and history that a reader may ask for.
//
// A second RocksDB without WAL. Each applied group ends in one batch with the rows, the counters
// and the position, so whatever is flushed is consistent; after a crash it goes on from its
// position, and deleting it rebuilds it. apply() is called by one thread, in log order; queries by
// any thread at any time. Rows of entities are the very folds of domain/.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "domain/user/user.hpp"
#include "eventstore/log.hpp"
#include "projections/answers.hpp"
#include "projections/decoded.hpp"
#include "projections/page.hpp"
#include "projections/poll_index.hpp"

namespace ota::projections {

struct Comparison;
struct PastCounts;
struct RebuildOptions;

class Views {
 public:
  // Opens or creates the views in `directory`; views of another schema version, or ahead of the
  // log, are deleted and begin anew. Throws std::runtime_error with a sentence for people.
  static std::unique_ptr<Views> open(const std::filesystem::path& directory,
                                     const domain::Settings& settings);
  virtual ~Views() = default;

  // Brings the views to the head of the log. Once, before anybody else reads or applies. Throws
  // eventstore::LogError if the log cannot be read.
  virtual void catch_up(
      const eventstore::Log& log,
      const std::function<void(std::uint64_t done, std::uint64_t of)>& progress) = 0;
  virtual void apply(const DecodedGroup& group) = 0;
  virtual void flush() = 0;  // to disk: bounds what a restart replays
  virtual domain::Position position() const = 0;
  virtual std::uint64_t disk_bytes() const = 0;

  // Builds the views a second time beside those that are shown, and shows them from between two groups on (rebuild.hpp). Any
  // thread but the one that applies; one at a time, and no verify() meanwhile. False: it was broken off, and nothing has
  // changed. Throws std::runtime_error with a sentence for people if it cannot be done.
  virtual bool rebuild(const eventstore::Log& log, const RebuildOptions& how) = 0;
  // Builds them likewise, and says what is different. Empty: it was broken off.
  virtual std::optional<Comparison> verify(const eventstore::Log& log, const RebuildOptions& how) = 0;

  virtual const PollIndex& polls() const = 0;

  virtual std::optional<FirmwareRow> firmware(domain::FirmwareId id) const = 0;
  // By the very text of the version: what makes a firmware unique (BR-OTA-005).
  virtual std::optional<domain::FirmwareId> firmware_of(std::string_view model,
                                                        std::string_view version) const = 0;
  // The same, or the only one whose version means the same (decision 3): what a device spells in its own way.
  virtual std::optional<domain::FirmwareId> firmware_bringing(std::string_view model,
                                                              std::string_view version) const = 0;
  virtual std::optional<domain::FirmwareId> firmware_by_number(std::uint32_t number) const = 0;
  virtual std::uint32_t newest_firmware_number() const = 0;  // 0: none yet
  // Does any firmware refer to these bytes? For the sweep of the artifact store.
  virtual bool refers_to(const std::array<std::uint8_t, 32>& sha256) const = 0;
  // Whose bytes are to be brought from their URL (open work of whoever fetches, decision 29).
  virtual std::vector<domain::FirmwareId> firmware_to_fetch() const = 0;
  virtual Page<FirmwareRow> firmware_list(const FirmwareFilter& filter,
                                          const PageRequest& page) const = 0;  // newest first

  virtual std::optional<CampaignRow> campaign(domain::CampaignId id) const = 0;
  // The same without batches and error codes: it costs as little however long the campaign.
  virtual std::optional<CampaignRow> campaign_summary(domain::CampaignId id) const = 0;
  // Summaries.
  virtual Page<CampaignRow> campaign_list(const CampaignFilter& filter,
                                          const PageRequest& page) const = 0;  // newest first
  virtual domain::Bitmap targets(domain::CampaignId id) const = 0;  // picked; empty if unknown
  // Campaigns that must be active: not closed (open work, design 7).
  virtual std::vector<domain::CampaignId> open_campaigns() const = 0;

  virtual std::optional<domain::DeviceUpdate> update(const domain::UpdateId& id) const = 0;
  // Or what a campaign's target shows that has no events yet (decision 25).
  virtual std::optional<domain::DeviceUpdate> update_or_pending(
      const domain::UpdateId& id) const = 0;
  virtual Page<domain::DeviceUpdate> campaign_updates(
      domain::CampaignId id, std::optional<domain::UpdateStatus> status,
      const PageRequest& page) const = 0;  // by ordinal, pending ones too
  // What waits in running campaigns, then what began, newest first (decision 30).
  virtual Page<domain::DeviceUpdate> device_updates(const domain::DeviceId& id,
                                                    const PageRequest& page) const = 0;
  virtual Page<domain::DeviceUpdate> direct_updates(
      domain::UpdateStatus status, const PageRequest& page) const = 0;  // oldest first
  // A rollback is a device update of another kind: one that has begun, or what a campaign in rollback
  // shows of a device that it has still to take back.
  virtual std::optional<domain::DeviceUpdate> rollback(const domain::UpdateId& id) const = 0;
  // Those that have not begun, of a campaign or a device that the filter names; then what began,
  // newest first.
  virtual Page<domain::DeviceUpdate> rollback_list(const RollbackFilter& filter,
                                                   const PageRequest& page) const = 0;
  using ActionRef = projections::ActionRef;
  virtual std::optional<ActionRef> action(const domain::DeviceId& device,
                                          domain::ActionId action) const = 0;

  // Registered, or deleted since.
  virtual std::optional<domain::Device> device(const domain::DeviceId& id) const = 0;
  virtual Page<domain::Device> device_list(const DeviceFilter& filter,
                                           const PageRequest& page) const = 0;  // by id
  // How many of this model run this version, however they spell it (decision 3): as many as that list has.
  virtual std::uint64_t devices_running(std::string_view model, std::string_view version) const = 0;
  virtual std::optional<domain::DeviceId> device_of(domain::Ordinal ordinal) const = 0;
  // The same for the first of some: one walk, where single look-ups would take several times as long.
  virtual std::vector<domain::DeviceId> devices_of(const domain::Bitmap& ordinals, std::size_t most) const = 0;
  // The ordinal that an id has now, registered or reserved. A deleted device has none until one is
  // reserved for its return.
  virtual std::optional<domain::Ordinal> ordinal_of(const domain::DeviceId& id) const = 0;
  virtual std::uint32_t ordinals_given() const = 0;  // the next one is this
  // Visits every registered, not deleted device, by ordinal; return false to stop.
  virtual void each_device(const std::function<bool(const domain::Device&)>& visit) const = 0;
  // The same for some of them: costs what is in the set, however many devices there are.
  virtual void each_device_of(const domain::Bitmap& ordinals,
                              const std::function<bool(const domain::Device&)>& visit) const = 0;

  // Empty: nothing is known of them.
  virtual std::optional<domain::User> user(domain::Caller token) const = 0;
  // Everybody who was deleted: their names may stand nowhere any more.
  virtual std::vector<domain::Caller> erased_users() const = 0;
  virtual Statistics statistics() const = 0;
  // Of what was created at `from` or later and before `until`, exactly (BR-OTA-043).
  virtual Statistics statistics_between(domain::Time from, domain::Time until) const = 0;
  // The counters of the statistics as they were at or before `position`, shortly before where there are many (count_history.hpp).
  virtual PastCounts counts_before(domain::Position position) const = 0;

  // Deadlines at or before `until`, earliest first: the first `most` of those that `wanted` takes (none: all). It is
  // called under a lock and asks nothing of the views.
  virtual std::vector<Deadline> due(domain::Time until, std::size_t most,
                                    const WantedDeadline& wanted = {}) const = 0;
  virtual std::optional<domain::Time> next_deadline() const = 0;

  // A digest of all rows, for "views rebuilt from scratch are equal".
  virtual std::string digest() const = 0;
  // Empty: healthy. Else why the views are broken, and since which position.
  virtual std::string broken() const = 0;
  // What grants, polls and deadlines depend on is broken: nothing may be decided any more. Costs one load.
  virtual bool is_unfit() const = 0;
};

}  // namespace ota::projections
