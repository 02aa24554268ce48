// Writes decisions into a log as the service's entities do, but from one thread that knows what the journal will answer.
//
// Through the journal with its signing key, and with the conditions of the actors. Since nobody else appends, every append
// commits in the order in which it was made: its positions are known before it is written, and whoever decides need not wait.
// What an answer says otherwise is an error. Time is the caller's.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "actors/log_keys.hpp"
#include "actors/request.hpp"
#include "domain/result.hpp"
#include "eventstore/journal.hpp"

namespace ota::bench {

class LogPen {
 public:
  // Begins the log of a service whose data directory this will be; its first event, the key, has the time `begin`.
  LogPen(const std::filesystem::path& data_directory, domain::Time begin);
  // Waits until all is durable.
  ~LogPen();
  LogPen(const LogPen&) = delete;
  LogPen& operator=(const LogPen&) = delete;

  // Of the newest event, written or on its way.
  domain::Position position() const { return {newest_}; }
  // Later events have this time or a later one.
  void set_time(domain::Time now) { now_us_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }

  // Answers them as they will be in the log; the first has the position behind position().
  std::vector<eventstore::NewEvent> write(const domain::Events& events, std::vector<eventstore::Condition> conditions,
                                          const actors::Meta& meta);
  void keep_snapshot(const std::string& stream, domain::Position at, std::string bytes);
  // Waits until all of it is durable. Throws std::runtime_error if anything was not written as it was expected.
  void finish();

 private:
  static constexpr std::ptrdiff_t kInFlight = 2'048;  // several groups gather while one is written

  void settle();

  std::atomic<std::int64_t> now_us_;
  std::atomic<bool> failed_{false};
  std::counting_semaphore<> places_{kInFlight};
  std::shared_ptr<eventstore::Log> log_;
  std::unique_ptr<actors::LogKeys> keys_;
  std::unique_ptr<eventstore::Journal> journal_;
  std::uint64_t newest_ = 0;
};

}  // namespace ota::bench
