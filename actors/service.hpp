// The service as the front door and the gateways see it: commands in, answers out, views to read.
//
// Every call that carries a command blocks until its effect is durable and visible in the views, or it is refused.
// Calls are safe from any thread but not from actors. No CAF type appears here.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/disk_guard.hpp"
#include "actors/limits.hpp"
#include "actors/meters.hpp"
#include "actors/request.hpp"
#include "domain/filter.hpp"
#include "domain/settings.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/proofs.hpp"
#include "eventstore/subjects.hpp"
#include "projections/views.hpp"

namespace ota::actors {

struct ServiceOptions {
  std::filesystem::path data_directory;
  domain::Settings settings;
  std::function<domain::Time()> clock;    // default: the system clock
  std::size_t scheduler_threads = 2;
  std::size_t entities_per_shard = limits::kEntitiesPerShard;
  // Threads that may wait for answers while the log has not moved for `stalled`: more are refused at once, so that whoever
  // wants nothing of the log is still served.
  std::size_t waiting_at_stall_max = 64;
  std::chrono::milliseconds stalled{2'000};
  // Bus cursors and other followers of the log; informed after the views and before the actors. They outlive the service.
  std::vector<eventstore::Tail*> tails;
  std::function<void(std::uint64_t done, std::uint64_t of)> progress;   // of catching up at start
  std::filesystem::path key_directory;    // of the key that signs the log (log_keys.hpp); empty: it is not signed
  bool replace_lost_log_key = false;
  std::chrono::milliseconds verify_every{std::chrono::hours(24)};   // the log, behind the service's back; 0: when somebody asks
  // Backups; without a directory none are taken.
  std::filesystem::path backup_directory;
  std::chrono::milliseconds backup_every{0};    // 0: when somebody asks
  std::size_t backups_kept = 7;
  DiskGuard::Options disk;                // its directory is the data directory unless it names one
};

// What an operator asks of a new campaign, checked field by field already.
struct CampaignSpec {
  domain::CampaignId id;
  std::string name;
  std::string description;
  domain::FirmwareId firmware;
  std::vector<std::string> devices;       // explicit ids
  std::vector<std::string> groups;
  std::optional<domain::Filter> filter;
  std::string filter_json;                // as asked
  domain::CampaignPolicy policy;
};

class BackupKeeper;
class DeviceImport;
class DiskGuard;
class LogVerifier;
class ViewsKeeper;

class Service {
 public:
  // Opens the log and the views, brings the views to the head, activates open campaigns. Throws std::runtime_error with
  // a sentence for people: also if something that was acknowledged is missing.
  static std::unique_ptr<Service> open(ServiceOptions options);
  // Callers must have stopped calling. Everything handed in is committed.
  ~Service();

  Answer firmware(domain::FirmwareId id, domain::FirmwareCommand command, Meta meta);
  Answer campaign(domain::CampaignId id, domain::CampaignCommand command, Meta meta);
  // `device`: of an update that may have no events yet.
  Answer update(domain::UpdateId id, domain::UpdateCommand command, Meta meta,
                std::optional<domain::DeviceId> device = {});
  // The same without waiting: `answered` gets the answer, on a thread of the actors or on this one. It must be short, and
  // must not throw.
  void update(domain::UpdateId id, domain::UpdateCommand command, Meta meta, std::function<void(const Answer&)> answered);
  // The same, of what nobody waits for: it is handed in, if there is room for it.
  void tell_update(domain::UpdateId id, domain::UpdateCommand command, Meta meta);
  Answer device(const domain::DeviceId& id, domain::DeviceCommand command, Meta meta);
  // Commands to many devices, handed in without waiting for one another: the answers in their order. What one device is
  // told several times it hears in that order.
  struct DeviceAsk {
    domain::DeviceId device;
    domain::DeviceCommand command;
    Meta meta;
  };
  std::vector<Answer> devices(std::vector<DeviceAsk> asks);
  // A request that leads to many commands, each with an id of its own, is remembered under the id of `meta` before the
  // first of them; or was already (Done::repeated).
  Answer remember(const Meta& meta);
  // Takes devices in from a file, thousands a second (device_import.hpp). Ends before the service does.
  std::unique_ptr<DeviceImport> begin_import(Meta meta,
                                             std::function<void(std::uint64_t line, const domain::DomainError&)> on_failed);
  Answer user(domain::Caller user, domain::UserCommand command, Meta meta);
  // Somebody is gone (decision 18): what is not installing on their devices is cancelled, their preferences and their name
  // are deleted, the events stay. Safe to repeat; whatever a crash has left undone is done then. Unknown: nothing to do.
  Answer delete_user(const std::string& person, Meta meta);

  // Takes one device back to a version that it had (BR-OTA-032); `id` is of the update that does it.
  Answer roll_back(const domain::DeviceId& device, const std::string& to_version, const std::string& reason,
                   domain::UpdateId id, Meta meta);

  // Why is it not updated? The named campaign's answer; else one for each update of its own that waits, and for each open
  // campaign that has it as a target.
  struct Why {
    std::optional<domain::CampaignId> campaign;   // absent: an update of the device's own
    domain::UpdateId update = {};
    std::vector<domain::GateState> gates = {};
  };
  domain::Result<std::vector<Why>> why(const domain::DeviceId& device, std::optional<domain::CampaignId> campaign);
  // Of its direct updates and rollbacks alone: no campaign is asked.
  std::vector<Why> why_of_own(const domain::DeviceId& device) const;

