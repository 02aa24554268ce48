#include "tests/processes/child_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace ota::testing {
namespace {

constexpr const char* kPipeVariable = "OTA_TEST_PIPE";

}  // namespace

ChildProcess::ChildProcess(const std::string& test_case,
                           const std::vector<std::string>& variables) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  // Everything is allocated before the fork: other tests have left threads, and one may hold the
  // allocator's lock.
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> arguments = {self, "--test-case=" + test_case, "--no-skip=true"};
  std::vector<std::string> added = variables;
  added.push_back(std::string(kPipeVariable) + "=" + std::to_string(ends[1]));
  std::vector<char*> argument_pointers;
  for (std::string& argument : arguments) argument_pointers.push_back(argument.data());
  argument_pointers.push_back(nullptr);
  std::vector<char*> environment;
  for (std::string& one : added) environment.push_back(one.data());
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    environment.push_back(*inherited);
  }
  environment.push_back(nullptr);

  process_ = ::fork();
  REQUIRE(process_ >= 0);
  if (process_ == 0) {
    ::fcntl(ends[1], F_SETFD, 0);
    ::execve(self.c_str(), argument_pointers.data(), environment.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

ChildProcess::~ChildProcess() {
  ::close(pipe_);
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
}

bool ChildProcess::read(void* out, std::size_t bytes) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t more = ::read(pipe_, static_cast<char*>(out) + got, bytes - got);
    if (more <= 0) return false;
    got += static_cast<std::size_t>(more);
  }
  return true;
}

std::string ChildProcess::read_all() {
  std::string all;
  for (char next = 0; read(&next, 1);) all.push_back(next);
  return all;
}

void ChildProcess::kill() { ::kill(process_, SIGKILL); }

int ChildProcess::signal_of_end() {
  int status = 0;
  REQUIRE(::waitpid(process_, &status, 0) == process_);
  process_ = -1;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int pipe_to_parent() {
  const std::string fd = variable(kPipeVariable);
  return fd.empty() ? -1 : std::stoi(fd);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? "" : value;
}

}  // namespace ota::testing
