#include "projections/views.hpp"

#include <fmt/format.h>

#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

#include "projections/campaign_queries.hpp"
#include "projections/digest.hpp"
#include "projections/edition.hpp"
#include "projections/limits.hpp"
#include "projections/rebuild.hpp"
#include "projections/replay.hpp"
#include "projections/rollback_queries.hpp"
#include "projections/row_folders.hpp"
#include "projections/successor.hpp"
#include "projections/update_queries.hpp"

namespace ota::projections {
namespace {

// A query's view of the rows: the edition that was shown when it began stays for as long as it reads, whatever is shown since.
class Held {
 public:
  Held(std::shared_ptr<const Edition> edition, Reader::Moment moment)
      : edition_(std::move(edition)), rows_(edition_->database(), moment) {}
  operator const Reader&() const { return rows_; }
  TargetSets& sets() const { return edition_->sets(); }

 private:
  const std::shared_ptr<const Edition> edition_;
  const Reader rows_;
};

class ViewsInRocks final : public Views {
 public:
  ViewsInRocks(std::filesystem::path directory, const domain::Settings& settings)
      : folders_(std::move(directory)),
        settings_(settings),
        shown_(std::make_shared<Edition>(folders_.current(), settings, front_)) {
    folders_.delete_others();
    position_ = handed_in_ = shown_->position();
  }

