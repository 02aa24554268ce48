#include "tests/tools/net/small_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace ota::sim::test {

struct SmallServer::Line {
  int fd = -1;
  int number = 0;
  std::string unread;
  bool over = false;
  ~Line() { ::close(fd); }
};

std::string ok(const std::string& body, const std::string& fields, const std::string& status) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

SmallServer::SmallServer(Handler handler, Continue behaviour)
    : handler_(std::move(handler)),
      behaviour_(behaviour),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, where, size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, where, &size) != 0 || ::pipe(wake_) != 0)
    throw std::runtime_error("the test's server cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

SmallServer::~SmallServer() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

std::string SmallServer::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + target;
}

std::vector<SmallServer::Asked> SmallServer::asked() const {
  const std::lock_guard lock{mutex_};
  return asked_;
}
int SmallServer::connections() const {
  const std::lock_guard lock{mutex_};
  return accepted_;
}
int SmallServer::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}
int SmallServer::resets() const {
  const std::lock_guard lock{mutex_};
  return resets_;
}

void SmallServer::serve() {
  for (;;) {
    std::vector<pollfd> wanted{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& line : lines_) wanted.push_back({line->fd, POLLIN, 0});
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[0].revents != 0) return;
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (wanted[i + 2].revents != 0) read_from(*lines_[i]);
    std::erase_if(lines_, [](const auto& line) { return line->over; });
    if (wanted[1].revents != 0) accept_one();
  }
}

void SmallServer::accept_one() {
  auto line = std::make_unique<Line>();
  line->fd = ::accept(listener_, nullptr, nullptr);
  if (line->fd < 0) return;
  const std::lock_guard lock{mutex_};
  line->number = ++accepted_;
  lines_.push_back(std::move(line));
}

void SmallServer::read_from(Line& line) {
  char bytes[16384];
  const ssize_t count = ::recv(line.fd, bytes, sizeof bytes, 0);
  if (count <= 0) {
    const std::lock_guard lock{mutex_};
    ++ended_;
    if (count < 0) ++resets_;
    line.over = true;
    return;
  }
  line.unread.append(bytes, static_cast<std::size_t>(count));
  answer(line);
}

void SmallServer::answer(Line& line) {
  while (!line.over) {
    const auto end = line.unread.find("\r\n\r\n");
    if (end == std::string::npos) return;
    Asked asked{line.unread.substr(0, end + 2), "", line.number};
    std::size_t body = 0;
    const auto length = asked.head.find("Content-Length: ");
    if (length != std::string::npos)
      body = std::strtoul(asked.head.c_str() + length + 16, nullptr, 10);
    if (line.unread.size() < end + 4 + body) {
      const bool waits = asked.head.find("Expect: 100-continue") != std::string::npos;
      if (waits && behaviour_ == Continue::kAsks) send(line, "HTTP/1.1 100 Continue\r\n\r\n");
      return;
    }
    asked.body = line.unread.substr(end + 4, body);
    line.unread.erase(0, end + 4 + body);
    {
      const std::lock_guard lock{mutex_};
      asked_.push_back(asked);
    }
    const Reply reply = handler_(asked);
    send(line, reply.bytes);
    line.over = reply.closes;
  }
}

void SmallServer::send(const Line& line, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(line.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace ota::sim::test
