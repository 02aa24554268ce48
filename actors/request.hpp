// A command on its way to an entity, and its answer on the way back.
//
// The reply is a guard: whatever becomes of the request (a dead actor, a lost mailbox, an exception) its destructor
// answers an error, since a dropped promise would be silent.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/campaign/grant.hpp"
#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "domain/user/user.hpp"
#include "eventstore/types.hpp"

namespace ota::actors {

// Who asks, why, and what makes asking twice harmless.
struct Meta {
  domain::Caller caller;
  std::string correlation;                // the caller's X-Request-Id; empty: none
  std::optional<eventstore::CommandId> command;
  bool repeatable = false;                // the caller may send `command` again: it is remembered with
  eventstore::Hash request{};             //   a hash of what was asked, and
  std::uint16_t status = 200;             //   the status that was answered
  // The revisions that the caller will have changed, none of them if there is none; absent: any.
  std::optional<std::vector<std::uint32_t>> if_match;
  eventstore::Position causation;
  // Part of a request that was begun, and has written: it is finished whatever else is to wait now.
  bool goes_on = false;

  bool allows(std::uint32_t revision) const {
    return !if_match || std::find(if_match->begin(), if_match->end(), revision) != if_match->end();
  }
};
// `meta` does not allow the present revision.
domain::DomainError wrong_revision(const Meta& meta, std::uint32_t present);

struct Done {
  bool wrote = false;
  std::uint32_t revision = 0;
  eventstore::Position position;          // of the last event written, or of the state
  // The command had been carried out before: what is remembered of it.
  std::optional<eventstore::CommandRecord> repeated;
  std::optional<domain::FirmwareId> existing;   // a firmware that is registered under another name
};
using Answer = domain::Result<Done>;

template <class T>
class Reply {
 public:
  using Sink = std::function<void(T)>;
  Reply() = default;
  explicit Reply(Sink sink) : sink_(std::move(sink)) {}
  Reply(Reply&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      drop();
      sink_ = std::exchange(other.sink_, nullptr);
    }
    return *this;
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() { drop(); }

  void operator()(T answer) {
    if (auto sink = std::exchange(sink_, nullptr)) sink(std::move(answer));
  }

 private:
  void drop() {
    if (sink_) {
      (*this)(T(domain::DomainError{domain::ErrorCode::kUnavailable, "the request was dropped; try again",
                                    {}, {}, {}, {}}));
    }
  }
  Sink sink_;
};

// What a device actor asks a campaign actor.
struct GrantOutcome {
  enum class Kind { kGranted, kWait, kSkipped, kConflict };
  Kind kind = Kind::kWait;
  std::string fact;
};
struct AskGrant {
  domain::GrantAsk ask;
  std::shared_ptr<Reply<domain::Result<GrantOutcome>>> reply;
};
// Why is this device not updated? The campaign answers with every gate before it.
struct AskWhy {
  domain::GrantAsk ask;
  std::shared_ptr<Reply<domain::Result<std::vector<domain::GateState>>>> reply;
};
// The device polls: register it if it is new, offer it something if there is something.
struct Poll {
  domain::Duration sleep{};
};
// Brings an entity to life and nothing else: open campaigns at start.
struct Wake {};

// Told to campaigns that are being rolled back: nobody goes back to it any more.
struct FirmwareIsRecalled {
  domain::FirmwareId firmware;
};
// What a recall tells an update of its firmware: to stop, if it does not install yet (decision 2).
inline const domain::UpdateCommand kStopsRecalled =
    domain::CancelUpdate{domain::CancelCause::kRecalled, domain::CancelUpdate::Reach::kNotInstalling};

using EntityId =
    std::variant<domain::FirmwareId, domain::CampaignId, domain::DeviceId, domain::UpdateId, domain::UserStream>;
using Command = std::variant<Wake, domain::FirmwareCommand, domain::CampaignCommand, domain::UpdateCommand,
                             domain::DeviceCommand, domain::UserCommand, Poll, AskGrant, AskWhy, FirmwareIsRecalled>;

struct Request {
  EntityId to;
  Command command;
  Meta meta;
  // The device of an update that may have no events yet.
  std::optional<domain::DeviceId> device;
  Reply<Answer> reply;
};
using RequestPtr = std::shared_ptr<Request>;

}  // namespace ota::actors
