// Many HTTP requests at once on one thread: libcurl's multi interface, with a queue before it.
//
// At most connections_max requests are in flight, so at most as many connections are open; curl
// keeps them alive and reuses them. What exceeds that waits in order of arrival. A slow download
// holds its connection. A ticket owns its request: destroying it cancels the request, and its
// answer never comes.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tools/otasim/event_loop.hpp"
#include "tools/otasim/http_exchange.hpp"
#include "tools/otasim/http_message.hpp"

namespace ota::sim {

class HttpClient;

// Move-only owner of one request; must not outlive its client.
class HttpTicket {
 public:
  HttpTicket() = default;
  HttpTicket(HttpClient& client, std::uint64_t id) : client_(&client), id_(id) {}
  HttpTicket(HttpTicket&& other) noexcept;
  HttpTicket& operator=(HttpTicket&& other) noexcept;
  ~HttpTicket() { cancel(); }

  void cancel();

 private:
  HttpClient* client_ = nullptr;
  std::uint64_t id_ = 0;
};

class HttpClient : public EventSource {
 public:
  HttpClient(EventLoop& loop, HttpSettings settings, std::size_t connections_max);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() override;

  // Queues a request; `on_answer` is called once, from the loop, never from within this call.
  [[nodiscard]] HttpTicket send(HttpRequest request, OnAnswer on_answer);

  // Forgets a request; breaks its connection off when it is in flight. Nothing happens when it was
  // answered.
  void cancel(std::uint64_t id);

  std::uint64_t requests_done() const { return requests_done_; }
  std::uint64_t requests_broken() const { return requests_broken_; }
  std::size_t in_flight() const { return active_.size(); }
  std::size_t queued() const { return waiting_.size(); }
  std::uint64_t connections_opened() const { return connections_opened_; }

  void before_wait() override;
  std::optional<TimePoint> deadline() const override { return deadline_; }
  void on_ready(int fd, std::uint32_t events) override;
  void on_deadline() override;

 private:
  struct Waiting {
    HttpRequest request;
    OnAnswer on_answer;
  };

  static int socket_changed(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int timer_changed(CURLM* multi, long timeout_ms, void* self);
  void start_waiting();
  void take_finished();
  std::unique_ptr<HttpExchange> free_exchange();

  EventLoop& loop_;
  HttpSettings settings_;
  std::size_t connections_max_;
  CURLM* multi_ = nullptr;
  std::optional<TimePoint> deadline_;  // curl's own
  std::deque<std::uint64_t> order_;    // of waiting_; may name cancelled ones
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::unordered_map<std::uint64_t, std::unique_ptr<HttpExchange>> active_;
  std::vector<std::unique_ptr<HttpExchange>> free_;
  std::uint64_t last_id_ = 0;
  std::uint64_t requests_done_ = 0;
  std::uint64_t requests_broken_ = 0;
  std::uint64_t connections_opened_ = 0;
};

}  // namespace ota::sim
