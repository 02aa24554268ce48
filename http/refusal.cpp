#include "http/refusal.hpp"

#include <fmt/format.h>

#include "http/problem.hpp"
#include "http/request_id.hpp"

namespace ota::http {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Bad Request";
  }
}

}  // namespace

std::string refusal(int status, std::string_view message) {
  Problem problem = status == 503 ? Problem::unavailable(std::string(message), 1)
                                  : Problem::bad_request(std::string(message));
  problem.status = status;
  const std::string id = new_request_id();
  const std::string body = problem.to_json(id);
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}"
      "X-Request-Id: {}\r\nConnection: close\r\n\r\n{}",
      status, reason_phrase(status), body.size(), status == 503 ? "Retry-After: 1\r\n" : "", id,
      body);
}

}  // namespace ota::http
