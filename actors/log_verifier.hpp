// Verifies the log behind the service's back: once a day at a gentle pace, and when somebody asks (eventstore/verify.hpp).
//
// A bit that flips on the disk is so found before somebody needs it. What is found is an error in the service's log and in its
// health until a later run finds none.
//
// When a run last found nothing is kept in a file, so that a day is a day also for a service that is started more often: one
// that is overdue comes soon after the start. Who finds something is overdue again at once.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actors/chore.hpp"
#include "domain/words.hpp"
#include "eventstore/verify.hpp"

namespace ota::actors {

// "events 12 to 14: missing".
std::string text_of(const eventstore::Finding& finding);

class LogVerifier {
 public:
  struct Options {
    std::chrono::milliseconds every{std::chrono::hours(24)};   // 0: only when somebody asks
    std::chrono::milliseconds soon{std::chrono::minutes(5)};   // after a start: it has enough to do by then
    std::filesystem::path file;                                // where its end is kept; empty: nowhere
    std::uint64_t rows_per_second = 100'000;                   // of the daily one: a tenth of a processor
    std::function<domain::Time()> clock;
  };
  struct Run {
    domain::Time started;
    std::chrono::milliseconds took{0};
    eventstore::Verification result;
    std::string error;                  // it could not be done at all
    bool is_sound() const { return error.empty() && result.is_sound(); }
  };
  struct State {
    std::optional<domain::Time> running_since;
    std::uint64_t events = 0;           // of the one that runs: looked at,
    std::uint64_t of = 0;               //   of so many
    std::optional<Run> last;            // that came to an end
    std::optional<domain::Time> sound;  // the end of the last one that found nothing, also of an earlier process
  };

  LogVerifier(std::shared_ptr<const eventstore::Log> log, Options options);

  // As fast as it goes. False: one is running.
  bool start() { return chore_.start(); }
  State state() const;
  // How long the first run of a process waits, if the last one that found nothing ended then.

 private:
  State begin() const;
  void keep(domain::Time ended) const;
  void verify(bool asked, const Chore::Stopped& stopped);

  std::shared_ptr<const eventstore::Log> log_;
  Options options_;
  mutable std::mutex mutex_;
  State state_;
  Chore chore_;  // last: it uses the others
};

}  // namespace ota::actors
