#include "eventstore/fail_stop.hpp"

#include <unistd.h>

#include <cstdio>

#include "eventstore/assert.hpp"

namespace ota::eventstore {
namespace {

constexpr int kExitSoftware = 70;

}  // namespace

void stop_process(const std::string& why) {
  std::fprintf(stderr, "%s\nNothing was answered that is not on disk. Stopping.\n", why.c_str());
  std::fflush(stderr);
  _exit(kExitSoftware);
}

void FailStop::stop(const std::function<void(const std::string& why)>& handler, const std::string& why) noexcept {
  if (stopped_.exchange(true)) return;
  try {
    handler(why);
  } catch (...) {
    return;
  }
  assertion_failed(__FILE__, __LINE__, "fail_stop does not return");
}

}  // namespace ota::eventstore
