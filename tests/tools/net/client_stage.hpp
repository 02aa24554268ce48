// A client on a loop of its own, for tests that ask one thing after the other.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/otasim/net/http_client.hpp"

namespace ota::sim::test {

inline HttpSettings settings_for(const std::string& url) {
  HttpSettings settings;
  settings.server = parse_url(url)->origin;
  return settings;
}

class ClientStage {
 public:
  explicit ClientStage(HttpSettings settings) : http_(loop_, std::move(settings), choices_) {
    CallerFields fields;
    fields.call = "Accept: application/json\r\n";
    fields.body = "Content-Type: application/json\r\n";
    fields.artifact = "Accept: application/octet-stream\r\n";
    fields.authorization = "Authorization: TargetToken secret\r\n";
    caller_ = http_.add_caller({"sim-1", fields, ""});
  }
  explicit ClientStage(const std::string& server) : ClientStage(settings_for(server)) {}

  HttpRequest get(const std::string& url) const {
    HttpRequest request;
    request.caller = caller_;
    request.url = url;
    return request;
  }

  HttpAnswer ask(HttpRequest request) {
    std::vector<HttpRequest> one;
    one.push_back(std::move(request));
    return ask_at_once(std::move(one)).at(0);
  }

  // Asks all of it together; answers in the order of the requests.
  std::vector<HttpAnswer> ask_at_once(std::vector<HttpRequest> requests) {
    std::vector<HttpAnswer> answers(requests.size());
    std::vector<HttpTicket> tickets;
    std::size_t open = requests.size();
    for (std::size_t i = 0; i < requests.size(); ++i)
      tickets.push_back(http_.send(std::move(requests[i]), [&, i](HttpAnswer answer) {
        answers[i] = std::move(answer);
        if (--open == 0) loop_.stop();
      }));
    run();
    REQUIRE(open == 0);
    return answers;
  }

  // Turns until stop(), or 10 s at the most.
  void run() {
    const auto guard =
        loop_.timers().at(EventLoop::now() + std::chrono::seconds{10}, [this] { loop_.stop(); });
    loop_.run(http_);
  }

  // Turns until the condition holds.
  bool turn_until(const std::function<bool()>& condition) {
    const auto deadline = EventLoop::now() + std::chrono::seconds{10};
    TimerTicket look;
    std::function<void()> again = [&] {
      if (condition() || EventLoop::now() > deadline) return loop_.stop();
      look = loop_.timers().at(EventLoop::now() + std::chrono::milliseconds{1}, again);
    };
    again();
    if (!condition()) loop_.run(http_);
    return condition();
  }

  EventLoop& loop() { return loop_; }
  HttpClient& http() { return http_; }
  CallerId caller() const { return caller_; }

 private:
  Choices choices_{7};
  EventLoop loop_;
  HttpClient http_;
  CallerId caller_ = 0;
};

}  // namespace ota::sim::test
