// Requests and answers of the simulator's HTTP client. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ota::sim {

enum class Method { kGet, kPost, kPut };

// Status line and the headers that devices look at.
struct HttpHead {
  long status = 0;
  std::optional<std::int64_t> range_start;  // of Content-Range
  std::chrono::seconds retry_after{0};
};

struct HttpRequest {
  Method method = Method::kGet;
  std::string url;
  std::string body;                  // JSON, of POST and PUT
  std::int64_t resume_from = 0;      // > 0: Range: bytes=N-
  std::int64_t bytes_per_s_max = 0;  // > 0: throttled
  // When given, the body is streamed to it (a download) and not kept. Called from inside libcurl:
  // must not throw, nor send or cancel anything; false breaks the connection off.
  std::function<bool(const HttpHead&, std::string_view)> on_data;
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

// Reads the status of a status line, the start of "Content-Range: bytes N-..." and "Retry-After:
// seconds"; a status line starts the head anew (redirects, 100 Continue). Pure.
void read_header_line(std::string_view line, HttpHead& head);

}  // namespace ota::sim
