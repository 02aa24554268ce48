#include "http/poll_pace.hpp"

#include <algorithm>
#include <functional>

namespace ota::http {
namespace {

constexpr std::int64_t kLength = PollPace::kSeconds + 1;
constexpr std::int64_t kJitterEvery_s = 3'600;  // then a device's share of chance is another one

std::int64_t whole_seconds(domain::Duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

}  // namespace

PollPace::PollPace(PollPaceOptions options) : options_(options) {
  if (options_.polls_per_s > 0) calendar_ = std::make_unique<Second[]>(static_cast<std::size_t>(kLength));
}

domain::Duration PollPace::next(std::string_view device, domain::Duration usual, bool awaited, domain::Time now,
                                std::optional<domain::Ordinal> known) {
  const auto wished = awaited ? std::min(usual, options_.soon) : usual;
  const auto now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  auto sleep_s = std::clamp<std::int64_t>(jittered(device, whole_seconds(wished), now_s), 1, kSeconds);
  if (calendar_) sleep_s = take_place(sleep_s, awaited, now_s, known);
  return std::chrono::seconds(sleep_s);
}

// The same for some time, so that an answer that is asked for again is the same; another one for each device.
std::int64_t PollPace::jittered(std::string_view device, std::int64_t sleep_s, std::int64_t now_s) const {
  if (options_.jitter_percent == 0) return sleep_s;
  std::uint64_t mix = std::hash<std::string_view>{}(device) ^ static_cast<std::uint64_t>(now_s / kJitterEvery_s) * 0x9e3779b97f4a7c15ULL;
  mix ^= mix >> 31;
  mix *= 0xbf58476d1ce4e5b9ULL;
  mix ^= mix >> 29;
  const double share = static_cast<double>(mix % 20'001) / 10'000.0 - 1.0;   // -1 .. 1
  return sleep_s + static_cast<std::int64_t>(share * static_cast<double>(sleep_s) * options_.jitter_percent / 100.0);
}

std::uint32_t& PollPace::place_of(domain::Ordinal device) {
  if (device.value >= places_.size()) places_.resize(std::max<std::size_t>(std::size_t{device.value} + 1, places_.size() * 2));
  return places_[device.value];
}

std::int64_t PollPace::take_place(std::int64_t wished_s, bool awaited, std::int64_t now_s,
                                  std::optional<domain::Ordinal> known) {
  const std::uint32_t all = options_.polls_per_s;
  const std::uint32_t kept = std::max<std::uint32_t>(1, all * kKeptPercent / 100);
  const std::uint32_t room = awaited || all == 1 ? all : all - kept;
  const std::lock_guard lock(mutex_);
  forget_until(now_s);
  if (known) {
    // A place that is still to come is in the calendar: of those that are over it knows nothing any more.
    const std::int64_t place = place_of(*known);
    if (place > forgotten_s_) --calendar_[static_cast<std::size_t>(place % kLength)].taken;
  }
  std::int64_t sleep_s = wished_s;
  Second* first_full = nullptr;
  std::int64_t first_s = 0;
  while (sleep_s < kSeconds) {
    Second& second = calendar_[static_cast<std::size_t>((now_s + sleep_s) % kLength)];
    if (second.taken < room) break;
    if (!first_full) {
      first_full = &second;
      first_s = sleep_s;
    }
    sleep_s += awaited ? 1 : std::max<std::int64_t>(1, second.hint);
  }
  sleep_s = std::min<std::int64_t>(sleep_s, kSeconds);
  // Whoever wishes for the same second next need not look at all those that are full.
  if (first_full && !awaited) first_full->hint = static_cast<std::uint32_t>(sleep_s - first_s);
  ++calendar_[static_cast<std::size_t>((now_s + sleep_s) % kLength)].taken;
  if (known) place_of(*known) = static_cast<std::uint32_t>(now_s + sleep_s);
  return sleep_s;
}

// Seconds that are over come again a day later, empty.
void PollPace::forget_until(std::int64_t now_s) {
  const auto from = std::max(forgotten_s_ + 1, now_s - kLength + 1);
  for (std::int64_t s = from; s <= now_s; ++s) calendar_[static_cast<std::size_t>(s % kLength)] = {};
  forgotten_s_ = std::max(forgotten_s_, now_s);
}

}  // namespace ota::http
