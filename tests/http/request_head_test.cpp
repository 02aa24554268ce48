#include "http/request_head.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ota::http;

namespace {

const std::string kHost = "Host: h\r\n";

// The head of the request line and lines given, which must be good.
struct Good {
  explicit Good(std::string its_text) : text(std::move(its_text)) {
    REQUIRE(find_head_end(text) == text.size());
    const auto error = parse_request_head(text, head);
    REQUIRE_MESSAGE(!error, error->message);
  }
  std::string text;
  RequestHead head;
};

Good get(const std::string& target, const std::string& lines = "") {
  return Good("GET " + target + " HTTP/1.1\r\n" + kHost + lines + "\r\n");
}

int refused(const std::string& text) {
  RequestHead head;
  const auto error = parse_request_head(text, head);
  return error ? error->status : 0;
}

int refused_with(const std::string& lines) {
  return refused("POST / HTTP/1.1\r\n" + kHost + lines + "\r\n");
}

}  // namespace

TEST_CASE("a head is cut into its parts") {
  const Good good(
      "POST /a%20b/c?x=1&y=?2 HTTP/1.1\r\nHost: h\r\nX-One:  two words "
      "\t\r\nEmpty:\r\nContent-Length: 12\r\n\r\n");
  CHECK(good.head.method == "POST");
  CHECK(good.head.target == "/a%20b/c?x=1&y=?2");
  CHECK(good.head.path == "/a%20b/c");
  CHECK(good.head.query == "x=1&y=?2");
  CHECK(good.head.header("x-one") == "two words");
  CHECK(good.head.list("X-ONE") == "two words");
  CHECK(good.head.list("absent") == "");
  CHECK(good.head.header("EMPTY") == "");
  CHECK_FALSE(good.head.header("absent"));
  CHECK(good.head.content_length == 12);
  CHECK(good.head.has_body());
  CHECK(good.head.keep_alive);
  CHECK(good.head.size == good.text.size());
}

TEST_CASE("targets in their other forms") {
  CHECK(get("http://other:80/path?q").head.path == "/path");
  CHECK(get("http://other?q").head.path == "/");
  CHECK(get("http://other?q").head.query == "q");
  CHECK(get("/path#fragment").head.path == "/path");
  CHECK(get("/x?u=http://y/").head.path == "/x");
  CHECK(get("HTTPS://[::1]:80/path").head.path == "/path");
  CHECK(Good("OPTIONS * HTTP/1.1\r\n" + kHost + "\r\n").head.path == "*");
}

TEST_CASE("a target that is neither a path nor a URL is refused, whatever is behind it") {
  for (const char* target : {"health", "*", "?q", "#f", "h:80", "://h/health", "ftp://h/health",
                             "http:///health", "http://a@h/health", "http://", "x/http://h/health"}) {
    CAPTURE(target);
    CHECK(refused("GET " + std::string(target) + " HTTP/1.1\r\n" + kHost + "\r\n") == 400);
  }
}

