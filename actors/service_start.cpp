// A service from its start to its end: stores, then actors, then the door; and in the other order.
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/directory.hpp"
#include "actors/service_impl.hpp"
#include "actors/timer.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/restore_place.hpp"

namespace ota::actors {
namespace {

// Decodes each committed group once, lets the views fold it, then tells the actors.
class Feed final : public eventstore::Tail {
 public:
  Feed(projections::Views& views, Router& router) : views_(views), router_(router) {}
  void on_group(const eventstore::GroupPtr& group) override {
    const auto decoded = projections::decode(group);
    views_.apply(*decoded);
    OTA_FAULT("actors.before_delivery");
    router_.deliver(decoded);
  }

 private:
  projections::Views& views_;
  Router& router_;
};

domain::Time system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

caf::actor_system_config& configure(caf::actor_system_config& config, std::size_t threads) {
  // The default policy walks a list per steal and takes a hundred times longer with many ready actors.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
  config.set("scheduler.max-throughput", std::size_t{64});
  return config;
}

// Views follow what is fsynced: ahead of the log they prove that events are gone, unless it is known that the log was set back.
void refuse_views_ahead(const eventstore::Log& log, const projections::Views& views, const std::filesystem::path& directory) {
  const auto shown = views.position().value;
  const auto head = log.head().value;
  if (shown <= head) return;
  const auto seen = fmt::format("the views had seen event {}, but the log in {} ends at {}", shown, directory.string(), head);
  if (!log.is_set_back()) {
    throw std::runtime_error(fmt::format("{}: events that were acknowledged are lost. Put the right log there, or restore a backup; "
                                         "`otactl log repair --apply {}` takes the log as it is",
                                         seen, directory.string()));
  }
  spdlog::warn("{}, to which it was set back: the views are built again", seen);
}

void finish_erasure(eventstore::Subjects& subjects) {
  try {
    if (subjects.is_erasure_due()) subjects.erase_leftovers();
  } catch (const std::exception& fault) {
    spdlog::error("an erasure is not through: {}", fault.what());
  }
}

}  // namespace

// The log, the names and the views, brought to the head of the log.
void Service::open_stores(Impl& impl) {
  const auto& o = impl.options;
  impl.log = eventstore::Log::open(o.data_directory / "log");
  if (eventstore::remove_left_by_restore(o.data_directory)) {
    spdlog::warn("what a restore that was not finished had left in {} is removed: there is a log", o.data_directory.string());
  }
  if (const auto torn = impl.log->torn_tail(); !torn.empty()) {
    spdlog::warn("the log ends at event {}: {}", impl.log->head().value, torn);
  }
  const auto names = o.data_directory / "subjects";
  if (impl.log->head().value > 0 && !std::filesystem::exists(names / "CURRENT")) {
    spdlog::warn("{} is not there, though the log has {} events: whoever they speak of is an unknown user now. A backup may have the names",
                 names.string(), impl.log->head().value);
  }
  impl.subjects = eventstore::Subjects::open(names);
  if (const auto torn = impl.subjects->torn_tail(); !torn.empty()) spdlog::warn("the names behind the log's tokens: {}", torn);
  impl.views = projections::Views::open(o.data_directory / "views", o.settings);
  refuse_views_ahead(*impl.log, *impl.views, o.data_directory / "log");
  impl.views->catch_up(*impl.log, o.progress ? o.progress : [](std::uint64_t, std::uint64_t) {});
  if (impl.log->is_set_back()) impl.log->forget_set_back();  // nothing is ahead any more
}

std::unique_ptr<Service> Service::open(ServiceOptions options) {
  auto impl = std::make_unique<Impl>();
  if (!options.clock) options.clock = system_now;
  impl->options = std::move(options);
  const auto& o = impl->options;
  eventstore::refuse_half_restored(o.data_directory);
  std::filesystem::create_directories(o.data_directory);
  auto guarded = o.disk;
  if (guarded.directory.empty()) guarded.directory = o.data_directory;
  impl->disk = std::make_unique<DiskGuard>(std::move(guarded));
  open_stores(*impl);
  // An end between an erasure's event and its row, or a backup that was put back: the name goes all the same (design 3).
  for (const auto token : impl->views->erased_users()) impl->subjects->erase(projections::to_store(token));

  auto& world = impl->world;
  world.settings = o.settings;
  world.clock = o.clock;
  world.log = impl->log;
  world.views = impl->views.get();
  auto* raw = impl.get();
  world.report_poisoned = [raw](const std::string& key, const std::string& why) {
    spdlog::error("{}", why);
    const std::lock_guard lock(raw->trouble_mutex);
    raw->poisoned[key] = why;
    raw->any_poisoned = true;
  };
  world.report_loaded = [raw](const std::string& key) {
    if (!raw->any_poisoned) return;
    const std::lock_guard lock(raw->trouble_mutex);
    raw->poisoned.erase(key);
    raw->any_poisoned = !raw->poisoned.empty();
  };

  impl->feed = std::make_unique<Feed>(*impl->views, world.router);
  std::vector<eventstore::Tail*> tails{impl->feed.get()};
  tails.insert(tails.end(), o.tails.begin(), o.tails.end());
  impl->system = std::make_unique<caf::actor_system>(configure(impl->config, o.scheduler_threads));
  eventstore::Journal::Options journal_options;
  journal_options.clock = o.clock;
  if (!o.key_directory.empty()) {
    impl->log_keys = std::make_unique<LogKeys>(impl->log, o.key_directory, o.replace_lost_log_key);
    journal_options.signer = impl->log_keys->signer();
  }
  impl->journal = std::make_unique<eventstore::Journal>(impl->log, tails, std::move(journal_options));
  if (impl->log_keys) {
    impl->log_keys->open(*impl->journal);
    impl->signing = std::make_unique<Ticker>(limits::kSignEvery, [journal = impl->journal.get()] { journal->checkpoint({}); });
  }
  impl->erasing = std::make_unique<Ticker>(limits::kEraseAgainEvery, [subjects = impl->subjects.get()] { finish_erasure(*subjects); });
  impl->verifier = std::make_unique<LogVerifier>(impl->log, LogVerifier::Options{
      .every = o.verify_every, .file = o.data_directory / "log-verified", .clock = o.clock});
  impl->backups = std::make_unique<BackupKeeper>(
      *impl->log, *impl->subjects,
      BackupKeeper::Options{o.backup_directory, o.backup_every, o.backups_kept, o.clock,
                            [disk = impl->disk.get()] { return disk->refusal(); }});
  impl->views_keeper = std::make_unique<ViewsKeeper>(
      *impl->views, *impl->log, *impl->journal,
      ViewsKeeper::Options{o.clock, [disk = impl->disk.get()](std::uint64_t bytes) { return disk->refusal(bytes); }});
  world.journal = impl->journal.get();
  world.directory = spawn_directory(*impl->system, world);
  for (auto& shard : world.shards) shard.open(*impl->system, world, o.entities_per_shard);

  std::unique_ptr<Service> service(new Service(std::move(impl)));
  // The door opens when every open campaign is loaded: a poll must not miss what one of them would grant.
  for (const auto id : service->views().open_campaigns()) service->wake(id);
  // A recall that was written, and not told to all before the service ended.
  projections::FirmwareFilter recalled;
  recalled.status = domain::FirmwareStatus::kRecalled;
  projections::PageRequest page{limits::kOutstanding, 0, {}};
  while (true) {
    const auto found = service->views().firmware_list(recalled, page);
    for (const auto& row : found.rows) service->wake(row.firmware.record.id);
    if (found.next_cursor.empty()) break;
    page.cursor = found.next_cursor;
  }
  service->impl_->timer = spawn_timer(*service->impl_->system, service->impl_->world, [raw](std::vector<std::string> stuck) {
    for (const auto& what : stuck) spdlog::error("{}", what);
    const std::lock_guard lock(raw->trouble_mutex);
    raw->stuck = std::move(stuck);
  });
  return service;
}

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Service::~Service() {
  // Actors end first, while journal and system still stand: a completion may still speak to an actor that has ended.
  caf::anon_send_exit(impl_->timer, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(impl_->world.directory, caf::exit_reason::user_shutdown);
  for (auto& shard : impl_->world.shards) shard.close();
  impl_->system->await_all_actors_done();
  impl_->views_keeper.reset();
  impl_->backups.reset();
  impl_->verifier.reset();
  impl_->erasing.reset();
  impl_->signing.reset();
  impl_->journal.reset();
  impl_->world.router.clear();
  impl_->world.alarms.clear();
  impl_->timer = {};
  impl_->world.directory = {};
  impl_->views->flush();
  impl_->system.reset();
}

}  // namespace ota::actors
