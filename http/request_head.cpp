#include "http/request_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"GET",    "HEAD",    "POST", "PUT",
                                                   "DELETE", "OPTIONS", "PATCH"};

// The characters of a token (RFC 9110 section 5.6.2).
constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

constexpr std::string_view kHostCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

bool holds_only(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

HeadError error(int status, std::string message) { return {status, std::move(message)}; }

std::optional<HeadError> read_version(std::string_view version, RequestHead& head) {
  if (version == "HTTP/1.1") return std::nullopt;
  if (version == "HTTP/1.0") {
    head.is_http_1_0 = true;
    return std::nullopt;
  }
  if (version.starts_with("HTTP/")) {
    return error(505,
                 fmt::format("Only HTTP/1.1 and HTTP/1.0 are spoken here, not {}", shown(version)));
  }
  return error(400, "The request line does not end in HTTP/1.1");
}

}  // namespace

// Links are made of it, so that nothing else may be in it.
bool is_host(std::string_view value) {
  if (value.size() > limits::kHostBytes) return false;
  std::string_view host = value;
  std::string_view rest;
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == std::string_view::npos) return false;
    rest = host.substr(bracket + 1);
    host = host.substr(1, bracket - 1);
    if (!holds_only(host, "0123456789abcdefABCDEF:.") || host.empty()) return false;
  } else {
    rest = host.substr(std::min(host.size(), host.find(':')));
    host = host.substr(0, host.find(':'));
    if (!holds_only(host, kHostCharacters) || (host.empty() && !rest.empty())) return false;
  }
  if (rest.empty()) return true;
  return rest.starts_with(':') && rest.size() <= 6 && holds_only(rest.substr(1), "0123456789");
}

namespace {

// Takes scheme and host off an absolute target; false if it does not begin with both.
bool drop_origin(std::string_view& target) {
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return false;
  target.remove_prefix(scheme_end + 3);
  const std::string_view host = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(host.size());
  return !host.empty() && is_host(host);
}

// Splits the target into path and query; the scheme and host of an absolute target are dropped, a
// fragment too. A path begins with a slash: whoever guards paths in front of us looks for that, and
// must not be passed by without it.
std::optional<HeadError> split_target(RequestHead& head) {
  std::string_view rest = head.target.substr(0, head.target.find('#'));
  const bool is_server = rest == "*" && head.method == "OPTIONS";
  if (!rest.starts_with('/') && !is_server && !drop_origin(rest)) {
    return error(400, fmt::format("The request's target is neither a path nor a URL: '{}'",
                                  shown(head.target)));
  }
  const auto question = rest.find('?');
  head.path = rest.substr(0, question);
  if (question != std::string_view::npos) head.query = rest.substr(question + 1);
  if (head.path.empty()) head.path = "/";
  return std::nullopt;
}

std::optional<HeadError> read_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return error(400, "The request line is not 'METHOD target HTTP/1.1'");
  }
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  if (!is_token(head.method)) return error(400, "The request's method is not a word");
  if (std::find(kMethods.begin(), kMethods.end(), head.method) == kMethods.end()) {
    return error(501, fmt::format("Method {} is not known here", shown(head.method)));
  }
  if (head.target.size() > limits::kRequestTargetBytes) {
    return error(414, fmt::format("The request's target has {} bytes, more than {}",
                                  head.target.size(), limits::kRequestTargetBytes));
  }
  if (head.target.empty() || head.target.find(' ') != std::string_view::npos ||
      has_control_character(head.target)) {
    return error(400, "The request's target holds a space or a control character");
  }
  if (auto failure = split_target(head)) return failure;
  return read_version(line.substr(last + 1), head);
}

std::optional<HeadError> read_content_length(std::string_view value, RequestHead& head) {
  std::uint64_t length = 0;
  const auto [stop, failure] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (failure != std::errc() || stop != value.data() + value.size() || value.empty() ||
      (head.content_length && *head.content_length != length)) {
    return error(400, fmt::format("Content-Length is not one number: '{}'", shown(value)));
  }
  head.content_length = length;
  return std::nullopt;
}

void read_connection(std::string_view value, bool& close, bool& keep_alive) {
  for_each_item(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) close = true;
    if (equals_ignoring_case(option, "keep-alive")) keep_alive = true;
  });
}

