// Many HTTP requests at once on one thread, each asked for by a device.
//
// At most connections_max connections are open; what exceeds that waits in order of arrival. A slow
// download holds its connection. A request whose connection turns out to be dead before a byte of
// an answer came is sent once more on a new one, and redirects are followed, as all clients do it.
// A ticket owns its request: destroying it cancels the request, and its answer never comes.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/otasim/event_loop.hpp"
#include "tools/otasim/net/connection_pool.hpp"
#include "tools/otasim/net/http_message.hpp"

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

struct HttpSettings {
  Origin server;  // gets the credentials, no other origin does
  std::size_t connections_max = 256;
  std::size_t opening_max = 256;  // of these, at once
  std::chrono::milliseconds timeout{30'000};          // for an answer, once there is a connection
  std::chrono::milliseconds connect_timeout{30'000};  // with TLS, until it is agreed on
  TlsSettings tls;
  NetworkFaults faults;
};

// A device, as far as its connections know it.
struct Caller {
  std::string device;
  CallerFields fields;
  std::string certificate_file;  // for a server that asks for one; empty: it has none
};

class HttpClient : public EventSource, private ConnectionOwner {
 public:
  HttpClient(EventLoop& loop, HttpSettings settings, const Choices& choices);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  CallerId add_caller(Caller caller);

  // Queues a request; `on_answer` is called once, from the loop, never from within this call.
  [[nodiscard]] HttpTicket send(HttpRequest request, OnAnswer on_answer);

  // Forgets a request; breaks its connection off when it is in flight. Nothing happens when it was
  // answered.
  void cancel(std::uint64_t id);

  // Closes the connections that a device does not use at the moment.
  void hang_up(CallerId caller);

  // The device's power fails: the server hears nothing of the end of its connections, neither of
  // those it does not use nor of those whose requests are cancelled until it sends one again.
  void power_failed(CallerId caller);

  std::uint64_t requests_done() const { return requests_done_; }
  std::uint64_t requests_broken() const { return requests_broken_; }
  std::uint64_t unauthorized() const { return unauthorized_; }  // answers 401
  std::size_t in_flight() const { return active_.size(); }
  std::size_t queued() const { return waiting_.size(); }
  std::uint64_t connections_opened() const { return pool_.opened(); }

  // How often the network did this.
  std::uint64_t faults(FaultKind kind) const { return faults_[static_cast<std::size_t>(kind)]; }
  std::uint64_t tls_handshakes() const { return tls_.handshakes(); }
  std::uint64_t tls_resumed() const { return tls_.resumed(); }

  bool before_wait() override;
  void on_ready(std::uint64_t token, std::uint32_t events) override;

 private:
  void exchange_ended(Connection& connection, Ending ending) override;
  void opened(Connection& connection) override { pool_.now_open(connection); }
  void closed_while_idle(Connection& connection) override { pool_.drop(connection); }
  void has_more(Connection& connection) override;

  void start_waiting();
  void let_some_connect();
  void refuse(std::unique_ptr<Exchange> exchange, std::string error);
  bool goes_on(Exchange& exchange, const Ending& ending);
  void prepare(Exchange& exchange);
  void wait_first(std::unique_ptr<Exchange> exchange);
  void answer(std::unique_ptr<Exchange> exchange, HttpAnswer answer);

  HttpSettings settings_;
  TlsClient tls_;
  ConnectionPool pool_;
  const Choices& choices_;
  struct Known {
    Caller caller;
    std::uint64_t requests = 0;
    bool powered = true;
  };
  std::deque<Known> callers_;
  std::deque<std::uint64_t> order_;       // of waiting_; may name cancelled ones
  std::deque<std::uint64_t> to_connect_;  // the same of those that need a connection of their own
  std::unordered_map<std::uint64_t, std::unique_ptr<Exchange>> waiting_;
  std::unordered_map<std::uint64_t, Connection*> active_;
  std::vector<std::uint64_t> with_more_;  // tokens
  std::uint64_t last_id_ = 0;
  std::uint64_t requests_done_ = 0;
  std::uint64_t requests_broken_ = 0;
  std::uint64_t unauthorized_ = 0;
  std::array<std::uint64_t, kFaultKinds> faults_{};
};

}  // namespace ota::sim
