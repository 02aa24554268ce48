#include "tools/otasim/net/request_text.hpp"

#include <fmt/format.h>

namespace ota::sim {
namespace {

std::string_view word(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET ";
    case Method::kHead:
      return "HEAD ";
    case Method::kPost:
      return "POST ";
    case Method::kPut:
      return "PUT ";
  }
  return "";
}

}  // namespace

RequestText request_text(const HttpRequest& request, const Url& url, const CallerFields& fields,
                         bool trusted) {
  const bool has_body = request.method == Method::kPost || request.method == Method::kPut;
  RequestText text;
  std::string& bytes = text.bytes;
  bytes.reserve(256 + url.target.size() + request.body.size());
  bytes.append(word(request.method)).append(url.target).append(" HTTP/1.1\r\nHost: ");
  bytes.append(host_field(url.origin)).append("\r\n");
  bytes.append(request.is_artifact ? fields.artifact : fields.call);
  if (trusted) bytes.append(fields.authorization);
  if (request.resume_from > 0)
    bytes.append("Range: bytes=")
        .append(fmt::format_int(request.resume_from).c_str())
        .append("-\r\n");
  if (has_body) {
    bytes.append(fields.body).append("Content-Length: ");
    bytes.append(fmt::format_int(request.body.size()).c_str()).append("\r\n");
    if (request.expects_continue) bytes.append("Expect: 100-continue\r\n");
  }
  bytes.append("\r\n");
  text.head_size = bytes.size();
  if (has_body) bytes.append(request.body);
  return text;
}

}  // namespace ota::sim
