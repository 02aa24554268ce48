// A client of bare sockets: sends exactly the bytes that a test wants, and reads answers one by
// one.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ota::http::test {

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    }
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), unread_(std::move(other.unread_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  // Goes as one that is cut off goes: what it was sent and has not read is lost.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  // Sends this as the last: whoever hears of it hears of the end, too.
  void finish_sending_with(std::string_view bytes) {
    ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_MORE);
    finish_sending();
  }

  // False when the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  // A whole request with a Host field, and a Content-Length if there is a body.
  bool request(std::string_view method, std::string_view target, std::string_view fields = "",
               std::string_view body = "") {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n").append(fields);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text.append("\r\n").append(body);
    return send(text);
  }

  // Reads an answer's head, and a body of Content-Length (none for a HEAD, or behind 100, 204 and
  // 304).
  RawAnswer read(bool to_head = false) {
    std::size_t end;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) receive();
    RawAnswer answer;
    std::string_view head = std::string_view(unread_).substr(0, end);
    answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
    head.remove_prefix(std::min(head.size(), head.find("\r\n")));
    while (!head.empty()) {
      head.remove_prefix(2);
      const std::string_view line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size());
      const auto colon = line.find(": ");
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.headers.emplace(std::move(name), line.substr(colon + 2));
    }
    unread_.erase(0, end + 4);
    const bool bare =
        to_head || answer.status == 100 || answer.status == 204 || answer.status == 304;
    const std::size_t size =
        bare ? 0 : static_cast<std::size_t>(std::atoll(answer.header("content-length").c_str()));
    while (unread_.size() < size) receive();
    answer.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return answer;
  }

  RawAnswer get(std::string_view target, std::string_view fields = "") {
    request("GET", target, fields);
    return read();
  }

  // Reads so many bytes and throws them away; false if the server closes before.
  bool skip(std::size_t count) {
    try {
      while (unread_.size() < count) {
        count -= unread_.size();
        unread_.clear();
        receive();
      }
    } catch (const std::runtime_error&) {
      return false;
    }
    unread_.erase(0, count);
    return true;
  }

  // Waits until so many bytes have arrived that nobody has read.
  void wait_for_bytes(int count) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count);
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, 30'000) <= 0) throw std::logic_error("the server sends less");
    const int any = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
  }

  // Waits for some bytes, whatever they are.
  std::string read_some() {
    if (unread_.empty()) receive();
    return std::exchange(unread_, {});
  }
  // Everything until the server closes.
  std::string read_to_end() {
    try {
      for (;;) receive();
    } catch (const std::runtime_error&) {
    }
    return std::exchange(unread_, {});
  }

  // Whether the server closes without sending anything more.
  bool is_closed_silently() { return read_to_end().empty(); }

  void receive_buffer(int bytes) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

 private:
  // Waits for bytes; a test that would wait for ever fails instead.
  void receive() {
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, 30'000) <= 0) throw std::logic_error("the server sends nothing");
    char bytes[64 * 1024];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) throw std::runtime_error("the server closed the connection");
    unread_.append(bytes, static_cast<std::size_t>(count));
  }

  int socket_;
  std::string unread_;
};

}  // namespace ota::http::test
