// A request as it goes over the wire. Pure.
#pragma once

#include <string>

#include "tools/otasim/net/http_message.hpp"
#include "tools/otasim/net/url.hpp"

namespace ota::sim {

// What a client says of itself: whole header lines, each with its CRLF.
struct CallerFields {
  std::string call;           // with every request for JSON
  std::string body;           // and with a body
  std::string artifact;       // with every request for bytes
  std::string authorization;  // to the server itself, of all these requests
};

struct RequestText {
  std::string bytes;
  std::size_t head_size = 0;  // the body follows
};

// `trusted`: the origin may see the credentials.
RequestText request_text(const HttpRequest& request, const Url& url, const CallerFields& fields,
                         bool trusted);

}  // namespace ota::sim
