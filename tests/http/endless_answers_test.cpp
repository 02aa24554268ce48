// Answers without an end: who is asked when, what a slow peer gets, and that nobody else waits for them.
#include "http/endless_answers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/front_door.hpp"
#include "tests/http/open_door.hpp"
#include "tests/http/test_certificates.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using test::on_free_port;
using test::OpenDoor;
using test::RawClient;

namespace {

// What all sources of a door say: so many numbered lines, and more when there are more.
struct NumberedLines {
  std::shared_ptr<Bell> bell = std::make_shared<Bell>();
  std::atomic<std::size_t> count{0};
  std::atomic<std::size_t> alive{0};
  std::size_t line_bytes = 8;
  std::size_t at_once = 100;
  bool never_says = false;  // though it has more

  void grow_to(std::size_t lines) {
    count = lines;
    bell->ring();
  }
  std::string text(std::size_t from, std::size_t to) const {
    std::string all;
    for (std::size_t i = from; i < to; ++i) {
      const auto number = std::to_string(i);
      all += std::string(line_bytes - 1 - number.size(), '0') + number + "\n";
    }
    return all;
  }
};

class LineSource final : public AnswerSource {
 public:
  explicit LineSource(NumberedLines& lines) : lines_(lines) { ++lines_.alive; }
  ~LineSource() override { --lines_.alive; }
  Next read(std::string& out) override {
    if (lines_.never_says) return Next::kMore;
    const std::size_t count = lines_.count;
    if (count == 13) throw std::runtime_error("thirteen");
    const std::size_t to = std::min(count, said_ + lines_.at_once);
    out += lines_.text(said_, to);
    said_ = to;
    return said_ < count ? Next::kMore : Next::kNothing;
  }
  void read_silence(std::string& out) override { out += "still\n"; }

 private:
  NumberedLines& lines_;
  std::size_t said_ = 0;
};

FrontDoorOptions one_handler(const NumberedLines& lines) {
  auto options = on_free_port();
  options.handler_threads = 1;
  options.endless.news = lines.bell;
  options.endless.gather = 0ms;
  return options;
}

// "/lines" has no end, everything else is answered at once.
FrontDoor::Handler speaking(NumberedLines& lines) {
  return [&lines](RequestContext& context) {
    if (context.path() != "/lines") return context.answer_text(200, "small", "text/plain");
    context.answer_endlessly("text/lines", context.is_head() ? nullptr : std::make_unique<LineSource>(lines));
  };
}

// Reads so much of an answer that is not chunked, or more.
std::string read_bytes(RawClient& client, std::size_t count) {
  std::string all;
  while (all.size() < count) all += client.read_some();
  return all;
}

RawClient begun(OpenDoor& open) {
  auto client = open.connect();
  client.send("GET /lines HTTP/1.0\r\n\r\n");
  CHECK(client.read().status == 200);
  return client;
}

void wait_for_open(const OpenDoor& open, std::size_t count) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (open.door.counts().endless != count && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  REQUIRE(open.door.counts().endless == count);
}

}  // namespace

TEST_CASE("what a source says is sent as it comes, in chunks to whoever knows them") {
  NumberedLines lines;
  OpenDoor open(one_handler(lines), speaking(lines));
  auto client = open.connect();
  client.request("GET", "/lines");
  const auto head = client.read();
  CHECK(head.header("content-type") == "text/lines");
  CHECK(head.header("transfer-encoding") == "chunked");
  CHECK(head.header("connection") == "close");
  CHECK(head.headers.count("content-length") == 0);
  lines.grow_to(2);
  CHECK(read_bytes(client, 22) == "10\r\n0000000\n0000001\n\r\n");
  lines.grow_to(3);
  CHECK(read_bytes(client, 13) == "8\r\n0000002\n\r\n");

  auto old = open.connect();
  old.send("GET /lines HTTP/1.0\r\n\r\n");
  CHECK(old.read().headers.count("transfer-encoding") == 0);
  CHECK(read_bytes(old, 24) == lines.text(0, 3));
}

