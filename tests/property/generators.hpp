// Random facts and commands over a small world: few devices, few attempts, so that they meet.
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "domain/user/user.hpp"

namespace ota::domain {

// How rapidcheck shows a counterexample; found by argument-dependent look-up.
void showValue(const Event& event, std::ostream& out);
void showValue(const UpdateId& id, std::ostream& out);
void showValue(const Report& report, std::ostream& out);
void showValue(const UpdateCommand& command, std::ostream& out);

}  // namespace ota::domain

namespace ota::domain::testing {

// An event of any kind that an update, a device or a campaign folds, whether or not it could follow
// what came before.
rc::Gen<Event> any_update_event();
rc::Gen<Event> any_device_event();
rc::Gen<Event> any_campaign_event();  // not its creation
rc::Gen<Event> any_firmware_event();  // not its registration
rc::Gen<Event> any_user_event();
rc::Gen<CampaignPolicy> any_policy();
// With what a canary is judged by, if its strategy is canary: as the service creates it.
CampaignCreated with_canary(CampaignCreated record);

rc::Gen<Report> any_report(std::uint32_t attempt_max);
rc::Gen<UpdateCommand> any_update_command(std::uint32_t attempt_max);
rc::Gen<DeviceCommand> any_device_command();
rc::Gen<CampaignCommand> any_campaign_command();
rc::Gen<FirmwareCommand> any_firmware_command();
rc::Gen<UserCommand> any_user_command();

rc::Gen<Time> any_time();
// One of the campaign's updates (mostly a target's), or a direct one.
rc::Gen<UpdateId> any_update_id();

// A log that grows: one event after another, a second apart, of the one device and in the streams that aggregates follow.
class AnyLog {
 public:
  Recorded record(Event event, Stream stream);
  // An event of any kind that a campaign or a device folds.
  Recorded any_record();

 private:
  Position position_;
  Time time_;
};
// The creation of a campaign of the devices 0 to 5, under any policy.
Recorded any_creation(AnyLog& log);

}  // namespace ota::domain::testing
