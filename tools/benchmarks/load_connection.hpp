// One connection of the load generator: sends what it is given and finds the end of the answer.
//
// Of a body it keeps only so much, and counts the rest: a download is no reason to move bytes about
// that nobody looks at.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ota::bench {

struct ConnectionOptions {
  // How much of a body is kept.
  std::size_t kept_body_bytes = SIZE_MAX;
  // The address that it connects from is 127.0.0.x: each has ephemeral ports of its own.
  std::uint8_t from = 1;
  // Of the socket, as the kernel understands it; 0: as it is.
  int receive_buffer_bytes = 0;
  // How much is read at a time.
  std::size_t read_bytes = SIZE_MAX;
};

class LoadConnection {
 public:
  // Connects to a port of 127.0.0.1. Throws std::system_error.
  explicit LoadConnection(int port, const ConnectionOptions& options = {});
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  int descriptor() const { return descriptor_; }

  // Sends a request; what does not fit the socket's buffer follows with go_on(). No answer may be
  // outstanding.
  void send(std::string_view request);
  // Sends and reads what the socket allows. True: the answer is whole. Throws std::runtime_error if
  // the connection broke, or if the answer is no HTTP with a Content-Length.
  bool go_on();
  bool wants_to_send() const { return !unsent_.empty(); }
  // As send() and go_on(), waiting for the answer: for at most 30 s, then a std::runtime_error.
  void ask(std::string_view request);

  // Of the answer, once its head is here, until the next send(); 0 before.
  int status() const { return status_; }
  // What is kept of it.
  std::string_view body() const { return std::string_view(received_).substr(head_bytes_); }
  // Of the answer's body, so far.
  std::size_t body_bytes_read() const { return body_read_; }

  std::chrono::steady_clock::time_point sent_at;  // the generator's note
  bool timed = false;

 private:
  void send_some();
  void read_head();
  void take(std::string_view bytes);

  int descriptor_ = -1;
  const std::size_t kept_body_bytes_;
  const std::size_t read_bytes_;
  std::string_view unsent_;
  std::string received_;        // the head, and what is kept of the body
  std::size_t head_bytes_ = 0;  // 0: not whole yet
  std::size_t body_bytes_ = 0;
  std::size_t body_read_ = 0;
  int status_ = 0;
};

}  // namespace ota::bench
