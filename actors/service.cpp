#include "actors/service.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include <caf/all.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/awaited.hpp"
#include "actors/backup_keeper.hpp"
#include "actors/device_import.hpp"
#include "actors/directory.hpp"
#include "actors/log_keys.hpp"
#include "actors/log_verifier.hpp"
#include "actors/messages.hpp"
#include "actors/ticker.hpp"
#include "actors/timer.hpp"
#include "actors/views_keeper.hpp"
#include "actors/world.hpp"
#include "eventstore/fault.hpp"

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

}  // namespace

struct Service::Impl {
  ServiceOptions options;
  std::shared_ptr<eventstore::Log> log;
  std::unique_ptr<eventstore::Subjects> subjects;
  std::unique_ptr<projections::Views> views;
  World world;
  std::unique_ptr<Feed> feed;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<LogKeys> log_keys;             // null: the log is not signed
  std::unique_ptr<eventstore::Journal> journal;
  std::unique_ptr<Ticker> signing;
  std::unique_ptr<LogVerifier> verifier;
  std::unique_ptr<BackupKeeper> backups;
  std::unique_ptr<DiskGuard> disk;
  std::unique_ptr<ViewsKeeper> views_keeper;
  caf::actor timer;
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> waiting{0};    // threads, for answers
  mutable std::mutex trouble_mutex;
  std::map<std::string, std::string> poisoned;   // entity -> why
  std::atomic<bool> any_poisoned{false};
  std::vector<std::string> stuck;
  mutable std::mutex nameless_mutex;
  mutable std::set<domain::Caller> nameless;     // tokens that were asked for and have no name, which no erasure explains
};

namespace {

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

}  // namespace

// The log, the names and the views, brought to the head of the log.
void Service::open_stores(Impl& impl) {
  const auto& o = impl.options;
  impl.log = eventstore::Log::open(o.data_directory / "log");
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
  impl_->signing.reset();
  impl_->journal.reset();
  impl_->world.router.clear();
  impl_->world.alarms.clear();
  impl_->timer = {};
  impl_->world.directory = {};
  impl_->views->flush();
  impl_->system.reset();
}

// ---- commands ----------------------------------------------------------------------------------------------------

std::optional<domain::DomainError> Service::refuse_if_full() const {
  auto why = impl_->disk->refusal();
  if (!why) return std::nullopt;
  return domain::DomainError{domain::ErrorCode::kUnavailable, std::move(*why), {}, {}, {}, {}};
}

std::optional<domain::DomainError> Service::admit() {
  if (auto full = refuse_if_full()) return full;
  if (impl_->in_flight.fetch_add(1) < limits::kInFlight) return std::nullopt;
  impl_->in_flight.fetch_sub(1);
  return domain::DomainError{domain::ErrorCode::kBusy,
                             fmt::format("{} commands are in flight; try again", limits::kInFlight), {}, {}, {}, {}};
}

std::optional<domain::DomainError> Service::admit_waiting() const {
  if (impl_->waiting.load() < impl_->options.waiting_at_stall_max) return std::nullopt;
  const auto stalled = stalled_for();
  if (!stalled) return std::nullopt;
  return domain::DomainError{domain::ErrorCode::kUnavailable,
                             fmt::format("the log has not moved for {} ms; try again", stalled->count()), {}, {}, {}, {}};
}

std::optional<std::chrono::milliseconds> Service::stalled_for() const {
  const auto stalled = impl_->journal->stalled_for();
  if (stalled <= impl_->options.stalled) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(stalled);
}

void Service::hand_in(EntityId to, Command command, Meta meta, std::optional<domain::DeviceId> device,
                      std::function<void(Answer)> answered) {
  auto request = std::make_shared<Request>();
  request->to = std::move(to);
  request->command = std::move(command);
  request->meta = std::move(meta);
  request->device = std::move(device);
  request->reply = Reply<Answer>([impl = impl_.get(), answered = std::move(answered)](Answer answer) {
    impl->in_flight.fetch_sub(1);
    answered(std::move(answer));
  });
  impl_->world.send(std::move(request));
}

Answer Service::ask(EntityId to, Command command, Meta meta, std::optional<domain::DeviceId> device) {
  if (meta.goes_on) {
    impl_->in_flight.fetch_add(1);
  } else {
    if (auto refused = admit_waiting()) return std::move(*refused);
    if (auto refused = admit()) return std::move(*refused);
  }
  const auto awaited = std::make_shared<Awaited<Answer>>();
  impl_->waiting.fetch_add(1);
  hand_in(std::move(to), std::move(command), std::move(meta), std::move(device),
          [awaited](Answer answer) { awaited->set(std::move(answer)); });
  auto answer = awaited->take();
  impl_->waiting.fetch_sub(1);
  return answer;
}

// To load an entity writes nothing, so it is not for the disk to refuse. What follows from being awake may be written.
void Service::wake(EntityId id) {
  const auto awaited = std::make_shared<Awaited<Answer>>();
  impl_->in_flight.fetch_add(1);
  hand_in(std::move(id), Wake{}, {}, std::nullopt, [awaited](Answer answer) { awaited->set(std::move(answer)); });
  if (const auto answer = awaited->take(); !answer) spdlog::error("an entity could not be loaded: {}", answer.error().message);
}

