// tools/otasim: the small parts of a transfer: digests, header lines, what answers mean, back-off.
#include <doctest/doctest.h>

#include "tools/otasim/answer_class.hpp"
#include "tools/otasim/backoff.hpp"
#include "tools/otasim/digest.hpp"
#include "tools/otasim/net/http_message.hpp"

using namespace ota::sim;
using namespace std::chrono_literals;

TEST_CASE("both hashes of a stream are those of the whole, however it was cut") {
  StreamingDigest digest;
  digest.update("a");
  digest.update("");
  digest.update("bc");
  CHECK(digest.bytes() == 3);
  CHECK(digest.hashes().sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(digest.hashes().sha256 ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a copy of a digest goes on by itself, as the flash after a power cut") {
  StreamingDigest ram;
  ram.update("ab");
  const StreamingDigest flash = ram;
  ram.update("lost");
  StreamingDigest resumed = flash;
  resumed.update("c");
  CHECK(flash.bytes() == 2);
  CHECK(resumed.hashes().sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("status, range start and retry-after are read from header lines") {
  HttpHead head;
  read_header_line("HTTP/1.1 206 Partial Content\r\n", head);
  read_header_line("content-RANGE: bytes 4194304-8388607/8388608\r\n", head);
  read_header_line("Retry-After:  7\r\n", head);
  read_header_line("\r\n", head);
  CHECK(head.status == 206);
  CHECK(head.range_start == 4194304);
  CHECK(head.retry_after == 7s);
}

TEST_CASE("a new status line forgets the headers of the answer before it") {
  HttpHead head;
  read_header_line("HTTP/1.1 302 Found\r\n", head);
  read_header_line("Content-Range: bytes 5-9/10\r\n", head);
  read_header_line("HTTP/1.1 200 OK\r\n", head);
  CHECK(head.status == 200);
  CHECK_FALSE(head.range_start);
}

TEST_CASE("headers that mean nothing to us change nothing") {
  HttpHead head;
  head.status = 416;
  for (const char* line : {"Content-Range: bytes */100\r\n", "Retry-After: Wed, 21 Oct\r\n",
                           "X-Content-Range: bytes 3-4/5\r\n", "garbage\r\n", ":\r\n"})
    read_header_line(line, head);
  CHECK(head.status == 416);
  CHECK_FALSE(head.range_start);
  CHECK(head.retry_after == 0s);
}

TEST_CASE("only a complete 200 acknowledges") {
  const auto meaning = [](bool complete, long status) {
    HttpAnswer answer;
    answer.complete = complete;
    answer.head.status = status;
    return classify(answer, style_of(ClientKind::kRauc));
  };
  CHECK(meaning(true, 200) == AnswerClass::kOk);
  CHECK(meaning(false, 200) == AnswerClass::kLater);  // headers came, the rest did not
  CHECK(meaning(false, 0) == AnswerClass::kLater);
  CHECK(meaning(false, 410) == AnswerClass::kLater);
  CHECK(meaning(true, 410) == AnswerClass::kGone);
  CHECK(meaning(true, 404) == AnswerClass::kGone);
  CHECK(meaning(true, 503) == AnswerClass::kLater);
  CHECK(meaning(true, 429) == AnswerClass::kLater);
  CHECK(meaning(true, 401) == AnswerClass::kLater);
  CHECK(meaning(true, 400) == AnswerClass::kRejected);
  CHECK(meaning(true, 204) == AnswerClass::kRejected);  // two of three real clients take 200 only
}

TEST_CASE("back-off doubles up to its limit and spreads over the upper half") {
  CHECK(backoff(1, 0) == kBackoffFirst / 2);
  CHECK(backoff(1, 0.999) <= kBackoffFirst);
  CHECK(backoff(2, 0) == kBackoffFirst);
  CHECK(backoff(3, 0) == 2 * kBackoffFirst);
  CHECK(backoff(1'000'000, 0) == kBackoffMax / 2);
  CHECK(backoff(1'000'000, 0.999) <= kBackoffMax);
  CHECK(backoff(6, 0, kConnectBackoffMax) == 16 * kBackoffFirst);
  CHECK(backoff(1'000'000, 0, kConnectBackoffMax) == kConnectBackoffMax / 2);
}
