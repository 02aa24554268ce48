// Requests and answers of the simulator's HTTP client. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ota::sim {

// Whoever asks: a device, by its number in the client (HttpClient::add_caller).
using CallerId = std::uint32_t;

enum class Method { kGet, kHead, kPost, kPut };

// Status line and the headers that a client looks at.
struct HttpHead {
  long status = 0;
  std::optional<std::int64_t> range_start;  // of Content-Range
  std::chrono::seconds retry_after{0};
  std::string location;
  std::optional<std::int64_t> length;  // of the body
  bool chunked = false;
  bool closes = false;     // the connection, behind this answer
  bool malformed = false;  // nobody can tell where the answer ends
};

// What became of a piece of a body.
enum class Taken {
  kAll,
  kNotWanted,  // the connection is broken off
  kPowerLost,  // there is nobody any more: the connection is half open
};

struct HttpRequest {
  CallerId caller = 0;
  Method method = Method::kGet;
  std::string url;
  std::string body;                  // JSON, of POST and PUT
  bool expects_continue = false;     // sends the body when it is asked to, or after a second
  bool is_artifact = false;          // asks for bytes, not for JSON
  std::int64_t resume_from = 0;      // > 0: Range: bytes=N-
  std::int64_t bytes_per_s_max = 0;  // > 0: throttled
  // When given, the body is streamed to it (a download) and not kept. Called while the connection
  // is read: must not throw, nor send or cancel anything.
  std::function<Taken(const HttpHead&, std::string_view)> on_data;
};

struct HttpAnswer {
  bool complete = false;  // the whole answer arrived
  HttpHead head;          // status 0: none arrived
  std::string body;
  std::string error;                     // why it is not complete
  std::chrono::microseconds elapsed{0};  // without the time in our own queue

  bool ok() const { return complete && head.status == 200; }
};

using OnAnswer = std::function<void(HttpAnswer)>;

// Reads one line of a head. A status line starts the head anew (100 Continue); unknown fields are
// passed over. Pure.
void read_header_line(std::string_view line, HttpHead& head);

}  // namespace ota::sim
