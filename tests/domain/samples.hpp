// The people and things that the domain tests speak of: one firmware, one campaign of three
// devices, one device.
#pragma once

#include <chrono>
#include <initializer_list>

#include "domain/bitmap.hpp"
#include "domain/events.hpp"
#include "domain/settings.hpp"

namespace ota::domain::testing {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// When every `when` decides, unless the test says otherwise; what was given happened in the hour
// before.
inline constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + hours(12);
inline constexpr Time kBefore = kNow - hours(1);

constexpr Bytes16 bytes_16(std::uint8_t first) {
  Bytes16 bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

inline constexpr FirmwareId kFirmware{bytes_16(0x10)};
inline constexpr FirmwareId kOtherFirmware{bytes_16(0x30)};
inline constexpr CampaignId kCampaign{bytes_16(0x50)};
inline constexpr Ordinal kOrdinal{7};  // of the device, and a target of the campaign
inline const DeviceId kDevice{"pump-7"};
inline const UpdateId kUpdate = UpdateId::in_campaign(kCampaign, kOrdinal);
inline const UpdateId kDirect = UpdateId::direct(bytes_16(0x70));
inline const UpdateId kOtherDirect = UpdateId::direct(bytes_16(0x90));
inline constexpr ActionId kAction{1'000'001};

Bitmap set_of(std::initializer_list<std::uint32_t> ordinals);

FirmwareFacts facts();    // 2.1.0 for SF-100, hardware 1.0..3.0
UpdatePlan plan();        // of that firmware, from 2.0.0, three retries, an hour
CampaignPolicy policy();
// How a campaign of policy() is rolled back for its failures at kNow.
CampaignRollbackBegun rolled_back(const Verdict& verdict, std::uint32_t number = 1);  // immediate, all defaults: no batches in the way

// The campaign's creation, for these devices.
CampaignCreated created(const Bitmap& targets, const CampaignPolicy& policy = testing::policy());
CampaignCreated created(std::initializer_list<std::uint32_t> ordinals,
                        const CampaignPolicy& policy = testing::policy());

// A direct update's grant (no plan), a first attempt and a retry of a campaign.
AttemptGranted granted(std::uint32_t attempt = 1);
AttemptGranted first_grant(std::uint32_t batch = 0);
AttemptGranted retry_grant(std::uint32_t attempt);

AttemptStarted started(std::uint32_t attempt = 1);
AttemptEnded succeeded(std::uint32_t attempt = 1);
AttemptEnded failed_for_good(std::uint32_t attempt = 1);
AttemptEnded failed_until(Time retry_at, std::uint32_t attempt = 1, std::uint32_t retry_count = 1);
ProgressReported progress(UpdateStatus phase, std::uint32_t phase_basis_points = 0);

FirmwareRegistered firmware_record();

// The device says behind its success that it is not well.
inline const UpdateRefuted kIll{RefutedBy::kHealth, "the device reported health: failed", 0, false, true};

}  // namespace ota::domain::testing
