#include "tests/gateways/file_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace ota::gateways::testing {
namespace {

int listen_on_loopback(int& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(::listen(listener, 64) == 0);
  port = ntohs(address.sin_port);
  return listener;
}

// Empty: the other side has hung up.
std::string read_head(int socket) {
  std::string head;
  char bytes[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const auto count = ::recv(socket, bytes, sizeof bytes, 0);
    if (count <= 0) return {};
    head.append(bytes, static_cast<std::size_t>(count));
  }
  return head;
}

FileServer::Question parse(std::string head) {
  FileServer::Question question;
  const auto begin = head.find(' ') + 1;
  question.path = head.substr(begin, head.find(' ', begin) - begin);
  constexpr std::string_view kRange = "\r\nRange: bytes=";
  if (const auto at = head.find(kRange); at != std::string::npos) {
    std::uint64_t from = 0;
    std::from_chars(head.data() + at + kRange.size(), head.data() + head.size(), from);
    question.from = from;
  }
  question.head = std::move(head);
  return question;
}

}  // namespace

void FileServer::Wire::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // hung up: so be it
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void FileServer::Wire::stall() const {
  char byte = 0;
  while (::recv(socket_, &byte, 1, 0) > 0) {
  }
}

FileServer::FileServer(Source source) : source_(std::move(source)) {
  // Whatever proxy the machine has: not to here.
  ::setenv("no_proxy", "127.0.0.1", 1);  // NOLINT(concurrency-mt-unsafe)
  listener_ = listen_on_loopback(port_);
  accepting_ = std::thread([this] { accept_all(); });
}

FileServer::~FileServer() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : serving_) thread.join();
}

std::string FileServer::url(const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

std::vector<FileServer::Question> FileServer::questions() const {
  const std::lock_guard lock(mutex_);
  return questions_;
}

void FileServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    open_.insert(socket);
    serving_.emplace_back([this, socket] { serve(socket); });
  }
}

void FileServer::serve(int socket) {
  if (auto head = read_head(socket); !head.empty()) {
    const auto question = parse(std::move(head));
    {
      const std::lock_guard lock(mutex_);
      questions_.push_back(question);
    }
    source_(question, Wire(socket));
  }
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
  ::close(socket);
}

std::string url_of_nobody() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return fmt::format("http://127.0.0.1:{}/f.bin", port);
}

std::string answer(const std::string& status, const std::string& fields, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\n{}Connection: close\r\n\r\n{}", status, fields, body);
}

std::string file(std::string_view bytes) {
  return answer("200 OK", fmt::format("Content-Length: {}\r\n", bytes.size()), bytes);
}

std::string file_or_part(const FileServer::Question& question, std::string_view bytes) {
  if (!question.from) return file(bytes);
  const auto part = bytes.substr(*question.from);
  return answer("206 Partial Content",
                fmt::format("Content-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\n", part.size(), *question.from,
                            bytes.size() - 1, bytes.size()),
                part);
}

FileServer::Source good_source(std::string bytes) {
  return [bytes = std::move(bytes)](const FileServer::Question& question, const FileServer::Wire& wire) {
    wire.send(file_or_part(question, bytes));
  };
}

}  // namespace ota::gateways::testing
