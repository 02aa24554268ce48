#include "projections/views.hpp"

#include <fmt/format.h>

#include <atomic>
#include <stdexcept>

#include "projections/campaign_queries.hpp"
#include "projections/digest.hpp"
#include "projections/limits.hpp"
#include "projections/pipeline.hpp"
#include "projections/replay.hpp"
#include "projections/rollback_queries.hpp"
#include "projections/update_queries.hpp"

namespace ota::projections {
namespace {

constexpr std::string_view kSchema = "schema";
// Raise it on any change of rows, keys or of what an event does to them: the views are then built anew.
constexpr int kSchemaNumber = 10;

// Beside the form of the rows, everything outside the log that a fold depends on.
std::string schema_of(const domain::Settings& settings) {
  return fmt::format("{}\n{}", kSchemaNumber, domain::fold_settings(settings));
}

class ViewsInRocks final : public Views {
 public:
  ViewsInRocks(std::filesystem::path directory, const domain::Settings& settings)
      : directory_(std::move(directory)), settings_(settings) {
    database_ = Database::open(directory_);
    if (is_usable()) {
      note_schema();
    } else {
      begin_anew();
    }
    try {
      load();
    } catch (const std::exception&) {  // a row that is damaged; what it says is in the log too
      begin_anew();
      load();
    }
  }

  void catch_up(const eventstore::Log& log,
                const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void apply(const DecodedGroup& group) override {
    fold(group.events);
    flush_if_due();
  }
  void flush() override { flush_rows(true); }
  domain::Position position() const override { return {position_.load(std::memory_order_acquire)}; }
  const PollIndex& polls() const override { return polls_; }

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
    const auto set = campaigns::targets(each_row(), sets_, id);
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
    return updates::of_campaign(one_moment(), sets_, id, status, page);
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
  Statistics statistics_between(domain::Time from, domain::Time until) const override {
    return projections::statistics_between(one_moment(), from, until);
  }
  std::vector<Deadline> due(domain::Time until, std::size_t most,
                            const WantedDeadline& wanted) const override {
    return pipeline_->deadlines().due(until, most, wanted);
  }
  std::optional<domain::Time> next_deadline() const override {
    return pipeline_->deadlines().next();
  }
  std::string digest() const override { return digest_of(one_moment()); }
  std::string broken() const override { return pipeline_->broken(); }
  bool is_unfit() const override { return pipeline_->is_unfit(); }

 private:
  Reader each_row() const { return Reader(*database_); }
  Reader one_moment() const { return Reader(*database_, Reader::Moment::kOne); }

  // Empty, or of this schema and healthy.
  bool is_usable() const {
    const Reader reader(*database_);
    rocksdb::PinnableSlice schema;
    if (!reader.get(meta_key(kSchema), schema)) return !Range(reader, meta_key({})).valid();
    return view(schema) == schema_of(settings_) && Pipeline::broken_in(reader).empty();
  }
  void begin_anew() {
    pipeline_.reset();
    database_.reset();
    Database::destroy(directory_);
    database_ = Database::open(directory_);
    note_schema();
  }
  void note_schema() {
    BatchedRows rows(*database_);
    rows.put(meta_key(kSchema), schema_of(settings_));
    rows.commit();
  }
  // What is kept in memory, and where the rows stand.
  void load() {
    pipeline_ = std::make_unique<Pipeline>(*database_, settings_, polls_, sets_);
    const Reader reader(*database_, Reader::Moment::kOne);
    pipeline_->load(reader);
    position_.store(Pipeline::progress_in(reader).position.value, std::memory_order_release);
  }
  bool is_of(const eventstore::Log& log, const Progress& at) const;
  void fold(const std::vector<domain::Recorded>& events);
  void flush_if_due();
  void flush_rows(bool wait);

  const std::filesystem::path directory_;
  const domain::Settings settings_;
  PollIndex polls_;
  mutable TargetSets sets_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<std::uint64_t> position_{0};
  std::uint64_t events_since_flush_ = 0;
  std::chrono::steady_clock::time_point flushed_at_ = std::chrono::steady_clock::now();
};

// The rows come from this log: their last event is in it, and has the same time.
bool ViewsInRocks::is_of(const eventstore::Log& log, const Progress& at) const {
  if (at.position.value == 0) return true;
  if (at.position > to_domain(log.head())) return false;
  bool same = false;
  log.read_one(to_store(at.position), [&](const eventstore::RecordedEvent& event) {
    same = event.time.time_since_epoch() == at.time.time_since_epoch();
    return false;
  });
  return same;
}

void ViewsInRocks::catch_up(const eventstore::Log& log,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  if (!is_of(log, Pipeline::progress_in(each_row()))) {
    begin_anew();
    load();
  }
  const auto begin = position();
  const std::uint64_t of = log.head().value - begin.value;
  if (of == 0) return;
  replay(log, begin, [&](const std::vector<domain::Recorded>& chunk) {
    fold(chunk);
    if (events_since_flush_ >= limits::kFlushEvents) flush_rows(false);
    if (progress) progress(position().value - begin.value, of);
  });
  flush_rows(true);
}

void ViewsInRocks::fold(const std::vector<domain::Recorded>& events) {
  const std::uint64_t before = position_.load(std::memory_order_relaxed);
  Progress at{{before}, {}};
  for (const auto& event : events) {
    if (event.position <= at.position) continue;  // folded before a restart, or by the replay
    if (event.position.value != at.position.value + 1) {
      pipeline_->set_unfit();
      pipeline_->complain(event.position,
                          fmt::format("the events after {} are missing", at.position.value));
    }
    pipeline_->apply(event);
    at = {event.position, event.time};
  }
  if (at.position.value == before || !pipeline_->commit(at)) return;
  events_since_flush_ += at.position.value - before;
  position_.store(at.position.value, std::memory_order_release);
}

void ViewsInRocks::flush_if_due() {
  if (events_since_flush_ == 0) return;
  if (events_since_flush_ < limits::kFlushEvents &&
      std::chrono::steady_clock::now() - flushed_at_ < limits::kFlushInterval) {
    return;
  }
  flush_rows(false);
}

void ViewsInRocks::flush_rows(bool wait) {
  try {
    database_->flush(wait);
  } catch (const std::exception& e) {
    pipeline_->complain(position(), e.what());
  }
  events_since_flush_ = 0;
  flushed_at_ = std::chrono::steady_clock::now();
}

}  // namespace

std::unique_ptr<Views> Views::open(const std::filesystem::path& directory,
                                   const domain::Settings& settings) {
  return std::make_unique<ViewsInRocks>(directory, settings);
}

}  // namespace ota::projections
