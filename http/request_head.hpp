// Reads the head of an HTTP/1 request: request line and header fields (RFC 9112), strictly. Pure.
//
// Strict, because two servers that read one head differently are how requests are smuggled past a
// proxy: bare LF, folded lines, spaces before a colon, Content-Length beside Transfer-Encoding, and
// any doubt about the body's length are refused. The views point into the text that was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ota::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view path;   // of the target, as sent (not decoded)
  std::string_view query;  // behind the '?', as sent
  std::vector<HeaderField> fields;
  std::size_t size = 0;  // bytes of the head with its empty line
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = false;
  bool is_http_1_0 = false;

  // The first field of that name, in any case; empty if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  // All fields of that name as the one list that they are (RFC 9110, 5.3), the items apart by commas; empty if there is none.
  std::string list(std::string_view name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// Why a head is refused: the status to answer and a sentence.
struct HeadError {
  int status = 400;
  std::string message;
};

// Where the head at the front of `bytes` ends (behind its empty line), looking from `from` on;
// empty: not yet.
std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t from = 0);

// host[:port]: a name, an IPv4 address, or an IPv6 address in brackets; or nothing.
bool is_host(std::string_view value);

// What is wrong with bytes that are no whole head yet, whatever follows: a target or a head that is
// too long already, a bare LF, another protocol (a TLS client on the wrong port would wait for its
// time-out, and so would we). `from`: the bytes before were looked at.
std::optional<HeadError> why_no_head(std::string_view bytes, std::size_t from = 0);

// Reads a whole head (bytes up to find_head_end) into `head`, whose memory is used again. Returns
// what is wrong.
std::optional<HeadError> parse_request_head(std::string_view bytes, RequestHead& head);

}  // namespace ota::http
