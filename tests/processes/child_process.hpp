// This very test binary once more, as a child that may be killed: it runs one test case, which is
// marked skip() so that nobody else runs it, and talks to its parent through a pipe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace ota::testing {

class ChildProcess {
 public:
  // `variables`: "NAME=value", added to the environment. The child finds its end of the pipe with
  // pipe_to_parent().
  ChildProcess(const std::string& test_case, const std::vector<std::string>& variables);
  // Kills the child if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Reads exactly `bytes` of what the child writes. False: the child is gone and all it said was
  // read.
  bool read(void* out, std::size_t bytes);
  std::string read_all();
  void kill();
  // Waits for the end; the signal that ended it, or 0.
  int signal_of_end();

 private:
  pid_t process_ = -1;
  int pipe_ = -1;
};

// In the child: its end of the pipe, or -1 if nobody started it as a child.
int pipe_to_parent();
// A variable of the environment; empty if it is not set.
std::string variable(const char* name);

}  // namespace ota::testing