TEST_CASE("what is said about the connection and the body") {
  CHECK_FALSE(get("/", "Connection: close\r\n").head.keep_alive);
  CHECK_FALSE(get("/", "Connection: Keep-Alive, CLOSE\r\n").head.keep_alive);
  CHECK(get("/", "Expect: 100-Continue\r\n").head.expects_continue);
  CHECK(get("/", "Transfer-Encoding: Chunked\r\n").head.chunked);
  CHECK(get("/", "Content-Length: 5\r\nContent-Length: 5\r\n").head.content_length == 5);
  CHECK_FALSE(get("/", "Content-Length: 0\r\n").head.has_body());
  CHECK_FALSE(Good("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  CHECK(Good("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head.keep_alive);
}

TEST_CASE("heads that could be read in two ways are refused") {
  CHECK(refused_with("Content-Length: 5\r\nContent-Length: 6\r\n") == 400);
  CHECK(refused_with("Content-Length: 5, 5\r\n") == 400);
  CHECK(refused_with("Content-Length: +5\r\n") == 400);
  CHECK(refused_with("Content-Length: -5\r\n") == 400);
  CHECK(refused_with("Content-Length:\r\n") == 400);
  CHECK(refused_with("Content-Length: 99999999999999999999\r\n") == 400);
  CHECK(refused_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") == 400);
  CHECK(refused_with("Transfer-Encoding: gzip, chunked\r\n") == 501);
  CHECK(refused_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 501);
  CHECK(refused_with("X : y\r\n") == 400);
  CHECK(refused_with(" folded: y\r\n") == 400);
  CHECK(refused_with("X: a\r\n b\r\n") == 400);
  CHECK(refused_with("no colon\r\n") == 400);
  CHECK(refused_with("X: a\nY: b\r\n") == 400);
  CHECK(refused_with("X: a\rb\r\n") == 400);
  CHECK(refused_with(std::string("X: a\0b\r\n", 8)) == 400);
  CHECK(refused_with(": y\r\n") == 400);
  CHECK(refused_with("Host: second\r\n") == 400);
  CHECK(refused_with("Expect: miracles\r\n") == 417);
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("a Host is a name or an address with an optional port, and nothing else") {
  const auto with_host = [](const std::string& host) {
    return refused("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  for (const char* good : {"h", "ota.example", "ota_service-1:8216", "127.0.0.1:80", "[::1]:8216",
                           "[2001:db8::1]", "h:", ""}) {
    CAPTURE(good);
    CHECK(with_host(good) == 0);
  }
  for (const char* bad : {"a\"b", "a b", "a/b", "a@b", "a<b", "a,b", "a:b", "a:1:2", "a:123456",
                          ":80", "[::1", "[]", "[::1]x", "z\xC3\xBCri", "a\\b"}) {
    CAPTURE(bad);
    CHECK(with_host(bad) == 400);
  }
  CHECK(with_host(std::string(300, 'a')) == 400);
}

TEST_CASE("request lines that are none are refused") {
  for (const char* line :
       {"GET", "GET /", "GET / ", " / HTTP/1.1", "GET  / HTTP/1.1", "GET /a b HTTP/1.1",
        "G@T / HTTP/1.1", "GET / http/1.1", "GET /\x01 HTTP/1.1", "GET / HTTP/1.1 "}) {
    CAPTURE(line);
    CHECK(refused(std::string(line) + "\r\n" + kHost + "\r\n") == 400);
  }
  CHECK(refused("BREW / HTTP/1.1\r\n" + kHost + "\r\n") == 501);
  CHECK(refused("GET / HTTP/2.0\r\n" + kHost + "\r\n") == 505);
  CHECK(refused("GET /" + std::string(8192, 'x') + " HTTP/1.1\r\n" + kHost + "\r\n") == 414);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X: y\r\n";
  CHECK(refused_with(many) == 431);
}

TEST_CASE("the end of a head is found wherever the search was left off") {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nbody\r\n\r\n";
  for (std::size_t from = 0; from < 27; ++from) CHECK(find_head_end(text, from) == 27);
  for (std::size_t size = 0; size < 27; ++size) CHECK_FALSE(find_head_end(text.substr(0, size)));
}

TEST_CASE("what cannot become a head is refused before its end") {
  const auto status = [](const std::string& bytes, std::size_t from = 0) {
    const auto error = why_no_head(bytes, from);
    return error ? error->status : 0;
  };
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(status(text.substr(0, size)) == 0);
    CHECK(status(text.substr(0, size), size / 2) == 0);
  }
  CHECK(status("\r") == 0);  // the first of an empty line's two
  CHECK(status("\x16\x03\x01") == 400);
  CHECK(status(std::string(1, '\0')) == 400);
  CHECK(status("GET / HTTP/1.1\n") == 400);
  CHECK(status("GET / HTTP/1.1\r\nX: y\n", 20) == 400);
  CHECK(status("\n") == 400);
  CHECK(status("GET /" + std::string(8'192, 'x')) == 0);
  CHECK(status("GET /" + std::string(9'000, 'x')) == 414);
  CHECK(status("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: h\r\n") == 414);
  CHECK(status("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'x')) == 431);
}

TEST_CASE("no bytes break the parser") {
  std::mt19937 random(5);
  const std::string seed =
      "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\nExpect: "
      "100-continue\r\n\r\n";
  RequestHead head;
  for (int round = 0; round < 50'000; ++round) {
    std::string text = seed;
    for (int i = 0; i < 3; ++i) text[random() % (text.size() - 4)] = static_cast<char>(random());
    const auto end = find_head_end(text);
    REQUIRE(end);
    const auto error = parse_request_head(std::string_view(text).substr(0, *end), head);
    if (error) REQUIRE(error->status >= 400);
  }
}
