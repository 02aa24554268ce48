// The vocabulary of the log: everything that can have happened, in the past tense.
//
// Plain values; codec/ turns them into bytes (events.proto) and back. What a fold needs is in the event, its stream
// and its tags. Fields and numbers are for ever: add, never change. Golden files in tests/domain/golden hold each one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "domain/events/campaign.hpp"
#include "domain/events/device.hpp"
#include "domain/events/firmware.hpp"
#include "domain/events/service.hpp"
#include "domain/events/update.hpp"
#include "domain/events/user.hpp"

namespace ota::domain {

// An event of a type that this version does not know: folded by nobody, skipped by every view.
struct UnknownEvent {
  std::uint16_t type = 0;
  bool operator==(const UnknownEvent&) const = default;
};

using EventVariant = std::variant<
    UnknownEvent, FirmwareRegistered, FirmwareContentStored, FirmwareDeprecated, FirmwareRestored,
    DeviceRegistered, DeviceAttributesChanged, DeviceDeleted, DeviceReturned, IdsReserved, CampaignCreated,
    CampaignTargetPart, CampaignStarted, CampaignPaused, CampaignResumed, CampaignCancelled, CampaignAborted,
    CampaignClosed, BatchOpened, UpdateRequested, AttemptGranted, AttemptStarted, ProgressReported,
    LateReportRecorded, AttemptEnded, GrantLapsed, UpdateSkipped, CancelRequested, CancelRefused,
    UpdateCancelled, RetryAsked, DownloadCompleted, FirmwareRecalled, CampaignApproved, CampaignScheduled,
    CampaignFinished, CanaryPromoted, CanaryToppedUp, CampaignRollbackBegun, CampaignSwitched, ConsentAsked,
    ConsentGiven, UpdateHeld, UpdateRefuted, UpdateUndone, UserPreferencesChanged, SubjectErased, FirmwareContentFailed,
    FirmwareSourceChanged, AutoConfirmChanged, DeviceTokenRotated, DevicePushChanged, LogKeyAdopted, AuditRead>;

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);
template <class T, class Variant>
inline constexpr std::size_t kIndexOf = 0;
template <class T, class... Ts>
inline constexpr std::size_t kIndexOf<T, std::variant<Ts...>> = [] {
  std::size_t index = 0;
  (void)((std::is_same_v<T, Ts> || (++index, false)) || ...);
  return index;
}();

// Any of them: std::visit, std::get_if and their like take it as they take the variant. A class of its own, because what the
// members of a variant of so many unfold to is better compiled once than with each file that names it.
class Event : public EventVariant {
 public:
  Event();
  Event(const Event& other);
  Event(Event&& other) noexcept;
  Event& operator=(const Event& other);
  Event& operator=(Event&& other) noexcept;
  ~Event();
  template <class E>
  requires kIsAlternative<E, EventVariant> Event(E event)  // NOLINT(google-explicit-constructor)
      : Event(kIndexOf<E, EventVariant>, &event) {}

 private:
  Event(std::size_t alternative, void* moved_from);
};

}  // namespace ota::domain