Answer Service::firmware(domain::FirmwareId id, domain::FirmwareCommand command, Meta meta) {
  return ask(id, Command(std::move(command)), std::move(meta));
}
Answer Service::campaign(domain::CampaignId id, domain::CampaignCommand command, Meta meta) {
  return ask(id, Command(std::move(command)), std::move(meta));
}
Answer Service::update(domain::UpdateId id, domain::UpdateCommand command, Meta meta,
                       std::optional<domain::DeviceId> device) {
  return ask(id, Command(std::move(command)), std::move(meta), std::move(device));
}
void Service::update(domain::UpdateId id, domain::UpdateCommand command, Meta meta,
                     std::function<void(const Answer&)> answered) {
  if (auto refused = admit()) return answered(std::move(*refused));
  hand_in(id, Command(std::move(command)), std::move(meta), {}, std::move(answered));
}
void Service::tell_update(domain::UpdateId id, domain::UpdateCommand command, Meta meta) {
  if (admit()) return;
  hand_in(id, Command(std::move(command)), std::move(meta), {}, [](const Answer&) {});
}
Answer Service::device(const domain::DeviceId& id, domain::DeviceCommand command, Meta meta) {
  return ask(id, Command(std::move(command)), std::move(meta));
}

std::unique_ptr<DeviceImport> Service::begin_import(
    Meta meta, std::function<void(std::uint64_t line, const domain::DomainError&)> on_failed) {
  return std::make_unique<DeviceImport>(*this, impl_->world, std::move(meta), std::move(on_failed));
}

Answer Service::user(domain::Caller user, domain::UserCommand command, Meta meta) {
  return ask(domain::UserStream{user}, Command(std::move(command)), std::move(meta));
}

bool Service::is_awaited(const projections::PollRecord& record) const {
  if (record.deleted) return false;
  return record.active.value != 0 || record.consent.value != 0 || record.ask_at != domain::Time::max() ||
         impl_->world.offers.any_hope({record.ordinal, record.push});
}

bool Service::may_be_granted(const projections::PollRecord& r) const {
  if (r.deleted) return false;
  const auto& offers = impl_->world.offers;
  const projections::Offers::Asker asker{r.ordinal, r.push};
  const auto may_be_asked = [&] { return r.consent.value == 0 && !r.auto_confirms && offers.any_asking(asker); };
  if (r.active.value == 0) return r.ask_at <= now() || offers.any_for(asker) || may_be_asked();
  return r.preemptible && (r.emergency_at <= now() || offers.any_for(asker, domain::Priority::kEmergency));
}

bool Service::offers_something() const {
  const auto offers = impl_->world.offers.all();
  return std::any_of(offers->begin(), offers->end(),
                     [](const projections::OfferPtr& offer) { return offer->has_room() || offer->asks_for_consent(); });
}

domain::Result<projections::PollRecord> Service::poll(const domain::DeviceId& id, const Meta& meta,
                                                      std::optional<domain::Duration> sleep) {
  if (impl_->views->is_unfit()) {  // what the views say of the device may be long over
    return domain::DomainError{domain::ErrorCode::kUnavailable, "the views are broken: " + impl_->views->broken(),
                               {}, {}, {}, {}};
  }
  const auto& polls = impl_->views->polls();
  auto record = polls.find(id.value);
  const bool hope = !record || may_be_granted(*record);
  if (hope) {
    const auto answer = ask(id, Poll{sleep.value_or(impl_->options.settings.poll_sleep)}, meta);
    if (!answer) return answer.error();
    record = polls.find(id.value);
  }
  if (!record || record->deleted) return domain::not_found("Device", id.value);
  return *record;
}

void Service::settle() const {
  const auto settled = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  impl_->journal->barrier([settled](const eventstore::AppendOutcome& outcome) { settled->set(outcome); });
  settled->take();
}

void Service::settle(eventstore::Position until) const {
  if (views().position().value < until.value) settle();
}

bool Service::settle(eventstore::Position until, std::chrono::milliseconds at_most) const {
  if (views().position().value >= until.value) return true;
  const auto settled = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  impl_->journal->barrier([settled](const eventstore::AppendOutcome& outcome) { settled->set(outcome); });
  settled->take_within(at_most);
  return views().position().value >= until.value;
}

Answer Service::rotate_log_key(const Meta& meta) {
  if (auto full = refuse_if_full()) return std::move(*full);
  if (!impl_->log_keys) {
    return domain::DomainError{domain::ErrorCode::kUnavailable, "the log is not signed", {}, {}, {}, {}};
  }
  return impl_->log_keys->rotate(*impl_->journal, meta);
}

