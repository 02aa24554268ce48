// A child process with pipes to its stdin and from its stdout.
//
// It ends with this value: closing its stdin is what asks it to end (roles.hpp, and every filter),
// and one that does not is killed, by its own process id.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace ota::bench {

class Process {
 public:
  // Starts argv[0], looked up in PATH. Throws std::system_error.
  explicit Process(std::vector<std::string> argv);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Reads its stdout up to the next newline. Throws std::runtime_error if it ends before.
  std::string read_line();
  // Writes all of it to its stdin. Throws std::system_error if it does not read any more.
  void write(std::string_view bytes);
  // Closes its stdin and waits for its end; answers its exit code, or 128 + signal.
  int finish();

 private:
  void close_input();

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

// The path of this program, for starting it once more.
std::string this_program();

}  // namespace ota::bench
