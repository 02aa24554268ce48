// What waits instead of being refused: answers that are put off, and downloads that go slower than they could.
#include "http/throttle.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "http/front_door.hpp"
#include "tests/http/raw_client.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using test::RawClient;

namespace {

const SteadyClock::time_point kThrottleBegin{1'000s};

// A file that is there while it lives.
struct File {
  explicit File(std::size_t size) : content(size, '\0') {
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>('a' + i % 19);
    REQUIRE(::write(descriptor, content.data(), size) == static_cast<ssize_t>(size));
  }
  ~File() {
    ::close(descriptor);
    std::filesystem::remove(path);
  }
  std::string path = (std::filesystem::temp_directory_path() / ("ota-throttle-" + std::to_string(::getpid()))).string();
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string content;
};

FrontDoorOptions on_a_port() {
  FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 2;
  return options;
}

}  // namespace

TEST_CASE("so many bytes go at once after a rest, and so many a second from then on") {
  constexpr std::uint64_t kRate = 1'000'000;
  Throttle throttle(kRate);
  CHECK(throttle.wait(kThrottleBegin) == 0s);
  throttle.sent(kRate / 10, kThrottleBegin);
  CHECK(throttle.wait(kThrottleBegin) == 0s);
  throttle.sent(kRate, kThrottleBegin);
  CHECK(throttle.wait(kThrottleBegin) == 1s);
  CHECK(throttle.wait(kThrottleBegin + 400ms) == 600ms);
  CHECK(throttle.wait(kThrottleBegin + 1s) == 0s);
}

TEST_CASE("without a rate nothing waits") {
  Throttle throttle(0);
  throttle.sent(1'000'000'000'000, kThrottleBegin);
  CHECK(throttle.wait(kThrottleBegin) == 0s);
}

TEST_CASE("answers that are put off occupy nobody, and come") {
  auto options = on_a_port();
  options.stop_timeout = 50ms;
  FrontDoor door(std::move(options), [](RequestContext& context) {
    if (context.path() == "/never") context.pause(24h);
    if (context.path() == "/soon") context.pause(20ms);
    context.answer_text(200, "served", "text/plain");
  });
  door.start();
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<RawClient>(door.port()));
    waiting.back()->request("GET", "/never");
  }
  RawClient other(door.port());
  for (int i = 0; i < 5; ++i) CHECK(other.get("/now").body == "served");
  const auto late = other.get("/soon");
  CHECK(late.status == 200);
  CHECK(late.body == "served");
  CHECK(other.get("/now").body == "served");  // the connection stays
  other.request("HEAD", "/soon");
  CHECK(other.read(true).status == 200);
  while (door.counts().transfers != 50) std::this_thread::yield();  // the last answer may be here before its end is
  door.stop();  // and nobody waits for what would come tomorrow
  for (auto& client : waiting) CHECK(client->is_closed_silently());
}

TEST_CASE("downloads at a set rate arrive whole, one beside the other") {
  const File file(400'000);
  auto options = on_a_port();
  options.download_rates = {2'000'000, 3'000'000};
  FrontDoor door(std::move(options), [&](RequestContext& context) {
    context.answer_empty(200);
    context.set_header("Content-Length", std::to_string(file.content.size()));
    Transfer transfer;
    transfer.descriptor = file.descriptor;
    transfer.pieces = {{"", 0, file.content.size()}};
    context.send_after_head(std::move(transfer));
  });
  door.start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(door.port()));
    clients.back()->request("GET", "/file");
  }
  for (auto& client : clients) CHECK(client->read().body == file.content);
}
