// Every bound of the domain, with its source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::domain::limits {

inline constexpr std::uint64_t kFirmwareBytes = 524'288'000;       // BR-OTA-001, decision 28
inline constexpr std::size_t kReportDetailLines = 50;              // decision 17, DDI quota
inline constexpr std::size_t kReportDetailBytes = 512;
inline constexpr std::uint32_t kReportEntries = 1'000;             // of one attempt, DDI quota; its end is always taken
inline constexpr std::size_t kAutoConfirmTextBytes = 512;          // initiator and remark, each
inline constexpr std::uint32_t kProgressStepBasisPoints = 1'000;   // decision 17: 10 points
inline constexpr std::uint32_t kSparedRetries = 20;                // decision 8
inline constexpr std::uint32_t kSparedBackoffDoublings = 10;       // 2^10 is beyond every cap
inline constexpr std::size_t kDeviceAttributes = 100;              // DDI quota
inline constexpr std::size_t kAttributeBytes = 128;
inline constexpr std::chrono::minutes kStartPatienceMin{5};        // decision 7
inline constexpr std::uint32_t kLateReports = 20;                  // of one update that are recorded
inline constexpr std::size_t kDirectUpdatesWaiting = 64;           // on one device
inline constexpr std::size_t kCancelsOfDeletion = 200;             // in one append, which takes 256 events
inline constexpr std::size_t kErrorCodesWatched = 64;              // of a campaign, each with a bitmap
inline constexpr std::uint32_t kCampaignRollbacks = 15;            // decision 10: one hex digit of an update's id
inline constexpr std::size_t kTargetPartBytes = 128 * 1024;        // design 4: sets over this go ahead in parts

}  // namespace ota::domain::limits
