// The HTTP server: httplib's answers behind a door of our own.
//
// httplib::Server keeps a thread for each connection. Here connections wait in one epoll
// (Doorkeeper), whole requests run on a bounded pool (HandlerPool), and files (Transfers) and answers
// without an end (EndlessAnswers) are sent by epoll as well, so that ten thousand idle or slow clients cost no threads. Of
// httplib this uses process_request(): what guards a handler and writes its answer. The request's head is read by us, as
// httplib 0.11 percent-decodes header values, runs recursive regexes over them, takes chunked bodies of any size, and
// compresses JSON with brotli at its slowest.
//
//   FrontDoor door({.address = "127.0.0.1", .port = 0}, [&](RequestContext& context) {
//   router.handle(context); }); door.start();  ...  door.stop();
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/connection_stream.hpp"
#include "http/doorkeeper.hpp"
#include "http/endless_answers.hpp"
#include "http/handler_pool.hpp"
#include "http/ip_networks.hpp"
#include "http/late_answer.hpp"
#include "http/limits.hpp"
#include "http/listener.hpp"
#include "http/pace.hpp"
#include "http/places.hpp"
#include "http/request_context.hpp"
#include "http/thread.hpp"
#include "http/tls.hpp"
#include "http/transfers.hpp"

namespace ota::http {

// A second way in, by TLS.
struct TlsDoor {
  std::string address = "0.0.0.0";  // numeric
  int port = 8443;                  // 0: a free one
  bool devices_only = true;         // administrators are not served through it
  TlsOptions tls;
};

struct FrontDoorOptions {
  std::string address = "127.0.0.1";  // numeric
  int port = 8216;                    // 0: a free one
  bool devices_only = false;          // nobody administers through that one
  std::optional<TlsDoor> tls = {};
  IpNetworks trusted_proxies = {};    // whose X-Forwarded-* and identity headers are believed
  std::size_t handler_threads = 128;  // design 8: most wait for a commit
  std::size_t handler_stack_bytes = 256 * 1024;
  // Handlers that may wait for bodies at once, beyond that 503; 0: a quarter of them.
  std::size_t body_places = 0;
  // Bytes of answers that may be kept for peers that do not read them. Beyond that as many handlers
  // wait for such peers as for bodies, and beyond that these are cut off.
  std::size_t kept_answer_bytes = limits::kKeptAnswerBytes;
  // Answers that may wait for word of a commit at once (late_answer.hpp), each some 500 bytes and its connection's turn; then
  // handlers wait for it themselves, and requests for them. Half of the commands that may be in flight.
  std::size_t late_answers_max = 4'096;
  std::size_t transfer_threads = 2;  // sendfile may wait for the disk
  DoorLimits limits = {};
  Pace body_pace = {};                               // of bodies that a handler reads
  Pace answer_pace = {};                             // of answers and downloads
  EndlessOptions endless = {};
  TransferRates download_rates = {};                 // how fast downloads may go at most
  std::chrono::milliseconds queue_wait_max{10'000};  // then the client has given up: 503
  std::chrono::milliseconds stop_timeout{10'000};    // for running requests, when stopping
  // Told of each request that was answered 503 here, without the handler; may be empty.
  std::function<void(const RequestContext&)> on_refused = {};
};

struct FrontDoorCounts {
  DoorCounts door;
  std::size_t queued = 0;     // whole requests that wait for a handler
  std::size_t handlers = 0;   // that run
  std::size_t bodies = 0;     // of these, that wait for a body
  std::size_t readers = 0;    // or for a peer to read
  std::size_t late = 0;       // answers that wait for word of a commit
  std::size_t kept_bytes = 0;  // of answers, for peers to read
  std::size_t transfers = 0;  // files that are being sent
  std::size_t endless = 0;    // answers without an end
  std::uint64_t requests = 0;
  // Waited too long for a handler, or found no place for their body or for their answer.
  std::uint64_t overloaded = 0;
};

class FrontDoor final : private httplib::Server {
 public:
  using Handler = std::function<void(RequestContext&)>;

  // `handler` runs on many threads at once. Nothing listens before start().
  FrontDoor(FrontDoorOptions options, Handler handler);
  ~FrontDoor() override;
  FrontDoor(const FrontDoor&) = delete;
  FrontDoor& operator=(const FrontDoor&) = delete;

  // Throws std::runtime_error if it cannot listen or has no threads.
  void start();
  // The port that it listens on, after start().
  int port() const { return port_; }
  // The same of the second way in; 0 without one.
  int tls_port() const { return tls_port_; }
  // Reads the certificate anew; throws std::runtime_error and keeps the old one if it cannot be used.
  void reload_certificate();
  // Takes no more requests, lets those that run end (for stop_timeout, then their connections are
  // cut), and returns when every handler has returned. A second call does nothing.
  void stop();
  FrontDoorCounts counts() const;

 private:
  struct Exchange;

  // Runs the request that waits on a connection; on a handler thread.
  void serve(Connection& connection);
  // One step of a connection's handshake; on a thread of the greeters.
  void greet(Connection& connection);
  void refuse(RequestContext& context, const std::string& why);
  // The answer of this request is sent when the word is given that this returns. Empty: too many wait already.
  RequestContext::Word begin_late(Exchange& exchange);
  // The request has been served, but for the word; the connection is not ours any more, unless the word is here.
  void end_late(Exchange& exchange, std::string head);
  // Sends what was made earlier, or what was found instead; on a handler thread.
  void send_late(Connection& connection, LateAnswer& late);
  // The head of an answer without an end was made: `sent`, so far as there was room.
  void begin_endless(Exchange& exchange, bool sent);
  // Gives a served connection on: to a transfer, or back to the door.
  void give_on(Connection& connection, ConnectionStream& stream, std::optional<Transfer> transfer, bool sent);
  // httplib's turn to ask for an answer, inside serve().
  void answer(httplib::Response& response);
  void fill(Exchange& exchange, RequestContext& context);
  // Lets httplib write the answer of an exchange; false: it could not be sent.
  bool process(Exchange& exchange);
  void finish_headers(httplib::Response& response) const;

  const FrontDoorOptions options_;
  const Handler handler_;
  Places body_places_;
  AnswerPlaces answer_places_;
  int port_ = 0;
  int tls_port_ = 0;
  bool running_ = false;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> overloaded_{0};
  std::unique_ptr<TlsContext> tls_;
  Doorkeeper::Listeners listeners_;
  std::unique_ptr<Doorkeeper> doorkeeper_;
  std::unique_ptr<Transfers> transfers_;
  std::unique_ptr<EndlessAnswers> endless_;
  std::unique_ptr<HandlerPool> handlers_;
  std::unique_ptr<HandlerPool> greeters_;  // a stampede of handshakes keeps no request waiting behind it
  std::unique_ptr<Thread> door_thread_;
};

}  // namespace ota::http
