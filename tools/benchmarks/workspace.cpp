#include "tools/benchmarks/workspace.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace ota::bench {
namespace {

constexpr int kSignalExit = 128;  // as shells count: 130 for Ctrl-C

[[noreturn]] void system_failed(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::filesystem::path make_directory() {
  const char* base = getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): one thread
  std::string name = fmt::format("{}/ota-bench-XXXXXX", base && *base ? base : "/tmp");
  if (mkdtemp(name.data()) == nullptr) system_failed("cannot make a temporary directory");
  return name;
}

[[noreturn]] void run_child(const Work& work, const std::filesystem::path& directory,
                            const sigset_t& before) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  int code = kMeasurementFailed;
  try {
    code = work(directory);
  } catch (const std::exception& fault) {
    fmt::print(stderr, "bench: {}\n", fault.what());
  }
  std::fflush(nullptr);
  _exit(code);
}

// Waits for a signal or for the child's end; on a signal ends the child. Answers the exit code.
int wait_for(pid_t child, const sigset_t& signals) {
  int stopped_by = 0;
  for (;;) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) {
      if (stopped_by != 0) return kSignalExit + stopped_by;
      return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalExit + WTERMSIG(status);
    }
    const int signal = sigwaitinfo(&signals, nullptr);
    if (signal != SIGINT && signal != SIGTERM && signal != SIGHUP) continue;
    stopped_by = signal;
    kill(child, SIGKILL);
  }
}

}  // namespace

int run_in_workspace(const Work& work) {
  // Orphans of the child become ours: they end when their stdin closes, and only then nobody writes
  // to the directory any more.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) system_failed("cannot look after processes");
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, each);
  sigprocmask(SIG_BLOCK, &signals, &before);
  const std::filesystem::path directory = make_directory();
  const pid_t child = fork();
  if (child < 0) system_failed("cannot start a process");
  if (child == 0) run_child(work, directory, before);
  const int code = wait_for(child, signals);
  while (wait(nullptr) > 0) {
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return code;
}

}  // namespace ota::bench
