// How long processes have kept the processors busy: says what a piece of work costs, also on a machine that others use too.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cerrno>
#include <system_error>

namespace ota::bench {

// User and system time of a process so far, in seconds, all of its threads. Throws std::system_error.
inline double processor_seconds_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  const int fault = clock_getcpuclockid(process, &clock);
  if (fault != 0 || clock_gettime(clock, &time) != 0) {
    throw std::system_error(fault != 0 ? fault : errno, std::generic_category(), "the clock of a process");
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace ota::bench
