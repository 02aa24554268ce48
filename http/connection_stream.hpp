// What httplib reads a request from and writes its answer to, over a Connection.
//
// httplib is given one fixed request line and no header fields: FrontDoor has read the head itself
// and fills in the rest. Of the answer the first write (the head) is held back until the second
// (the body) or flush(), so that a small answer leaves in one packet. Used by one handler thread.
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>
#include <utility>

#include "http/connection.hpp"

namespace ota::http {

class ConnectionStream final : public httplib::Stream {
 public:
  ConnectionStream(Connection& connection, Pace pace) : connection_(connection), watch_(pace) {}

  bool is_readable() const override { return !request_.empty(); }
  // Whether the peer still listens; for providers that send events for a long time.
  bool is_writable() const override;
  ssize_t read(char* out, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return connection_.descriptor(); }

  // Sends what is held back; false when the answer could not be sent whole.
  bool flush();
  bool failed() const { return failed_; }
  // From now on nothing is sent: whoever takes what is held sends it later.
  void hold_all() { holds_all_ = true; }
  bool holds_all() const { return holds_all_; }
  std::string take_held() { return std::move(held_); }

 private:
  Connection& connection_;
  PaceWatch watch_;
  std::string_view request_ = "GET / HTTP/1.1\r\n\r\n";
  std::string held_;
  bool holds_ = true;  // until the first byte has been sent
  bool holds_all_ = false;
  bool failed_ = false;
};

}  // namespace ota::http
