// Server-sent events out of the bytes of a stream, as they come: whole messages, however the bytes were cut. Pure.
//
// As an EventSource reads them: lines end in LF, CR LF or CR; comments are left out, and messages without data. What comes
// without an end is not kept for ever: a message has a limit.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ota::ctl {

struct EventMessage {
  std::string id;     // of this one, or the last one that had one
  std::string type;
  std::string data;   // lines with LF between them
};

class EventMessages {
 public:
  // Far beyond the largest event of a log.
  static constexpr std::size_t kMessageBytes = 64 * 1024 * 1024;

  // Hands on every message that is whole with these bytes. Throws Failure(kExitFailed) for one that is too long.
  void add(std::string_view bytes, const std::function<void(const EventMessage&)>& take);
  // The stream has broken off: what was begun is forgotten, and the next one begins anew.
  void begin_anew();

 private:
  void end_line(const std::function<void(const EventMessage&)>& take);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;
  bool after_cr_ = false;
  bool has_data_ = false;
  EventMessage message_;
};

}  // namespace ota::ctl