  void catch_up(const eventstore::Log& log,
                const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void apply(const DecodedGroup& group) override {
    fold(group.events);
    shown_->flush_if_due();
  }
  void flush() override { shown_->flush(true); }
  domain::Position position() const override { return position_.load(std::memory_order_acquire); }
  std::uint64_t disk_bytes() const override { return shown()->database().disk_bytes(); }
  const PollIndex& polls() const override { return front_.index; }

  bool rebuild(const eventstore::Log& log, const RebuildOptions& how) override;
  std::optional<Comparison> verify(const eventstore::Log& log, const RebuildOptions& how) override;

  // ---- firmware ----
  std::optional<FirmwareRow> firmware(domain::FirmwareId id) const override {
    return firmwares::find(each_row(), id);
  }
  std::optional<domain::FirmwareId> firmware_of(std::string_view model,
                                                std::string_view version) const override {
    return firmwares::of_version(each_row(), model, version);
  }
  std::optional<domain::FirmwareId> firmware_bringing(std::string_view model,
                                                      std::string_view version) const override {
    return firmwares::bringing(one_moment(), model, version);
  }
  std::optional<domain::FirmwareId> firmware_by_number(std::uint32_t number) const override {
    return firmwares::of_number(each_row(), number);
  }
  std::uint32_t newest_firmware_number() const override {
    return firmwares::newest_number(each_row());
  }
  bool refers_to(const std::array<std::uint8_t, 32>& sha256) const override {
    return firmwares::refers_to(each_row(), sha256);
  }
  std::vector<domain::FirmwareId> firmware_to_fetch() const override {
    return firmwares::to_fetch(each_row());
  }
  Page<FirmwareRow> firmware_list(const FirmwareFilter& filter,
                                  const PageRequest& page) const override {
    return firmwares::list(one_moment(), filter, page);
  }

  // ---- campaigns ----
  std::optional<CampaignRow> campaign(domain::CampaignId id) const override {
    return campaigns::find(one_moment(), id, campaigns::Detail::kFull);
  }
  std::optional<CampaignRow> campaign_summary(domain::CampaignId id) const override {
    return campaigns::find(one_moment(), id, campaigns::Detail::kSummary);
  }
  Page<CampaignRow> campaign_list(const CampaignFilter& filter,
                                  const PageRequest& page) const override {
    return campaigns::list(one_moment(), filter, page);
  }
  domain::Bitmap targets(domain::CampaignId id) const override {
    const auto rows = each_row();
    const auto set = campaigns::targets(rows, rows.sets(), id);
    return set ? *set : domain::Bitmap{};
  }
  std::vector<domain::CampaignId> open_campaigns() const override {
    return campaigns::open(each_row());
  }

  // ---- updates ----
  std::optional<domain::DeviceUpdate> update(const domain::UpdateId& id) const override {
    return updates::find(each_row(), id);
  }
  std::optional<domain::DeviceUpdate> update_or_pending(const domain::UpdateId& id) const override {
    return updates::find_or_pending(one_moment(), id);
  }
  Page<domain::DeviceUpdate> campaign_updates(domain::CampaignId id,
                                              std::optional<domain::UpdateStatus> status,
                                              const PageRequest& page) const override {
    const auto rows = one_moment();
    return updates::of_campaign(rows, rows.sets(), id, status, page);
  }
  Page<domain::DeviceUpdate> device_updates(const domain::DeviceId& id,
                                            const PageRequest& page) const override {
    return updates::of_device(one_moment(), id, page);
  }
  Page<domain::DeviceUpdate> direct_updates(domain::UpdateStatus status,
                                            const PageRequest& page) const override {
    return updates::direct(one_moment(), status, page);
  }
  std::optional<domain::DeviceUpdate> rollback(const domain::UpdateId& id) const override {
    return rollbacks::find(one_moment(), id);
  }
  Page<domain::DeviceUpdate> rollback_list(const RollbackFilter& filter,
                                           const PageRequest& page) const override {
    return rollbacks::list(one_moment(), filter, page);
  }
  std::optional<ActionRef> action(const domain::DeviceId& device,
                                  domain::ActionId action) const override {
    return updates::action(each_row(), device, action);
  }

  // ---- devices ----
  std::optional<domain::Device> device(const domain::DeviceId& id) const override {
    return devices::find(one_moment(), id);
  }
  Page<domain::Device> device_list(const DeviceFilter& filter,
                                   const PageRequest& page) const override {
    return devices::list(one_moment(), filter, page);
  }
  std::uint64_t devices_running(std::string_view model, std::string_view version) const override {
    return projections::devices_running(each_row(), model, version);
  }
  std::optional<domain::DeviceId> device_of(domain::Ordinal ordinal) const override {
    return devices::id_of(each_row(), ordinal);
  }
  std::vector<domain::DeviceId> devices_of(const domain::Bitmap& ordinals,
                                           std::size_t most) const override {
    return devices::ids_of(one_moment(), ordinals, most);
  }
  std::optional<domain::Ordinal> ordinal_of(const domain::DeviceId& id) const override {
    return devices::ordinal_of(each_row(), id);
  }
  std::uint32_t ordinals_given() const override { return devices::ordinals_given(each_row()); }
  void each_device(const std::function<bool(const domain::Device&)>& visit) const override {
    devices::each(each_row(), visit);
  }
  void each_device_of(const domain::Bitmap& ordinals,
                      const std::function<bool(const domain::Device&)>& visit) const override {
    devices::each_of(each_row(), ordinals, visit);
  }

  // ---- everything ----
  std::optional<domain::User> user(domain::Caller token) const override {
    return projections::user(each_row(), token);
  }
  std::vector<domain::Caller> erased_users() const override { return projections::erased_users(each_row()); }
  Statistics statistics() const override { return projections::statistics(one_moment()); }
  PastCounts counts_before(domain::Position position) const override {
    const auto shown = this->position();  // before the rows are looked at: they stand there or behind it
    return projections::counts_before(one_moment(), std::min(position, shown));
  }
  Statistics statistics_between(domain::Time from, domain::Time until) const override {
    return projections::statistics_between(one_moment(), from, until);
  }
  std::vector<Deadline> due(domain::Time until, std::size_t most,
                            const WantedDeadline& wanted) const override {
    return shown()->pipeline().deadlines().due(until, most, wanted);
  }
  std::optional<domain::Time> next_deadline() const override {
    return shown()->pipeline().deadlines().next();
  }
  std::string digest() const override { return digest_of(one_moment()); }
  std::string broken() const override {
    const auto edition = shown();
    const auto broken = edition->pipeline().broken();
    const auto damage = edition->database().damage();
    if (damage.empty()) return broken;
    return fmt::format("{}{}rows cannot be read, the next start makes them anew: {}", broken, broken.empty() ? "" : "; ", damage);
  }
  bool is_unfit() const override { return front_.unfit; }

 private:
  std::shared_ptr<const Edition> shown() const {
    const std::shared_lock lock(mutex_);
    return shown_;
  }
  Held each_row() const { return {shown(), Reader::Moment::kEachRow}; }
  Held one_moment() const { return {shown(), Reader::Moment::kOne}; }

  void fold(const std::vector<domain::Recorded>& events);
  bool build(Successor& next, const eventstore::Log& log, const RebuildOptions& how, const std::function<void()>& then);
  std::shared_ptr<Edition> show(Successor& next);

  const RowFolders folders_;
  const domain::Settings settings_;
  PollFront front_;
  mutable std::shared_mutex mutex_;  // of the pointer alone, and the thread that applies reads it without
  std::shared_ptr<Edition> shown_;
  std::atomic<domain::Position> position_;
  domain::Position handed_in_;       // of the last event that was to be folded; the thread that applies
};

void ViewsInRocks::catch_up(const eventstore::Log& log,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  shown_->belong_to(log);
  position_ = handed_in_ = shown_->position();
  const auto begin = position();
  const std::uint64_t of = log.head().value - begin.value;
  if (of == 0) return;
  // Also if the log cannot be read to its end.
  struct Settle {
    ViewsInRocks& views;
    ~Settle() { views.position_.store(views.shown_->position(), std::memory_order_release); }
  };
  {
    const Settle settle{*this};
    const Bulk bulk(*shown_, of);
    std::uint64_t told = 0;
    const auto fold_chunk = [&](const std::vector<domain::Recorded>& chunk) {
      fold(chunk);
      if (!bulk.is_under_way()) shown_->flush_if_many();
      const auto done = handed_in_.value - begin.value;
      if (!progress || (done < of && done - told < limits::kEventsBetweenProgress)) return;
      told = done;
      progress(done, of);
    };
    replay(log, begin, fold_chunk, bulk.is_under_way() ? limits::kBulkChunkEvents : limits::kReplayChunkEvents);
  }
  flush();
}

void ViewsInRocks::fold(const std::vector<domain::Recorded>& events) {
  shown_->fold(events);
  if (!events.empty()) handed_in_ = std::max(handed_in_, events.back().position);
  position_.store(shown_->position(), std::memory_order_release);
}

// ---- another edition --------------------------------------------------------------------------------------------------

// Builds until it stands where the views do, and does `then` there and then. False: broken off.
bool ViewsInRocks::build(Successor& next, const eventstore::Log& log, const RebuildOptions& how,
                         const std::function<void()>& then) {
  for (bool level = false; !level;) {
    if (!next.catch_up(log, how.go_on)) return false;
    how.between_groups([&] {
      level = next.level_with(log, handed_in_);
      if (level) then();
    });
  }
  return true;
}

// On the thread that applies, between two groups.
std::shared_ptr<Edition> ViewsInRocks::show(Successor& next) {
  auto edition = next.release(front_);
  const auto position = edition->position();
  {
    const std::unique_lock lock(mutex_);
    edition.swap(shown_);
  }
  position_.store(position, std::memory_order_release);
  return edition;
}

bool ViewsInRocks::rebuild(const eventstore::Log& log, const RebuildOptions& how) {
  std::shared_ptr<Edition> old;
  {
    Successor next(folders_.vacant(), settings_);
    if (!build(next, log, how, [&] { old = show(next); })) return false;
  }
  try {
    folders_.make_current(shown()->folder());
  } catch (const std::exception& fault) {
    throw std::runtime_error(
        fmt::format("the views that were built are shown, but the next start takes the old ones: {}", fault.what()));
  }
  old->delete_at_end();
  // Whoever reads it still does not have to delete it, too, unless the service ends.
  while (old.use_count() > 1 && how.go_on(position().value, position().value)) {
    std::this_thread::sleep_for(limits::kReadersLookEvery);
  }
  return true;
}

std::optional<Comparison> ViewsInRocks::verify(const eventstore::Log& log, const RebuildOptions& how) {
  Successor next(folders_.vacant(), settings_);
  std::optional<Held> here;
  std::optional<Reader> there;
  domain::Position at;
  const auto pause = [&] {
    at = handed_in_;
    here.emplace(shown(), Reader::Moment::kOne);
    there.emplace(next.edition().database(), Reader::Moment::kOne);
  };
  if (!build(next, log, how, pause)) return std::nullopt;
  auto found = compare(*here, *there, [&] { return how.go_on(at.value, at.value); });
  if (found) found->position = at;
  return found;
}

}  // namespace

std::unique_ptr<Views> Views::open(const std::filesystem::path& directory,
                                   const domain::Settings& settings) {
  return std::make_unique<ViewsInRocks>(directory, settings);
}

}  // namespace ota::projections
