// One connection of the load generator: sends what it is given and finds the end of the answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace ota::bench {

class LoadConnection {
 public:
  // Connects to a port of 127.0.0.1. Throws std::system_error.
  explicit LoadConnection(int port);
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

  // Of the whole answer, until the next send().
  int status() const { return status_; }
  std::string_view body() const { return std::string_view(received_).substr(head_bytes_); }

  std::chrono::steady_clock::time_point sent_at;  // the generator's note
  bool timed = false;

 private:
  void send_some();
  void read_head();

  int descriptor_ = -1;
  std::string_view unsent_;
  std::string received_;
  std::size_t head_bytes_ = 0;  // 0: not whole yet
  std::size_t body_bytes_ = 0;
  int status_ = 0;
};

}  // namespace ota::bench
