#include "http/chunked.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "http/connection_body.hpp"

using namespace ota::http;
using State = ChunkScan::State;

namespace {

constexpr std::size_t kMax = 16 * 1024;
const std::string kWhole =
    "4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n";

}  // namespace

TEST_CASE("a line ends where its LF is, and a lone CR waits for it") {
  CHECK(first_line("ab\r\nc", 2).text == "ab");
  CHECK(first_line("\r\n", 0).outcome == LineOutcome::kWhole);
  CHECK(first_line("", 0).outcome == LineOutcome::kMore);
  CHECK(first_line("\r", 0).outcome == LineOutcome::kMore);
  CHECK(first_line("x", 0).outcome == LineOutcome::kTooLong);
  CHECK(first_line("\rx", 0).outcome == LineOutcome::kTooLong);
  CHECK(first_line("ab\r", 2).outcome == LineOutcome::kMore);
  CHECK(first_line("abc", 2).outcome == LineOutcome::kTooLong);
}

TEST_CASE("the end of a chunked body is found wherever its bytes are cut") {
  for (std::size_t cut = 0; cut < kWhole.size(); ++cut) {
    ChunkScan scan;
    CAPTURE(cut);
    CHECK(scan.look(kWhole.substr(0, cut), kMax) == State::kMore);
    CHECK(scan.look(kWhole + "GET / HTTP/1.1\r\n", kMax) == State::kWhole);
  }
  ChunkScan scan;
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    REQUIRE(scan.look(kWhole.substr(0, size), kMax) == State::kMore);
  }
  CHECK(scan.look(kWhole, kMax) == State::kWhole);
}

TEST_CASE("a chunked body that is broken or too large is not waited for") {
  for (const char* broken :
       {"x\r\n", "-4\r\n", "4\r\nWikipedia", "FFFFFFFFFFFFFFFFF\r\n", "4001\r\n", "0\r\nX: y\nz\r\n",
        "0\r\nno colon\r\n"}) {
    CAPTURE(broken);
    CHECK(ChunkScan().look(broken, kMax) == State::kUnusable);
  }
  CHECK(ChunkScan().look(std::string(300, '1'), kMax) == State::kUnusable);
  std::string small_chunks;
  for (int i = 0; i < 4'000; ++i) small_chunks += "1\r\nx\r\n";
  CHECK(ChunkScan().look(small_chunks, kMax) == State::kUnusable);
}

TEST_CASE("a chunk's size is one number, with nothing behind it but extensions that are text") {
  CHECK(chunk_size("1a") == 26);
  CHECK(chunk_size("0A ;name=\"v\"") == 10);
  CHECK(chunk_size("4 \t") == 4);
  CHECK(chunk_size("FFFFFFFFFFFFFFFF") == UINT64_MAX);
  for (const char* none : {"", "4 4", "4x", "0x4", " 4", "+4", "-4", "4;a\nb", "4;a\rb", "4\n", "4;\x7f", "G"}) {
    CAPTURE(none);
    CHECK_FALSE(chunk_size(none));
  }
}

TEST_CASE("a chunk's CR and LF may arrive in two reads") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  Connection connection(ends[0], "127.0.0.1", 1);
  const Connection other_end(ends[1], "127.0.0.1", 2);
  const std::string text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  RequestHead head;
  REQUIRE_FALSE(parse_request_head(text, head));
  const std::string rest = "\n0\r\n\r\n";
  REQUIRE(::send(ends[1], rest.data(), rest.size(), 0) == static_cast<ssize_t>(rest.size()));
  connection.append("5\r\nhello\r");
  ConnectionBody body(connection, head, Pace{});
  std::string out;
  CHECK_FALSE(read_whole_body(body, 100, out));
  CHECK(out == "hello");
}
