#include "eventstore/fail_stop.hpp"

#include <unistd.h>

#include <cstdio>

namespace ota::eventstore {
namespace {

constexpr int kExitSoftware = 70;

}  // namespace

void stop_process(const std::string& why) {
  std::fprintf(stderr, "%s\nNothing was answered that is not on disk. Stopping.\n", why.c_str());
  std::fflush(stderr);
  _exit(kExitSoftware);
}

}  // namespace ota::eventstore