TEST_CASE("HEAD has the same head, no source, and the next request follows") {
  NumberedLines lines;
  OpenDoor open(one_handler(lines), speaking(lines));
  auto client = open.connect();
  client.request("HEAD", "/lines");
  const auto head = client.read(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-type") == "text/lines");
  CHECK(head.header("transfer-encoding") == "chunked");
  CHECK(head.headers.count("content-length") == 0);
  CHECK(client.get("/small").body == "small");
  CHECK(open.door.counts().endless == 0);
}

TEST_CASE("many are told in their turns, and the only handler is free for everybody else") {
  NumberedLines lines;
  OpenDoor open(one_handler(lines), speaking(lines));
  std::vector<RawClient> readers;
  for (int i = 0; i < 300; ++i) readers.push_back(begun(open));
  wait_for_open(open, 300);
  CHECK(open.connect().get("/small").body == "small");
  lines.grow_to(1'000);
  const auto all = lines.text(0, 1'000);
  for (auto& reader : readers) REQUIRE(read_bytes(reader, all.size()) == all);
  CHECK(open.connect().get("/small").body == "small");
  CHECK(open.door.counts().handlers <= 1);
}

TEST_CASE("whoever reads nothing is waited for, gets all of it later, and keeps nobody else waiting") {
  NumberedLines lines;
  lines.line_bytes = 10'000;
  lines.at_once = 3;
  OpenDoor open(one_handler(lines), speaking(lines));
  auto slow = begun(open);
  auto quick = begun(open);
  lines.grow_to(1'500);
  const auto all = lines.text(0, 1'500);
  CHECK(read_bytes(quick, all.size()) == all);
  lines.grow_to(1'502);   // told of while it has no room for what is before
  CHECK(read_bytes(quick, 20'000) == lines.text(1'500, 1'502));
  CHECK(read_bytes(slow, all.size() + 20'000) == lines.text(0, 1'502));
}

TEST_CASE("a peer that takes nothing is ended, and its source with it") {
  NumberedLines lines;
  lines.line_bytes = 10'000;
  auto options = one_handler(lines);
  options.endless.stuck_max = 500ms;   // whoever reads is faster, on a slow machine, too
  OpenDoor open(options, speaking(lines));
  auto stuck = begun(open);
  auto waiting = begun(open);   // of one that has read everything nothing is asked
  CHECK(lines.alive == 2);
  lines.grow_to(13 * 100);
  CHECK(read_bytes(waiting, 13'000'000) == lines.text(0, 1'300));
  wait_for_open(open, 1);
  CHECK(lines.alive == 1);
  CHECK_FALSE(stuck.skip(13'000'000));
  lines.grow_to(1'301);
  CHECK(read_bytes(waiting, 10'000) == lines.text(1'300, 1'301));
}

TEST_CASE("of those that read nothing only so much is kept; the next one is broken off") {
  NumberedLines lines;
  lines.line_bytes = 1'000'000;
  lines.at_once = 6;
  auto options = one_handler(lines);
  options.endless.kept_bytes = 5'000'000;
  OpenDoor open(options, speaking(lines));
  std::vector<RawClient> stuck;
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(begun(open));
  }
  wait_for_open(open, 4);
  lines.grow_to(100);
  while (open.door.counts().endless > 2) std::this_thread::yield();
  CHECK(open.door.counts().endless >= 1);
}

TEST_CASE("silence is broken from time to time, also by a source that looks and finds nothing") {
  NumberedLines lines;
  auto options = one_handler(lines);
  options.endless.silence_max = 20ms;
  SUBCASE("it waits") { lines.never_says = false; }
  SUBCASE("it looks") { lines.never_says = true; }
  OpenDoor open(options, speaking(lines));
  auto client = begun(open);
  CHECK(read_bytes(client, 12).starts_with("still\nstill\n"));  // and more, where this thread comes late
}

TEST_CASE("one that never stops looking leaves the others their turns") {
  NumberedLines silent;
  silent.never_says = true;
  NumberedLines lines;
  OpenDoor open(one_handler(lines), [&](RequestContext& context) {
    context.answer_endlessly("text/lines", std::make_unique<LineSource>(context.path() == "/silent" ? silent : lines));
  });
  auto looking = open.connect();
  looking.request("GET", "/silent");
  auto client = begun(open);
  for (std::size_t i = 1; i < 10; ++i) {
    lines.grow_to(i);
    CHECK(read_bytes(client, 8) == lines.text(i - 1, i));
  }
}

TEST_CASE("a peer that goes is noticed without a word to it, and a source that fails is ended alone") {
  NumberedLines lines;
  OpenDoor open(one_handler(lines), speaking(lines));
  auto going = begun(open);
  auto staying = begun(open);
  wait_for_open(open, 2);
  CHECK(lines.alive == 2);
  going.close();
  wait_for_open(open, 1);
  CHECK(lines.alive == 1);
  lines.grow_to(13);
  CHECK(staying.is_closed_silently());
  wait_for_open(open, 0);
  CHECK(lines.alive == 0);
  lines.grow_to(14);
  auto next = begun(open);
  CHECK(read_bytes(next, 14 * 8) == lines.text(0, 14));
}

TEST_CASE("stopping ends them at once, whole where they have an end to be whole with") {
  NumberedLines lines;
  lines.line_bytes = 10'000;
  auto open = std::make_unique<OpenDoor>(one_handler(lines), speaking(lines));
  auto chunked = open->connect();
  chunked.request("GET", "/lines");
  chunked.read();
  wait_for_open(*open, 1);
  const auto began = std::chrono::steady_clock::now();
  open->door.stop();   // though the client has not closed yet
  CHECK(chunked.read_to_end() == "0\r\n\r\n");
  CHECK(std::chrono::steady_clock::now() - began < 1s);  // and not stop_timeout, nor close_timeout
  CHECK(lines.alive == 0);
}

TEST_CASE("stopping does not wait for a peer that takes nothing") {
  NumberedLines lines;
  lines.line_bytes = 10'000;
  OpenDoor open(one_handler(lines), speaking(lines));
  auto stuck = begun(open);
  auto quick = begun(open);
  lines.grow_to(1'000);
  CHECK(read_bytes(quick, 10'000'000).size() == 10'000'000);
  quick.close();
  const auto began = std::chrono::steady_clock::now();
  open.door.stop();
  CHECK(std::chrono::steady_clock::now() - began < 1s);
  CHECK(lines.alive == 0);
  CHECK_FALSE(stuck.skip(10'000'000));
}

TEST_CASE("over TLS, too, what there is no room for waits and arrives whole") {
  NumberedLines lines;
  lines.line_bytes = 10'000;
  lines.at_once = 3;
  const test::TestCertificates certificates;
  const auto pair = certificates.issue("localhost");
  auto options = one_handler(lines);
  options.tls = TlsDoor{"127.0.0.1", 0, false, {pair.certificate, pair.key, "", ClientCertificates::kIgnored}};
  OpenDoor open(options, speaking(lines));
  lines.grow_to(1);
  const auto all = lines.text(0, 1'500);
  std::string arrived;
  httplib::SSLClient client("127.0.0.1", open.door.tls_port());
  client.enable_server_certificate_verification(false);
  client.Get("/lines", [&](const char* bytes, std::size_t size) {
    if (arrived.empty()) {   // more than both sides' buffers hold, which somebody else has read by now
      auto quick = begun(open);
      lines.grow_to(1'500);
      REQUIRE(read_bytes(quick, all.size()) == all);
    }
    arrived.append(bytes, size);
    return arrived.size() < all.size();
  });
  CHECK(arrived == all);
}