// What the fields say about the message itself: its length, the connection, what the sender waits
// for.
std::optional<HeadError> read_framing(RequestHead& head) {
  bool close = false;
  bool keep_alive = false;
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.fields) {
    if (equals_ignoring_case(name, "Content-Length")) {
      if (auto failure = read_content_length(value, head)) return failure;
    } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
      if (head.chunked || !equals_ignoring_case(value, "chunked")) {
        return error(501, fmt::format("Transfer-Encoding '{}' is not supported", shown(value)));
      }
      head.chunked = true;
    } else if (equals_ignoring_case(name, "Connection")) {
      read_connection(value, close, keep_alive);
    } else if (equals_ignoring_case(name, "Expect")) {
      if (!equals_ignoring_case(value, "100-continue")) {
        return error(417, fmt::format("Expect '{}' cannot be met", shown(value)));
      }
      head.expects_continue = true;
    } else if (equals_ignoring_case(name, "Host")) {
      if (!is_host(value)) {
        return error(400, fmt::format("Host is not a name or address with an optional port: '{}'",
                                      shown(value)));
      }
      ++hosts;
    }
  }
  if (head.chunked && (head.content_length || head.is_http_1_0)) {
    return error(400, "Transfer-Encoding stands beside Content-Length or in HTTP/1.0");
  }
  if (hosts > 1 || (hosts == 0 && !head.is_http_1_0)) {
    return error(400, fmt::format("The request has {} Host fields, not one", hosts));
  }
  if (head.is_http_1_0) head.expects_continue = false;
  head.keep_alive = !close && (keep_alive || !head.is_http_1_0);
  return std::nullopt;
}

std::optional<HeadError> read_field(std::string_view line, RequestHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return error(400, fmt::format("A header line is not 'Name: value': '{}'", shown(line)));
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_text(value)) {
    return error(400, fmt::format("Header {} holds a control character", shown(name)));
  }
  if (head.fields.size() == limits::kHeaderFields) {
    return error(431,
                 fmt::format("The request has more than {} header fields", limits::kHeaderFields));
  }
  head.fields.push_back({name, value});
  return std::nullopt;
}

void clear(RequestHead& head) {
  auto fields = std::move(head.fields);
  fields.clear();
  head = RequestHead();
  head.fields = std::move(fields);
}

}  // namespace

std::optional<std::string_view> RequestHead::header(std::string_view name) const {
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string RequestHead::list(std::string_view name) const {
  std::string items;
  for (const auto& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    if (!items.empty()) items += ", ";
    items += field.value;
  }
  return items;
}

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t from) {
  constexpr std::string_view kEmptyLine = "\r\n\r\n";
  const std::size_t back = std::min(from, kEmptyLine.size() - 1);
  const auto at = bytes.find(kEmptyLine, from - back);
  if (at == std::string_view::npos) return std::nullopt;
  return at + kEmptyLine.size();
}

std::optional<HeadError> why_no_head(std::string_view bytes, std::size_t from) {
  if (!bytes.empty() && !kToken[static_cast<unsigned char>(bytes.front())] && bytes.front() != '\r') {
    return error(400, "What was sent does not begin as HTTP does");
  }
  for (auto at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return error(400, "A line does not end in CR LF");
  }
  const auto line = bytes.substr(0, bytes.find("\r\n"));
  if (line.size() > limits::kRequestLineBytes) {
    return error(414, fmt::format("The request's line has more than {} bytes", limits::kRequestLineBytes));
  }
  if (bytes.size() > limits::kRequestHeadBytes) {
    return error(431, fmt::format("The request's head is larger than {} bytes", limits::kRequestHeadBytes));
  }
  return std::nullopt;
}

std::optional<HeadError> parse_request_head(std::string_view bytes, RequestHead& head) {
  clear(head);
  head.size = bytes.size();
  bytes.remove_suffix(2);  // the empty line; every line left ends in CR LF
  for (bool first = true; !bytes.empty(); first = false) {
    const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
    bytes.remove_prefix(line.size() + 2);
    if (auto failure = first ? read_request_line(line, head) : read_field(line, head))
      return failure;
  }
  return read_framing(head);
}

}  // namespace ota::http
