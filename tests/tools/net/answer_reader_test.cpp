// tools/otasim/net/answer_reader: head, body and end of an answer, however its bytes arrive.
#include "tools/otasim/net/answer_reader.hpp"

#include <doctest/doctest.h>

using namespace ota::sim;

namespace {

struct Read {
  std::string body;
  std::size_t taken = 0;
};

// Feeds the bytes in pieces of this size.
Read feed(AnswerReader& reader, std::string_view bytes, std::size_t piece) {
  Read read;
  while (!bytes.empty() && !reader.complete() && !reader.broken()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (!part.empty() && !reader.complete() && !reader.broken()) {
      const auto step = reader.next(part);
      REQUIRE(step.taken > 0);
      read.body += step.body;
      read.taken += step.taken;
      part.remove_prefix(step.taken);
    }
  }
  return read;
}

}  // namespace

TEST_CASE("an answer with a length ends behind its last byte, in pieces of any size") {
  const std::string_view answer =
      "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\ncontent-RANGE: bytes 7-11/12\r\n\r\n"
      "helloHTTP/1.1 200 OK\r\n";
  for (std::size_t piece = 1; piece < answer.size(); ++piece) {
    AnswerReader reader;
    const Read read = feed(reader, answer, piece);
    CHECK(reader.complete());
    CHECK(read.body == "hello");
    CHECK(read.taken == answer.size() - 17);
    CHECK(reader.head().status == 206);
    CHECK(reader.head().range_start == 7);
  }
}

TEST_CASE("chunks are put together, and their extensions and trailers passed over") {
  const std::string_view answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;x=y\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece < answer.size(); ++piece) {
    AnswerReader reader;
    CHECK(feed(reader, answer, piece).body == "hello 0123456789");
    CHECK(reader.complete());
    CHECK_FALSE(reader.head().closes);
  }
}

TEST_CASE("a body of no stated length ends with the connection, and only there") {
  AnswerReader reader;
  CHECK(feed(reader, "HTTP/1.1 200 OK\r\n\r\nall of it", 4).body == "all of it");
  CHECK_FALSE(reader.complete());
  reader.peer_closed();
  CHECK(reader.complete());
  CHECK(reader.head().closes);
}

TEST_CASE("an answer that breaks off is not complete") {
  for (const char* cut : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"}) {
    AnswerReader reader;
    feed(reader, cut, 100);
    reader.peer_closed();
    CHECK_FALSE(reader.complete());
    CHECK(reader.began());
  }
}

TEST_CASE("interim answers are passed over; 100 lets the body follow") {
  AnswerReader reader;
  const Read read = feed(reader,
                         "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                         3);
  CHECK(reader.may_continue());
  CHECK(reader.head().status == 200);
  CHECK(read.body == "ok");
}

TEST_CASE("no body follows a HEAD, 204 and 304, whatever their length says") {
  AnswerReader head{true};
  feed(head, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 100);
  CHECK(head.complete());
  CHECK(head.head().length == 1000);
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    AnswerReader reader;
    feed(reader, std::string("HTTP/1.1 ") + status + "\r\n\r\n", 100);
    CHECK(reader.complete());
  }
}

TEST_CASE("whether the connection stays open is what the answer says of it") {
  const auto closes = [](const char* head) {
    AnswerReader reader;
    feed(reader, std::string(head) + "Content-Length: 0\r\n\r\n", 100);
    return reader.head().closes;
  };
  CHECK_FALSE(closes("HTTP/1.1 200 OK\r\n"));
  CHECK(closes("HTTP/1.1 200 OK\r\nConnection: close\r\n"));
  CHECK(closes("HTTP/1.0 200 OK\r\n"));
}

TEST_CASE("an answer whose end nobody can tell is broken, not guessed") {
  for (const char* bytes : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    AnswerReader reader;
    feed(reader, bytes, 7);
    CHECK_MESSAGE(reader.broken(), bytes);
  }
}

TEST_CASE("a head without end is given up, not gathered for ever") {
  AnswerReader reader;
  feed(reader, "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 4096);
  CHECK(reader.broken());
}
