// Feeds: the bytes that a client sends first, a request's head and whatever stands behind it.
//
// Claims: the head's end is the first empty line, wherever the bytes are cut. A head is refused
// with a status of its kind and a sentence, or everything that was read lies within it, keeps the
// grammar (so that no proxy can read it in another way: one length, one Host, no CR or LF inside of
// a value), does not depend on what the memory held before, and means the same when it is written
// down again.
#include <algorithm>
#include <array>
#include <string>

#include "http/limits.hpp"
#include "http/request_head.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;

namespace {

void check_end(std::string_view bytes, std::optional<std::size_t> end) {
  claim(!end || (*end >= 4 && *end <= bytes.size() && bytes.substr(*end - 4, 4) == "\r\n\r\n"),
        "the end is an empty line");
  claim(!end || bytes.find("\r\n\r\n") == *end - 4, "it is the first one");
  for (unsigned way = 1; way < kWays; ++way) {
    std::size_t arrived = 0;
    std::optional<std::size_t> found;
    for (const auto piece : cut(bytes, way)) {
      if (found) break;
      found = find_head_end(bytes.substr(0, arrived + piece.size()), arrived);
      arrived += piece.size();
    }
    claim(found == end, "the end is found wherever the bytes are cut");
  }
}

bool lies_in(std::string_view part, std::string_view whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool same(const RequestHead& a, const RequestHead& b) {
  return a.method == b.method && a.target == b.target && a.path == b.path && a.query == b.query &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const HeaderField& x, const HeaderField& y) {
                      return x.name == y.name && x.value == y.value;
                    }) &&
         a.content_length == b.content_length && a.chunked == b.chunked &&
         a.expects_continue == b.expects_continue && a.keep_alive == b.keep_alive &&
         a.is_http_1_0 == b.is_http_1_0;
}

std::size_t count(const RequestHead& head, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      head.fields.begin(), head.fields.end(),
      [&](const HeaderField& field) { return equals_ignoring_case(field.name, name); }));
}

void check_fields(const RequestHead& head, std::string_view text) {
  claim(head.fields.size() <= limits::kHeaderFields, "fields are bounded");
  for (const auto& [name, value] : head.fields) {
    claim(lies_in(name, text) && lies_in(value, text), "fields lie within the head");
    claim(!name.empty() && name.find_first_of(" \t\r\n:") == std::string_view::npos,
          "a name is a word");
    claim(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
          "a value is one line");
    claim(value == trim(value), "a value is trimmed");
    const auto first = head.header(name);
    claim(first && (first->data() <= value.data() || value.empty()),
          "a field is found by its name");
  }
}

void check_framing(const RequestHead& head) {
  claim(!(head.chunked && head.content_length), "there is one length");
  claim(!(head.chunked && head.is_http_1_0), "HTTP/1.0 knows no chunks");
  claim(head.chunked == (count(head, "Transfer-Encoding") == 1), "chunked is what was said");
  claim(head.content_length.has_value() == (count(head, "Content-Length") > 0),
        "a length is what was said");
  for (const auto& [name, value] : head.fields) {
    if (!equals_ignoring_case(name, "Content-Length")) continue;
    auto digits = value;
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    claim(digits == std::to_string(*head.content_length),
          "every Content-Length says the same number");
  }
  if (const auto host = head.header("Host")) {
    claim(host->find_first_of("/\\?#@%,; \t\"<>") == std::string_view::npos,
          "a link can be made of the Host");
  }
  claim(count(head, "Host") <= 1 && (head.is_http_1_0 || count(head, "Host") == 1),
        "there is one Host");
  claim(head.has_body() == (head.chunked || head.content_length.value_or(0) > 0),
        "a body has a length");
}

void check_target(const RequestHead& head, std::string_view text) {
  constexpr std::array<std::string_view, 7> kMethods{"GET",    "HEAD",    "POST", "PUT",
                                                     "DELETE", "OPTIONS", "PATCH"};
  claim(std::find(kMethods.begin(), kMethods.end(), head.method) != kMethods.end(),
        "the method is a known one");
  claim(lies_in(head.method, text) && lies_in(head.target, text) && lies_in(head.query, text),
        "the line lies within");
  claim(lies_in(head.path, head.target) || head.path == "/", "the path is of the target");
  claim(head.path.starts_with('/') || (head.path == "*" && head.method == "OPTIONS"),
        "a path begins with a slash");
  claim(!head.target.empty() && head.target.size() <= limits::kRequestTargetBytes,
        "the target is bounded");
  claim(!has_control_character(head.target) && head.target.find(' ') == std::string_view::npos,
        "the target is one word");
  claim(head.path.find('?') == std::string_view::npos, "a query is no part of the path");
}

std::string written(const RequestHead& head) {
  std::string text(head.method);
  text.append(" ").append(head.target).append(head.is_http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const auto& [name, value] : head.fields)
    text.append(name).append(": ").append(value).append("\r\n");
  return text + "\r\n";
}

void check_error(const HeadError& error) {
  constexpr std::array kStatuses{400, 414, 417, 431, 501, 505};
  claim(std::find(kStatuses.begin(), kStatuses.end(), error.status) != kStatuses.end(),
        "a refusal has its status");
  claim(!error.message.empty() && error.message.size() < 1024, "a refusal is a sentence");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto end = find_head_end(bytes);
  check_end(bytes, end);
  if (!end) return 0;

  const Guarded guarded(bytes.substr(0, *end));
  const auto text = guarded.view();
  RequestHead head;
  const auto error = parse_request_head(text, head);

  static RequestHead used;  // as a connection's, which has served others
  claim(parse_request_head(text, used).has_value() == error.has_value(),
        "what was there before does not count");
  if (error) {
    check_error(*error);
    return 0;
  }
  claim(same(head, used), "what was there before is gone");
  claim(head.size == text.size(), "the head has its size");
  check_target(head, text);
  check_fields(head, text);
  check_framing(head);

  const auto again_text = written(head);
  RequestHead again;
  claim(find_head_end(again_text) == again_text.size(), "what is written down is one head");
  claim(!parse_request_head(again_text, again) && same(head, again), "and means the same");
  return 0;
}
