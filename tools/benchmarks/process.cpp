#include "tools/benchmarks/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ota::bench {
namespace {

constexpr int kEndWaitMs = 120'000;  // a service flushes, a filter syncs; beyond this it hangs

void check(bool ok, const char* what, int error = errno) {
  if (!ok) throw std::system_error(error, std::generic_category(), what);
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  check(pipe2(ends.data(), O_CLOEXEC) == 0, "cannot make a pipe");
  return ends;
}

pid_t spawn(std::vector<std::string>& argv, int input, int output) {
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t pipes;  // we ignore SIGPIPE, filters should not
  sigemptyset(&pipes);
  sigaddset(&pipes, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &pipes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  check(error == 0, "cannot start a process", error);
  return pid;
}

void kill_unless_ended(pid_t pid) {
  // glibc 2.36 declares pidfd_open without C linkage.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return;
  pollfd ended{descriptor, POLLIN, 0};
  if (poll(&ended, 1, kEndWaitMs) == 0) kill(pid, SIGKILL);
  close(descriptor);
}

}  // namespace

Process::Process(std::vector<std::string> argv) {
  const auto to_child = make_pipe();
  const auto from_child = make_pipe();
  input_ = to_child[1];
  output_ = from_child[0];
  pid_ = spawn(argv, to_child[0], from_child[1]);
  close(to_child[0]);
  close(from_child[1]);
}

Process::~Process() {
  if (pid_ > 0) finish();
  close(output_);
}

std::string Process::read_line() {
  std::string line;
  for (char byte = 0;;) {
    const ssize_t count = read(output_, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count != 1) throw std::runtime_error("a child process ended before it was ready");
    if (byte == '\n') return line;
    line.push_back(byte);
  }
}

void Process::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(input_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    check(count > 0, "cannot write to a child process");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

int Process::finish() {
  close_input();
  kill_unless_ended(pid_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  constexpr int kSignalExit = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalExit + WTERMSIG(status);
}

void Process::close_input() {
  if (input_ >= 0) close(std::exchange(input_, -1));
}

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

}  // namespace ota::bench
