// What httplib reads a request from and writes its answer to, over a Connection.
//
// httplib is given one fixed request line and no header fields: FrontDoor has read the head itself
// and fills in the rest. Of the answer the first write (the head) is held back until the second
// (the body) or flush(), so that a small answer leaves in one packet.
//
// A peer that does not empty its socket costs no handler: what there is no room for is kept, and
// taken from here when the handler is done (take_rest). Only an answer that is made piece by piece,
// or that there is no place to keep, is waited for, if there is a place for that. Used by one
// handler thread.
#pragma once

#include <httplib.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/connection.hpp"
#include "http/places.hpp"

namespace ota::http {

// For peers that do not read.
struct AnswerPlaces {
  Places handlers;  // that may wait for one
  Places bytes;     // that may be kept for them
};

class ConnectionStream final : public httplib::Stream {
 public:
  ConnectionStream(Connection& connection, Pace pace, AnswerPlaces& places)
      : connection_(connection), watch_(pace), places_(places) {}

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
  // Whether it failed because too many peers do not read already.
  bool found_no_place() const { return found_no_place_; }

  // What is left to send, behind flush(): the bytes, and what they occupy.
  struct Rest {
    std::string bytes;
    std::shared_ptr<const void> place;
  };
  std::optional<Rest> take_rest();

 private:
  void send(std::string_view first, std::string_view second);
  void send_waiting(std::string_view first, std::string_view second);

  Connection& connection_;
  PaceWatch watch_;
  AnswerPlaces& places_;
  std::string_view request_ = "GET / HTTP/1.1\r\n\r\n";
  std::string held_;
  bool holds_ = true;  // until the first byte has been sent
  bool holds_all_ = false;
  std::optional<Rest> rest_;
  bool failed_ = false;
  bool found_no_place_ = false;
};

}  // namespace ota::http
