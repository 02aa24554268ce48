#include "actors/service.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/awaited.hpp"
#include "actors/device_import.hpp"
#include "actors/messages.hpp"
#include "actors/service_impl.hpp"

namespace ota::actors {

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

bool Service::settle_begun(std::chrono::milliseconds at_most) const {
  const auto settled = std::make_shared<Awaited<eventstore::AppendOutcome>>();
  impl_->journal->barrier([settled](const eventstore::AppendOutcome& outcome) { settled->set(outcome); });
  return settled->take_within(at_most).has_value();
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
