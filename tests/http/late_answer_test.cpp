#include "http/late_answer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/front_door.hpp"
#include "tests/http/raw_client.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using test::RawClient;

namespace {

// Whoever has the word for each answer, and gives it when a test says so.
class Words {
 public:
  void add(RequestContext::Word word) {
    {
      const std::lock_guard lock(mutex_);
      words_.push_back(std::move(word));
    }
    changed_.notify_all();
  }
  // Takes all of them, once there are so many.
  std::vector<RequestContext::Word> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [&] { return words_.size() == count; }));
    return std::exchange(words_, {});
  }
  std::vector<RequestContext::Word> take_any() {
    const std::lock_guard lock(mutex_);
    return std::exchange(words_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RequestContext::Word> words_;
};

FrontDoorOptions one_handler() {
  FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 1;
  return options;
}

void write_in_capitals(RequestContext& context, const Problem& problem) {
  context.answer_text(problem.status, "NO: " + problem.message, "text/plain");
}
const ProblemWriter kInCapitals = write_in_capitals;

// Answers later, but for "/now".
struct LateDoor {
  explicit LateDoor(FrontDoorOptions options = one_handler())
      : door(std::move(options), [this](RequestContext& context) {
          context.set_problem_writer(&kInCapitals);
          std::string body;
          REQUIRE(!read_whole_body(context.body_stream(), 1'000, body));
          context.answer_text(200, std::string(context.path()) + " " + body, "text/plain");
          if (context.path() != "/now") words.add(context.answer_later());
        }) {
    door.start();
  }
  RawClient connect() { return RawClient(door.port()); }
  Words words;
  FrontDoor door;
};

}  // namespace

TEST_CASE("answers that come later occupy no handler, and come when the word is given") {
  LateDoor open;
  std::vector<RawClient> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(open.connect());
    waiting.back().request("POST", "/late", "", std::to_string(i));
  }
  const auto words = open.words.take(50);
  CHECK(open.connect().get("/now").body == "/now ");
  for (const auto& word : words) word(std::nullopt);
  for (int i = 0; i < 50; ++i) CHECK(waiting[static_cast<std::size_t>(i)].read().body == "/late " + std::to_string(i));
}

TEST_CASE("an answer is the problem, in its route's shape, if that is the word") {
  LateDoor open;
  auto client = open.connect();
  client.request("POST", "/late", "X-Request-Id: mine\r\n", "text");
  open.words.take(1).front()(Problem::not_found("gone"));
  const auto answer = client.read();
  CHECK(answer.status == 404);
  CHECK(answer.body == "NO: gone");
  CHECK(answer.header("x-request-id") == "mine");
  // The body was read; what follows is the next request.
  CHECK(client.get("/now").body == "/now ");
}

TEST_CASE("the word may come before the answer") {
  FrontDoor door(one_handler(), [](RequestContext& context) {
    const auto word = context.answer_later();
    if (context.path() == "/no") {
      word(Problem::not_found("gone"));
    } else {
      word(std::nullopt);
    }
    context.answer_text(200, "yes", "text/plain");
  });
  door.start();
  RawClient client(door.port());
  CHECK(client.get("/yes").body == "yes");
  CHECK(client.get("/no").status == 404);
  CHECK(client.get("/yes").body == "yes");
}

TEST_CASE("requests that were sent ahead wait for an answer that comes later") {
  LateDoor open;
  auto client = open.connect();
  client.request("POST", "/late", "", "1");
  client.request("GET", "/now");
  client.request("POST", "/late", "Transfer-Encoding: chunked\r\n");
  client.send("1\r\n2\r\n0\r\n\r\n");
  client.request("GET", "/now");
  open.words.take(1).front()(std::nullopt);
  CHECK(client.read().body == "/late 1");
  CHECK(client.read().body == "/now ");
  open.words.take(1).front()(Problem::not_found("gone"));
  CHECK(client.read().status == 404);
  CHECK(client.read().body == "/now ");
}

TEST_CASE("a client that has gone does not get its answer, and nobody minds") {
  LateDoor open;
  auto client = open.connect();
  client.request("POST", "/late", "", "1");
  const auto words = open.words.take(1);
  client.close();
  words.front()(std::nullopt);
  CHECK(open.connect().get("/now").status == 200);
}

TEST_CASE("of more answers than may come later the handlers wait themselves") {
  auto options = one_handler();
  options.late_answers_max = 2;
  LateDoor open(options);
  std::vector<RawClient> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(open.connect());
    waiting.back().request("GET", "/late");
  }
  const auto words = open.words.take(3);
  CHECK(std::count_if(words.begin(), words.end(), [](const auto& word) { return !word; }) == 1);
  for (const auto& word : words) {
    if (word) word(std::nullopt);
  }
  for (auto& client : waiting) CHECK(client.read().status == 200);
}

TEST_CASE("words are given by many threads while handlers come and go") {
  auto options = one_handler();
  options.handler_threads = 4;
  LateDoor open(options);
  std::atomic<bool> done{false};
  std::vector<std::thread> givers;
  for (int i = 0; i < 2; ++i) {
    givers.emplace_back([&] {
      while (!done) {
        for (const auto& word : open.words.take_any()) word(std::nullopt);
        std::this_thread::yield();
      }
    });
  }
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      auto client = open.connect();
      for (int n = 0; n < 200; ++n) {
        const auto body = std::to_string(i * 1'000 + n);
        client.request("POST", "/late", "", body);
        if (client.read().body != "/late " + body) ++wrong;
      }
    });
  }
  for (auto& client : clients) client.join();
  done = true;
  for (auto& giver : givers) giver.join();
  CHECK(wrong == 0);
}

TEST_CASE("stopping waits for the word of whatever was handed in") {
  auto options = one_handler();
  options.handler_threads = 3;
  options.stop_timeout = 50ms;
  LateDoor open(options);
  auto first = open.connect();
  auto second = open.connect();
  first.request("POST", "/late", "", "1");
  second.request("POST", "/late", "", "2");
  const auto words = open.words.take(2);
  auto stopped = std::async(std::launch::async, [&] { open.door.stop(); });
  CHECK(stopped.wait_for(200ms) == std::future_status::timeout);  // both have been cut off, and are still waited for
  words[0](std::nullopt);
  CHECK(stopped.wait_for(50ms) == std::future_status::timeout);
  words[1](Problem::not_found("gone"));
  stopped.get();
}
