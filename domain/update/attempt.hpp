// How an attempt of a device update begins and ends: what the decisions on reports, cancellations and deadlines share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/update/update.hpp"

namespace ota::domain::update {

inline constexpr std::string_view kTimeoutCode = "timeout";

// One event of the update itself.
Events one(const DeviceUpdate& s, Event event);

// At most limits::kReportDetailBytes, in whole characters: half of one would not be text any more.
std::string cut(const std::string& text);
std::vector<std::string> bounded_details(const std::vector<std::string>& given);

// The moment is over after which a device's report of its present attempt still counts.
bool is_late(const DeviceUpdate& s, std::uint32_t attempt);

AttemptStarted start_of(const DeviceUpdate& s, bool downloads_here, const Context& context);
// It holds no more, and has its whole time for the installation.
AttemptStarted release_of(const DeviceUpdate& s, const Context& context);

// Its time runs anew from then on, and nothing else changes.
AttemptStarted extended_from(const DeviceUpdate& s, Time from);
// It holds for a switch that will not come: its time runs again, so that it ends (decision 24). No events if it runs already.
void end_in_time(const DeviceUpdate& s, CancelCause cause, const Context& context, Events& events);

// Success, with what it undoes.
void add_success(const DeviceUpdate& s, Events& events);
// Failure, with the next attempt if there is to be one (decision 8).
Events end_failed(const DeviceUpdate& s, FailureKind kind, std::string code, std::string message, bool firmware_recalled,
                  const Context& context);

// The maintenance window gates the install too (decision 14): closed, when does it open? Empty: nothing is in the way.
std::optional<Time> closed_until(const DeviceUpdate& s, const std::string& timezone, Time now);

// What a device says of its attempt (domain/update/report.cpp).
Decision on_report(const DeviceUpdate& s, const Report& r, const Context& context);

}  // namespace ota::domain::update
