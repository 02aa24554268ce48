// One try to fetch a file, from sources that are good, slow, broken, or that lie.
#include "gateways/fetch/http_fetch.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/gateways/file_server.hpp"

using namespace ota::gateways::fetch;
using namespace ota::gateways::testing;

namespace {

const std::string kDigits = "0123456789";
constexpr std::chrono::milliseconds kSoon{50};

struct Collected final : Receiver {
  explicit Collected(std::string held = "") : bytes(std::move(held)) {}
  void begin(std::uint64_t at) override {
    began = at;
    bytes.resize(at);
  }
  void take(std::string_view more) override { bytes += more; }
  bool is_over() const override { return false; }
  std::string bytes;
  std::optional<std::uint64_t> began;
};

struct Try {
  Ending ending;
  std::string bytes;
  std::optional<std::uint64_t> began;
};

Try try_url(const std::string& url, const std::string& held = "") {
  Patience patience;
  patience.stall = kSoon;
  patience.stall_bytes = 1;
  Collected collected(held);
  const auto ending = ask({url, held.size(), kDigits.size()}, patience, collected);
  return {ending, collected.bytes, collected.began};
}

// Of a source that answers everything with this.
Try try_answer(const std::string& said, const std::string& held = "") {
  const FileServer server([&](const auto&, const auto& wire) { wire.send(said); });
  return try_url(server.url(), held);
}

std::string part(const std::string& range, std::string_view bytes) {
  return answer("206 Partial Content", "Content-Range: " + range + "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n",
                bytes);
}

std::string in_chunks(const std::vector<std::string>& chunks) {
  std::string body;
  for (const auto& chunk : chunks) body += std::to_string(chunk.size()) + "\r\n" + chunk + "\r\n";
  return answer("200 OK", "Transfer-Encoding: chunked\r\n", body + "0\r\n\r\n");
}

std::string redirect(const std::string& to) { return answer("302 Found", "Location: " + to + "\r\nContent-Length: 0\r\n"); }

}  // namespace

TEST_CASE("a file is taken as it is") {
  const FileServer server(good_source(kDigits));
  const auto whole = try_url(server.url("/a/f.bin?token=1"));
  CHECK(whole.ending.end == End::kWhole);
  CHECK(whole.bytes == kDigits);
  CHECK(whole.began == 0);
  const auto asked = server.questions();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].path == "/a/f.bin?token=1");
  CHECK_FALSE(asked[0].from);
  CHECK(asked[0].head.find("Accept-Encoding: identity\r\n") != std::string::npos);
  CHECK(try_answer(in_chunks({"0123", "456789"})).bytes == kDigits);
  CHECK(try_answer(answer("200 OK", "", kDigits)).ending.end == End::kWhole);  // the end of the connection is its end
}

TEST_CASE("what is encoded is not decoded: the bytes of the answer are the file's") {
  const auto encoded = try_answer(answer("200 OK", "Content-Encoding: gzip\r\nContent-Length: 10\r\n", kDigits));
  CHECK(encoded.ending.end == End::kWhole);
  CHECK(encoded.bytes == kDigits);
}

TEST_CASE("who has a part asks for the rest") {
  const FileServer server(good_source(kDigits));
  const auto rest = try_url(server.url(), "0123");
  CHECK(rest.ending.end == End::kWhole);
  CHECK(rest.bytes == kDigits);
  CHECK(rest.began == 4);
  CHECK(server.questions()[0].from == 4);
}

TEST_CASE("a source that knows no ranges sends all of it once more") {
  const auto whole = try_answer(file(kDigits), "xxxx");
  CHECK(whole.ending.end == End::kWhole);
  CHECK(whole.began == 0);
  CHECK(whole.bytes == kDigits);
}

TEST_CASE("a part that was not asked for is not taken") {
  for (const auto& wrong : {part("bytes 3-9/10", "3456789"), part("bytes 4-10/11", "456789a"), part("words 4-9/10", "456789"),
                            answer("206 Partial Content", "Content-Length: 6\r\n", "456789"),
                            answer("416 Range Not Satisfiable", "Content-Length: 0\r\n")}) {
    CAPTURE(wrong);
    const auto got = try_answer(wrong, "0123");
    CHECK(got.ending.end == End::kStartAnew);
    CHECK(got.bytes == "0123");
  }
  CHECK(try_answer(part("bytes 0-9/10", kDigits)).ending.end == End::kStartAnew);
  CHECK(try_answer(part("bytes 4-9/*", "456789"), "0123").bytes == kDigits);
}

TEST_CASE("a file of another size is another file") {
  const auto longer = try_answer(file(kDigits + "a"));
  CHECK(longer.ending.end == End::kOther);
  CHECK(longer.ending.why == "a file of 11 bytes is there, 10 were announced");
  CHECK(longer.bytes.empty());
  CHECK(try_answer(file("012345678")).ending.why == "a file of 9 bytes is there, 10 were announced");
  CHECK(try_answer(file("")).ending.why == "a file of 0 bytes is there, 10 were announced");
  CHECK(try_answer(in_chunks({"0123"})).ending.why == "a file of 4 bytes is there, 10 were announced");
  CHECK(try_answer(file(kDigits + "a"), "0123").ending.end == End::kOther);
}

TEST_CASE("of a source that sends more than it should, not one byte too many is taken") {
  const auto endless = try_answer(in_chunks({"01234567", "89abcdef"}));
  CHECK(endless.ending.end == End::kOther);
  CHECK(endless.ending.why == "a file of more than 10 bytes is there");
  CHECK(endless.bytes.size() <= kDigits.size());
  CHECK(try_answer(answer("200 OK", "", kDigits + "a")).ending.end == End::kOther);
}

