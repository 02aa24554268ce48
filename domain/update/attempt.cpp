#include "domain/update/attempt.hpp"

#include <algorithm>

#include "domain/limits.hpp"
#include "domain/window.hpp"

namespace ota::domain {

Time next_retry_at(const UpdateId& id, std::uint32_t retries, Time now, const Settings& settings) {
  const auto doublings = std::min(retries, limits::kSparedBackoffDoublings);
  const Duration wait =
      std::min<Duration>(settings.retry_backoff_base * (std::int64_t{1} << doublings), settings.retry_backoff_max);
  // Devices that failed together must not come back together: the id spreads them over a quarter of the wait.
  std::uint64_t mix = 0xcbf29ce484222325ULL;
  for (const char c : to_binary(id)) mix = (mix ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  mix ^= mix >> 29;
  const auto jitter = Duration(static_cast<std::int64_t>(mix % 1024) * (wait.count() / 4) / 1024);
  return now + wait + jitter;
}

namespace update {

Events one(const DeviceUpdate& s, Event event) {
  // One of a campaign may be cancelled before anything says whose it is.
  const auto device = s.device.value.empty() ? std::nullopt : std::optional<DeviceId>(s.device);
  Events events;
  events.push_back({s.id, std::move(event), device});
  return events;
}

std::string cut(const std::string& text) {
  std::size_t n = std::min(text.size(), limits::kReportDetailBytes);
  while (n > 0 && n < text.size() && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

std::vector<std::string> bounded_details(const std::vector<std::string>& given) {
  std::vector<std::string> lines;
  for (const auto& line : given) {
    if (lines.size() == limits::kReportDetailLines) break;
    if (line.empty()) continue;
    lines.push_back(cut(line));
  }
  return lines;
}

bool is_late(const DeviceUpdate& s, std::uint32_t attempt) { return attempt != s.attempt || !s.in_progress(); }

AttemptStarted start_of(const DeviceUpdate& s, bool downloads_here, const Context& context) {
  return {s.attempt, context.now + std::chrono::minutes(s.plan.timeout_minutes), false, false, downloads_here};
}

AttemptStarted release_of(const DeviceUpdate& s, const Context& context) {
  auto started = start_of(s, false, context);
  started.released = true;
  return started;
}

AttemptStarted extended_from(const DeviceUpdate& s, Time from) {
  return {s.attempt, from + std::chrono::minutes(s.plan.timeout_minutes), false, true};
}

void end_in_time(const DeviceUpdate& s, CancelCause cause, const Context& context, Events& events) {
  const bool ends_the_campaign = cause == CancelCause::kCampaignCancelled || cause == CancelCause::kCampaignAborted ||
                                 cause == CancelCause::kRecalled;
  if (!ends_the_campaign || !s.held || s.held_until || s.timeout_at) return;
  events.push_back({s.id, extended_from(s, context.now), s.device});
}

namespace {

// The attempt is to have its bytes from us: as is known of it, or as these events say that begin it.
bool began_here(const DeviceUpdate& s, const Events& events) {
  return s.downloads_here || std::any_of(events.begin(), events.end(), [](const Emitted& emitted) {
           const auto* started = std::get_if<AttemptStarted>(&emitted.event);
           return started && started->downloads_here;
         });
}

}  // namespace

void add_success(const DeviceUpdate& s, Events& events) {
  AttemptEnded e;
  e.attempt = s.attempt;
  e.success = true;
  e.batch = s.batch;
  e.retry = s.retry;
  e.retry_count = s.retry_count;
  e.spared_retries = s.spared_retries;
  e.without_download = began_here(s, events) && !s.artifact_requested;
  events.push_back({s.id, std::move(e), s.device});
  const auto& rollback = s.plan.rollback;
  if (rollback && rollback->undoes) events.push_back({*rollback->undoes, UpdateUndone{s.id}, s.device});
}

Events end_failed(const DeviceUpdate& s, FailureKind kind, std::string code, std::string message,
                  bool firmware_recalled, const Context& context) {
  AttemptEnded end;
  end.attempt = s.attempt;
  end.success = false;
  end.kind = kind;
  end.error_code = std::move(code);
  end.error_message = std::move(message);
  end.batch = s.batch;
  end.retry = s.retry;
  end.retry_count = s.retry_count;
  end.spared_retries = s.spared_retries;
  // A device that was asked to stop is not asked to try again.
  // Nor is one whose installation may have gone wrong half-way: it is taken back (decision 27).
  end.takes_back =
      kind == FailureKind::kTimeout && s.plan.rollback_on_timeout && s.status >= UpdateStatus::kInstalling;
  // Nor is what was recalled installed once more.
  const bool may_retry = !s.cancel && !end.takes_back && !firmware_recalled;
  if (kind == FailureKind::kTransport || kind == FailureKind::kService) {
    if (may_retry && s.spared_retries < limits::kSparedRetries) {
      end.retry_at = next_retry_at(s.id, s.spared_retries, context.now, context.settings);
      ++end.spared_retries;
    }
  } else if (may_retry && s.retry_count < s.plan.max_retries) {
    end.retry_at = next_retry_at(s.id, s.retry_count, context.now, context.settings);
    ++end.retry_count;
  }
  return one(s, std::move(end));
}

std::optional<Time> closed_until(const DeviceUpdate& s, const std::string& timezone, Time now) {
  const auto& window = s.plan.maintenance_window;
  if (!window || is_open(*window, timezone, now)) return std::nullopt;
  return opens_at(*window, timezone, now);
}

}  // namespace update
}  // namespace ota::domain
