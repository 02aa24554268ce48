#include "tools/otactl/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {
namespace {

// The other end of the pipe is closed: asked of the system, since what a write failed for is forgotten by now.
bool nobody_reads() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void begin_output() {
  for (int place = 0; place <= STDERR_FILENO;) {
    place = ::open("/dev/null", O_RDONLY);  // writing to it fails, and that is seen
    if (place < 0) return;
    if (place > STDERR_FILENO) ::close(place);
  }
}

void put_note(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void flush_output() {
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "cannot write to the output");
}

bool is_output_lost() { return std::ferror(stdout) != 0; }

int end_output(int code, std::string why) {
  const bool is_flushed = std::fflush(stdout) == 0;
  if (why.empty()) why = is_flushed ? "an earlier write failed" : std::strerror(errno);
  if (is_flushed && !is_output_lost()) return code;
  if (nobody_reads()) std::raise(SIGPIPE);
  note("otactl: the output is not complete: {}\n", why);
  return code == 0 ? kExitFailed : code;
}

}  // namespace ota::ctl