TEST_CASE("an answer that is cut off keeps what came") {
  // It announces ten bytes, sends four, and hangs up.
  const auto cut = try_answer(answer("200 OK", "Content-Length: 10\r\n", "0123"));
  CHECK(cut.ending.end == End::kAgain);
  CHECK(cut.bytes == "0123");
  const auto unknown = try_answer(answer("200 OK", "", "0123"));
  CHECK(unknown.ending.end == End::kAgain);
  CHECK(unknown.bytes == "0123");
  CHECK(try_answer(answer("200 OK", "Transfer-Encoding: chunked\r\n", "4\r\n0123\r\n")).ending.end == End::kAgain);
  CHECK(try_answer(part("bytes 4-9/10", "45"), "0123").bytes == "012345");
  CHECK(try_answer("").ending.end == End::kAgain);
  CHECK(try_answer("SSH-2.0-OpenSSH_9.2\r\n").ending.end == End::kRefused);
}

TEST_CASE("a source that stalls is given up, before its answer and in the middle of it") {
  for (const std::string said : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123"}) {
    CAPTURE(said);
    const FileServer server([&](const auto&, const auto& wire) {
      wire.send(said);
      wire.stall();
    });
    const auto stalled = try_url(server.url());
    CHECK(stalled.ending.end == End::kAgain);
    CHECK(stalled.ending.why.find("stalled") != std::string::npos);
    CHECK(stalled.bytes == (said.empty() ? "" : "0123"));
  }
}

TEST_CASE("a source that says no, and one that cannot now") {
  for (const char* status : {"400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone", "204 No Content",
                             "304 Not Modified"}) {
    CAPTURE(status);
    const auto refused = try_answer(answer(status, "Content-Length: 0\r\n"));
    CHECK(refused.ending.end == End::kRefused);
    CHECK(refused.ending.why == "the source answered HTTP " + std::string(status).substr(0, 3));
  }
  CHECK(try_answer(answer("404 Not Found", "Content-Length: 10\r\n", kDigits)).bytes.empty());
  for (const char* status : {"408 Request Timeout", "425 Too Early", "429 Too Many Requests", "500 Oops", "502 Bad Gateway"}) {
    CAPTURE(status);
    CHECK(try_answer(answer(status, "Content-Length: 0\r\n")).ending.end == End::kAgain);
  }
  const auto later = try_answer(answer("503 Unavailable", "Retry-After: 7\r\nContent-Length: 0\r\n"));
  CHECK(later.ending.end == End::kAgain);
  CHECK(later.ending.retry_after == std::chrono::seconds(7));
  CHECK(try_url(url_of_nobody()).ending.end == End::kAgain);
}

TEST_CASE("redirects are followed, five at most, to http and https alone") {
  const FileServer server([&](const auto& question, const auto& wire) {
    const int left = question.path[1] - '0';
    wire.send(left == 0 ? file_or_part(question, kDigits) : redirect("/" + std::to_string(left - 1)));
  });
  CHECK(try_url(server.url("/5")).bytes == kDigits);
  CHECK(try_url(server.url("/3"), "0123").bytes == kDigits);
  const auto too_many = try_url(server.url("/6"));
  CHECK(too_many.ending.end == End::kRefused);
  CHECK(too_many.ending.why == "the source redirects more than 5 times");
  const FileServer circle([&](const auto&, const auto& wire) { wire.send(redirect("/f.bin")); });
  CHECK(try_url(circle.url()).ending.end == End::kRefused);
  CHECK(circle.questions().size() == 6);
  for (const char* to : {"file:///etc/passwd", "ftp://127.0.0.1/f.bin", "gopher://127.0.0.1/", "http://ada:secret@127.0.0.1/f.bin"}) {
    CAPTURE(to);
    const auto led = try_answer(redirect(to));
    CHECK(led.ending.end == End::kRefused);
    CHECK(led.bytes.empty());
    CHECK(led.ending.why.find("secret") == std::string::npos);
  }
  CHECK(try_answer(answer("302 Found", "Content-Length: 0\r\n")).ending.end == End::kRefused);
}

TEST_CASE("a head without an end is not read to its end") {
  const FileServer server([&](const auto&, const auto& wire) {
    wire.send("HTTP/1.1 200 OK\r\n");
    for (std::size_t sent = 0; sent < 2 * limits::kHeadBytes; sent += 1'000) {
      wire.send("X-More: " + std::string(990, 'x') + "\r\n");
    }
    wire.stall();
  });
  const auto refused = try_url(server.url());
  CHECK(refused.ending.end == End::kRefused);
  CHECK(refused.ending.why.find("head") != std::string::npos);
}

TEST_CASE("an answer that nobody wants any more ends, however silent its source is") {
  struct Tired final : Receiver {
    void begin(std::uint64_t) override {}
    void take(std::string_view) override { over = true; }
    bool is_over() const override { return over; }
    bool over = false;
  };
  const FileServer server([&](const auto&, const auto& wire) {
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    wire.stall();
  });
  Tired tired;
  CHECK(ask({server.url(), 0, kDigits.size()}, {}, tired).end == End::kOver);
  CHECK(tired.over);
}

TEST_CASE("what a receiver throws comes out") {
  struct Full final : Receiver {
    void begin(std::uint64_t) override {}
    void take(std::string_view) override { throw std::runtime_error("disk full"); }
    bool is_over() const override { return false; }
  };
  const FileServer server(good_source(kDigits));
  Full full;
  CHECK_THROWS_WITH(ask({server.url(), 0, kDigits.size()}, {}, full), "disk full");
}
