// The role "nginx": Debian's nginx as it is, with the settings that make it fast at static files.
//
// A worker for each core, each with a listening socket of its own, connections that stay, files that
// stay open, and no log. Files are sent by sendfile but for texts, which are read and leave with
// their head in one write: that is a sixth faster for a few hundred bytes. Its port is reserved by a socket that is bound but
// does not listen: the workers bind beside it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tools/benchmarks/roles.hpp"

namespace ota::bench {
namespace {

constexpr std::chrono::seconds kStartMax{20};
constexpr std::chrono::milliseconds kLookEvery{5};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port of 127.0.0.1 that is ours while this process lives.
int reserve_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 ||
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      bind(descriptor, name, size) != 0 || getsockname(descriptor, name, &size) != 0) {
    fail("cannot reserve a port");
  }
  return ntohs(address.sin_port);
}

// Workers of a master that root started are another user by default, who may not look into our
// temporary directory.
std::string user_line() {
  if (geteuid() != 0) return "";
  const passwd* const user = getpwuid(0);  // NOLINT(concurrency-mt-unsafe): one thread
  return user ? fmt::format("user {};\n", user->pw_name) : "";
}

void write_settings(const std::filesystem::path& file, const std::filesystem::path& directory,
                    int port) {
  std::ofstream text(file);
  text << user_line() << fmt::format(R"(
worker_processes auto;
worker_rlimit_nofile 20000;
daemon off;
pid {0}/nginx.pid;
error_log {0}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  open_file_cache max=100 inactive=1h;
  open_file_cache_valid 1h;
  default_type application/octet-stream;
  client_body_temp_path {0}/body;
  proxy_temp_path {0}/proxy;
  fastcgi_temp_path {0}/fastcgi;
  uwsgi_temp_path {0}/uwsgi;
  scgi_temp_path {0}/scgi;
  server {{
    listen 127.0.0.1:{1} reuseport backlog=4096;
    root {0}/www;
    location /text/ {{ sendfile off; tcp_nopush off; }}
  }}
}}
)",
                                     directory.string(), port);
  if (!text.flush()) throw std::runtime_error("cannot write " + file.string());
}

pid_t start(const std::filesystem::path& directory, const std::filesystem::path& settings) {
  const std::string errors = (directory / "error.log").string();
  const pid_t child = fork();
  if (child < 0) fail("cannot start a process");
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Debian installs it where only root's PATH may lead to.
  for (const char* program : {"nginx", "/usr/sbin/nginx"}) {
    execlp(program, "nginx", "-e", errors.c_str(), "-p", directory.c_str(), "-c",
           settings.c_str(), static_cast<char*>(nullptr));
  }
  fmt::print(stderr, "bench {}: nginx is not installed\n", kNginxRole);
  _exit(EXIT_FAILURE);
}

bool answers(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return connected;
}

void wait_until_it_listens(pid_t nginx, int port) {
  const auto deadline = std::chrono::steady_clock::now() + kStartMax;
  while (!answers(port)) {
    if (waitpid(nginx, nullptr, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("nginx does not start");
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

}  // namespace

int serve_nginx(const char* directory) {
  const std::filesystem::path place(directory);
  const auto settings = place / "nginx.conf";
  const int port = reserve_port();
  write_settings(settings, place, port);
  const pid_t nginx = start(place, settings);
  try {
    wait_until_it_listens(nginx, port);
  } catch (...) {
    kill(nginx, SIGTERM);
    throw;
  }
  announce_and_wait(port);
  kill(nginx, SIGTERM);
  while (waitpid(nginx, nullptr, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace ota::bench
