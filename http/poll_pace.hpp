// When devices ask next: a calendar of seconds, of which each takes so many polls (design 8). Any thread.
//
// Whoever is told to sleep gets a place in it: in the second that is wished for, or in the next one that has room. So the
// fleet stays within its polls a second however large it is, and one that woke at once (the power is back, or we are)
// spreads over the seconds that it needs. A part of every second is kept for those that a campaign waits for. Whoever comes
// before its time gives its place back: one that asks again and again takes no room from the others.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::http {

struct PollPaceOptions {
  std::uint32_t polls_per_s = 0;            // of all devices; 0: as many as come
  domain::Duration soon = std::chrono::seconds(30);   // of those that a running campaign can take, at most their usual sleep
  std::uint32_t jitter_percent = 0;         // of the sleep, up and down
};

class PollPace {
 public:
  static constexpr std::uint32_t kSeconds = 86'399;   // the longest sleep that every client reads
  static constexpr std::uint32_t kKeptPercent = 25;   // of each second, for those that are awaited

  explicit PollPace(PollPaceOptions options);

  // How long this device sleeps from now on: about `usual`, or about `soon` where that is shorter and it is awaited; later
  // where the seconds around that are full. Whole seconds. `known`: of a device that is; a stranger's place is not kept in mind.
  domain::Duration next(std::string_view device, domain::Duration usual, bool awaited, domain::Time now,
                        std::optional<domain::Ordinal> known = {});

 private:
  std::int64_t jittered(std::string_view device, std::int64_t sleep_s, std::int64_t now_s) const;
  std::int64_t take_place(std::int64_t wished_s, bool awaited, std::int64_t now_s, std::optional<domain::Ordinal> known);
  // The place of a device, in seconds since 1970; 0: none.
  std::uint32_t& place_of(domain::Ordinal device);
  void forget_until(std::int64_t now_s);

  const PollPaceOptions options_;
  struct Second {
    std::uint32_t taken = 0;
    std::uint32_t hint = 0;   // so many seconds on, before there may be room for the usual ones
  };
  std::mutex mutex_;
  std::unique_ptr<Second[]> calendar_;      // by second, modulo its length; null: no limit
  std::int64_t forgotten_s_ = 0;            // up to there everything is over
  std::vector<std::uint32_t> places_;       // by ordinal, which are dense
};

}  // namespace ota::http