Answer Service::record_audit_read(domain::AuditRead read, const Meta& meta) {
  if (auto full = refuse_if_full()) return std::move(*full);
  if (auto refused = admit_waiting()) return std::move(*refused);
  eventstore::Append append;
  append.events = to_append({{domain::AuditStream{}, std::move(read), std::nullopt}}, meta);
  const auto written = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  impl_->waiting.fetch_add(1);
  impl_->journal->append(std::move(append), [written](const eventstore::AppendOutcome& outcome) { written->set(outcome); });
  const auto outcome = written->take();
  impl_->waiting.fetch_sub(1);
  Done done;
  if (const auto* committed = std::get_if<eventstore::Committed>(&outcome)) {
    done.wrote = true;
    done.position = committed->first;
    return done;
  }
  return domain::DomainError{domain::ErrorCode::kUnavailable, "the service is stopping", {}, {}, {}, {}};
}

BackupKeeper& Service::backups() const { return *impl_->backups; }
ViewsKeeper& Service::views_keeper() const { return *impl_->views_keeper; }
const Meters& Service::meters() const { return impl_->world.meters; }
LogVerifier& Service::verifier() const { return *impl_->verifier; }
const DiskGuard& Service::disk() const { return *impl_->disk; }
std::optional<std::string> Service::disk_refusal(std::uint64_t bytes) const { return impl_->disk->refusal(bytes); }
std::optional<std::string> Service::hold_disk(std::uint64_t bytes) const { return impl_->disk->hold(bytes); }
void Service::release_disk(std::uint64_t bytes) const { impl_->disk->release(bytes); }

void Service::sign() const {
  const auto done = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  impl_->journal->checkpoint([done](const eventstore::AppendOutcome& outcome) { done->set(outcome); });
  done->take();
}

void Service::count_download(domain::FirmwareId id) {
  if (refuse_if_full()) return;
  eventstore::Append append;
  append.events = to_append({{domain::DownloadsStream{id}, domain::DownloadCompleted{id}, std::nullopt}}, {});
  impl_->journal->append(std::move(append), [](const eventstore::AppendOutcome&) {});
}

// ---- what is here ------------------------------------------------------------------------------------------------

projections::Views& Service::views() const { return *impl_->views; }
const eventstore::Log& Service::log() const { return *impl_->log; }
eventstore::Proofs Service::proofs() const { return eventstore::Proofs(impl_->log); }
eventstore::Journal& Service::journal() const { return *impl_->journal; }
eventstore::Subjects& Service::subjects() const { return *impl_->subjects; }
const domain::Settings& Service::settings() const { return impl_->options.settings; }
domain::Time Service::now() const { return impl_->world.now(); }
domain::Caller Service::caller_of(std::string_view person) const {
  return person.empty() ? domain::Caller{} : projections::to_domain(impl_->subjects->token_for(person));
}
std::optional<domain::Caller> Service::known_user(std::string_view person) const {
  const auto token = impl_->subjects->known_token(person);
  return token ? std::optional(projections::to_domain(*token)) : std::nullopt;
}
std::optional<std::string> Service::person_of(domain::Caller caller) const {
  if (caller == domain::Caller{}) return std::nullopt;
  if (auto person = impl_->subjects->person(projections::to_store(caller))) return person;
  const auto user = impl_->views->user(caller);
  if (user && user->erased) return "deleted user";
  const std::lock_guard lock(impl_->nameless_mutex);
  if (impl_->nameless.size() < limits::kNamelessKnown) impl_->nameless.insert(caller);
  return "unknown user";
}
Service::Trouble Service::trouble() const {
  const std::lock_guard lock(impl_->trouble_mutex);
  Trouble trouble;
  for (const auto& [key, why] : impl_->poisoned) trouble.set_aside.push_back(why);
  trouble.stuck = impl_->stuck;
  const std::lock_guard nameless(impl_->nameless_mutex);
  // Whoever was asked for while they were being erased is explained by now.
  std::erase_if(impl_->nameless, [&](domain::Caller caller) {
    const auto user = impl_->views->user(caller);
    return (user && user->erased) || impl_->subjects->person(projections::to_store(caller));
  });
  trouble.nameless = impl_->nameless.size();
  return trouble;
}
std::size_t Service::in_flight() const { return impl_->in_flight.load(); }

domain::Result<domain::Bitmap> Service::ordinals_of(const std::vector<std::string>& devices, const Meta& meta) {
  using Outcome = domain::Result<domain::Bitmap>;
  domain::Bitmap all;
  for (std::size_t from = 0; from < devices.size(); from += limits::kReserveChunk) {
    auto ask = std::make_shared<ListAsk>();
    const auto to = std::min(devices.size(), from + limits::kReserveChunk);
    ask->devices.assign(devices.begin() + static_cast<std::ptrdiff_t>(from),
                        devices.begin() + static_cast<std::ptrdiff_t>(to));
    ask->meta = meta;
    const auto awaited = std::make_shared<Awaited<Outcome>>();
    ask->reply = Reply<Outcome>([awaited](Outcome outcome) { awaited->set(std::move(outcome)); });
    caf::anon_send(impl_->world.directory, ListAskPtr(std::move(ask)));
    const auto outcome = awaited->take();
    if (!outcome) return outcome.error();
    all |= outcome.value();
  }
  return all;
}

}  // namespace ota::actors