  // Resolves the targets, reserves unknown ids, writes the campaign (design 4). BR-OTA-011, BR-OTA-012, decision 13.
  Answer create_campaign(const CampaignSpec& spec, Meta meta);

  // What a poll of this device shows; registers an unknown id and asks for a grant where there is hope. Most polls only
  // read memory. NotFound: the device was deleted.
  // `sleep`: what it is told to sleep with the answer; else as is set.
  domain::Result<projections::PollRecord> poll(const domain::DeviceId& id, const Meta& meta,
                                               std::optional<domain::Duration> sleep = {});
  // Something is under way with it, or a running campaign has something for it sooner or later.
  bool is_awaited(const projections::PollRecord& record) const;
  // A poll at this moment may lead to a grant. Only reads memory.
  bool may_be_granted(const projections::PollRecord& record) const;
  // Some campaign has something to give to somebody, or to ask.
  bool offers_something() const;

  // Waits until everything handed in so far is visible in the views.
  void settle() const;
  // Waits until the views show this event: the log has it before they do.
  void settle(eventstore::Position until) const;
  // The same, but no longer than that; false: they do not show it yet.
  bool settle(eventstore::Position until, std::chrono::milliseconds at_most) const;
  // Waits until the writing that has begun is in the log and in the views: what bears a time before this one. False: not within
  // that.
  bool settle_begun(std::chrono::milliseconds at_most) const;
  // The log's checkpoints are signed by a new key from now on.
  Answer rotate_log_key(const Meta& meta);
  // Everything that is in the log by now is in its newest checkpoint, if it is signed.
  void sign() const;
  LogVerifier& verifier() const;
  // Writes down that the caller of `meta` reads the audit; an error: it could not, and must not be read.
  Answer record_audit_read(domain::AuditRead read, const Meta& meta);
  BackupKeeper& backups() const;
  ViewsKeeper& views_keeper() const;
  const Meters& meters() const;
  const DiskGuard& disk() const;
  // A sentence if the disk has no room for so many bytes and what is kept free: nothing is taken then.
  std::optional<std::string> disk_refusal(std::uint64_t bytes = 0) const;
  // So many bytes of the disk are kept for the caller until it gives them back, as they are written (actors/disk_guard.hpp).
  std::optional<std::string> hold_disk(std::uint64_t bytes) const;
  void release_disk(std::uint64_t bytes) const;
  // An administrator's download has ended with the last byte. Does not wait.
  void count_download(domain::FirmwareId id);

  projections::Views& views() const;
  const eventstore::Log& log() const;
  eventstore::Proofs proofs() const;
  eventstore::Journal& journal() const;
  eventstore::Subjects& subjects() const;
  const domain::Settings& settings() const;
  domain::Time now() const;
  // The token of a person, made if new; empty for an empty id.
  domain::Caller caller_of(std::string_view person) const;
  // The token of a person if they have one.
  std::optional<domain::Caller> known_user(std::string_view person) const;
  // Who a token stands for, for people: "deleted user" once erased, "unknown user" if nothing explains that the name is
  // gone; empty for nobody.
  std::optional<std::string> person_of(domain::Caller caller) const;

  struct Trouble {
    std::vector<std::string> set_aside;   // entities that could not be loaded
    std::vector<std::string> stuck;       // deadlines without effect
    std::size_t nameless = 0;             // tokens that somebody asked for and that have no name, though they were not erased
  };
  Trouble trouble() const;
  std::size_t in_flight() const;
  // For how long the log has not moved, though there is something for it; empty: it moves.
  std::optional<std::chrono::milliseconds> stalled_for() const;

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  static void open_stores(Impl& impl);
  Answer ask(EntityId to, Command command, Meta meta, std::optional<domain::DeviceId> device = {});
  void wake(EntityId id);
  // The error: the disk is full.
  std::optional<domain::DomainError> refuse_if_full() const;
  // Takes a place among the commands in flight; the error: there is none.
  std::optional<domain::DomainError> admit();
  // And among the threads that wait, should the log not move.
  std::optional<domain::DomainError> admit_waiting() const;
  // Hands in a command that was admitted; `answered` is called on a thread of the actors.
  void hand_in(EntityId to, Command command, Meta meta, std::optional<domain::DeviceId> device,
               std::function<void(Answer)> answered);
  std::vector<Why> why_of_own(const domain::Device& device) const;
  domain::Result<Why> why_of_campaign(const domain::Device& device, domain::CampaignId campaign);
  domain::Result<std::vector<domain::GateState>> ask_why(domain::CampaignId campaign, domain::GrantAsk ask);
  domain::Result<domain::Bitmap> ordinals_of(const std::vector<std::string>& devices, const Meta& meta);
  std::unique_ptr<Impl> impl_;
};

// A new UUIDv7: time ordered, the rest random.
domain::Bytes16 new_uuid(domain::Time now);
std::string random_bytes(std::size_t count);

}  // namespace ota::actors
