#include "http/front_door.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <ctime>
#include <string>
#include <utility>

#include "http/connection_body.hpp"
#include "http/connection_stream.hpp"
#include "http/failure_log.hpp"
#include "http/limits.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kDoorStackBytes = 256 * limits::kKiB;
constexpr std::size_t kGreeters = 2;
constexpr std::size_t kOwnFiles = 1'000;  // the log, views, artifacts and other connections

// "Fri, 02 Jan 2026 03:04:05 GMT" of now; made once a second.
const std::string& http_date_now() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    text = format_http_date(Time(std::chrono::seconds(now)));
  }
  return text;
}

Afterwards after_answer(const Connection& connection, bool sent_whole) {
  if (!sent_whole) return Afterwards::kAbort;
  return connection.keep_alive ? Afterwards::kNextRequest : Afterwards::kClose;
}

std::size_t body_places_of(const FrontDoorOptions& options) {
  if (options.body_places > 0) return options.body_places;
  return std::max<std::size_t>(1, options.handler_threads / 4);
}

}  // namespace

// What belongs to the request that a handler thread is serving.
struct FrontDoor::Exchange {
  Connection& connection;
  RequestHead& head;
  ConnectionBody& body;
  ConnectionStream& stream;
  bool waited_too_long = false;
  bool has_no_place = false;  // for its body
  const LateAnswer* refused_late = nullptr;  // it was served already, and this is the word
  std::shared_ptr<LateAnswer> late = {};
  std::optional<Transfer> transfer = std::nullopt;
  RequestContext::Endless endless = std::nullopt;

  // httplib calls back without a word about whose request it is.
  static thread_local Exchange* current;
};
thread_local FrontDoor::Exchange* FrontDoor::Exchange::current = nullptr;

FrontDoor::FrontDoor(FrontDoorOptions options, Handler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      body_places_(body_places_of(options_)),
      answer_places_{Places(body_places_of(options_)), Places(options_.kept_answer_bytes)} {
  set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
    answer(response);
    return HandlerResponse::Handled;
  });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
}

FrontDoor::~FrontDoor() { stop(); }

void FrontDoor::start() {
  assert(!running_);
  const std::size_t files = options_.limits.connections_max + kOwnFiles;
  if (const std::size_t allowed = raise_file_limit(files); allowed < files) {
    spdlog::warn(R"({{"event":"few_files","allowed":{},"wanted":{}}})", allowed, files);
  }
  listeners_.push_back(std::make_unique<Listener>(options_.address, options_.port));
  listeners_.back()->devices_only = options_.devices_only;
  port_ = listeners_.back()->port();
  // httplib breaks off an answer that is made piece by piece when it has no socket to listen on.
  svr_sock_ = listeners_.back()->descriptor();
  if (options_.tls) {
    tls_ = std::make_unique<TlsContext>(options_.tls->tls);
    listeners_.push_back(std::make_unique<Listener>(options_.tls->address, options_.tls->port));
    listeners_.back()->tls = tls_.get();
    listeners_.back()->devices_only = options_.tls->devices_only;
    tls_port_ = listeners_.back()->port();
  }
  doorkeeper_ = std::make_unique<Doorkeeper>(
      listeners_, options_.limits, [this](Connection& ready) { handlers_->submit(ready); },
      [this](Connection& greeted) { greeters_->submit(greeted); });
  transfers_ = std::make_unique<Transfers>(
      options_.transfer_threads, options_.answer_pace, options_.download_rates, [this](Connection& sent, bool complete) {
        doorkeeper_->take_back(sent, after_answer(sent, complete));
      });
  endless_ = std::make_unique<EndlessAnswers>(options_.endless, [this](Connection& ended, bool well) {
    doorkeeper_->take_back(ended, well ? Afterwards::kLeave : Afterwards::kAbort);
  });
  handlers_ = std::make_unique<HandlerPool>(options_.handler_threads, options_.handler_stack_bytes,
                                            [this](Connection& connection) { serve(connection); });
  if (tls_) {
    greeters_ = std::make_unique<HandlerPool>(kGreeters, options_.handler_stack_bytes,
                                              [this](Connection& connection) { greet(connection); },
                                              HandlerPool::Turn::kNewestFirst);
  }
  door_thread_ =
      std::make_unique<Thread>("http-door", kDoorStackBytes, [this] { doorkeeper_->run(); });
  running_ = true;
}

void FrontDoor::stop() {
  if (!std::exchange(running_, false)) return;
  doorkeeper_->begin_closing();
  endless_->stop();  // nobody waits for these
  const bool quiet = doorkeeper_->wait_until_none_busy(options_.stop_timeout);
  if (quiet) doorkeeper_->wait_until_none_open(options_.limits.close_timeout);
  svr_sock_ = INVALID_SOCKET;
  doorkeeper_->cut_off();
  handlers_->stop();
  if (greeters_) greeters_->stop();
  transfers_->stop();
  doorkeeper_->end();
  door_thread_.reset();
  doorkeeper_.reset();
  listeners_.clear();
}

void FrontDoor::reload_certificate() {
  if (tls_) tls_->reload();
}

void FrontDoor::greet(Connection& connection) {
  const bool too_late = doorkeeper_->since_ready(connection) > options_.limits.handshake_timeout;
  const bool well = !too_late && connection.shake_hands();
  const auto next = !well                                              ? Afterwards::kAbort
                    : connection.awaiting == Awaiting::kHandshake ? Afterwards::kHandshake
                                                                       : Afterwards::kNextRequest;
  doorkeeper_->take_back(connection, next);
}

void FrontDoor::serve(Connection& connection) {
  if (const auto late = std::move(connection.late)) return send_late(connection, *late);
  const auto waited = doorkeeper_->since_ready(connection);
  std::string received = connection.take_unread();
  thread_local RequestHead head;
  const auto end = find_head_end(received);
  assert(end.has_value());
  [[maybe_unused]] const auto error =
      parse_request_head(std::string_view(received).substr(0, *end), head);
  assert(!error);
  connection.append(std::string_view(received).substr(*end));

  const bool waits_for_body = !connection.body_is_here;
  auto place = waits_for_body ? body_places_.take() : std::nullopt;
  const bool has_no_place = waits_for_body && !place;
  ConnectionBody body(connection, head, options_.body_pace, std::move(place));
  ConnectionStream stream(connection, options_.answer_pace, answer_places_);
  Exchange exchange{connection, head, body, stream};
  exchange.waited_too_long = waited > options_.queue_wait_max;
  exchange.has_no_place = has_no_place;
  connection.keep_alive = head.keep_alive;
  requests_.fetch_add(1, std::memory_order_relaxed);

  bool sent = process(exchange);
  if (exchange.late) return end_late(exchange, received.substr(0, *end));
  if (exchange.endless && *exchange.endless) return begin_endless(exchange, stream.flush() && sent);
  if (stream.holds_all()) {
    exchange.transfer->pieces.insert(exchange.transfer->pieces.begin(), {stream.take_held(), 0, 0});
  } else {
    sent = stream.flush() && sent;
  }
  give_on(connection, stream, std::move(exchange.transfer), sent);
}

bool FrontDoor::process(Exchange& exchange) {
  Exchange::current = &exchange;
  // httplib is told that the connection closes, and so writes "Connection: close", which
  // finish_headers() takes back: making its Keep-Alive header takes longer than the rest of the
  // answer.
  bool closed = false;
  const bool sent =
      process_request(exchange.stream, true, closed, [&head = exchange.head](httplib::Request& request) {
        request.method = head.method;  // a HEAD's answer has no body
      });
  Exchange::current = nullptr;
  return sent;
}

void FrontDoor::give_on(Connection& connection, ConnectionStream& stream, std::optional<Transfer> transfer,
                        bool sent) {
  if (stream.found_no_place()) overloaded_.fetch_add(1, std::memory_order_relaxed);
  if (transfer && !sent && transfer->on_end) transfer->on_end(false);
  if (auto rest = stream.take_rest(); rest && sent) {
    if (!transfer) transfer.emplace();
    // What was kept of a head goes ahead of a file; the file's holder stays with the place.
    transfer->pieces.insert(transfer->pieces.begin(), TransferPiece{std::move(rest->bytes), 0, 0});
    transfer->holder = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
        std::move(transfer->holder), std::move(rest->place));
  }
  if (transfer && sent) {
    transfers_->begin(connection, std::move(*transfer));
  } else {
    doorkeeper_->take_back(connection, after_answer(connection, sent));
  }
}

void FrontDoor::begin_endless(Exchange& exchange, bool sent) {
  if (!sent) return doorkeeper_->take_back(exchange.connection, Afterwards::kAbort);
  auto rest = exchange.stream.take_rest();
  endless_->begin(exchange.connection,
                  {std::move(*exchange.endless), !exchange.head.is_http_1_0, rest ? std::move(rest->bytes) : std::string()});
}

// ---- answers that come later ------------------------------------------------------------------------------------

RequestContext::Word FrontDoor::begin_late(Exchange& exchange) {
  assert(!exchange.late);
  if (handlers_->expected() >= options_.late_answers_max) return {};
  exchange.late = std::make_shared<LateAnswer>();
  return [this, &connection = exchange.connection, late = exchange.late](std::optional<Problem> problem) {
    late->problem = std::move(problem);
    if (late->is_whole()) handlers_->submit_expected(connection);
  };
}

void FrontDoor::end_late(Exchange& exchange, std::string head) {
  Connection& connection = exchange.connection;
  const auto late = std::move(exchange.late);
  assert(!exchange.transfer && "an answer that comes later is neither a file nor paused");
  late->head = std::move(head);
  late->bytes = exchange.stream.take_held();
  connection.late = late;
  handlers_->expect();
  if (!late->is_whole()) return;
  handlers_->expect_no_more();
  serve(connection);
}

void FrontDoor::send_late(Connection& connection, LateAnswer& late) {
  ConnectionStream stream(connection, options_.answer_pace, answer_places_);
  bool sent = true;
  if (late.problem) {
    thread_local RequestHead head;
    [[maybe_unused]] const auto error =
        parse_request_head(late.head, head);
    assert(!error);
    // The body has been read.
    head.content_length.reset();
    head.chunked = false;
    ConnectionBody body(connection, head, options_.body_pace);
    Exchange exchange{connection, head, body, stream};
    exchange.refused_late = &late;
    sent = process(exchange);
  } else {
    stream.write(late.bytes.data(), late.bytes.size());
  }
  sent = stream.flush() && sent;
  give_on(connection, stream, std::nullopt, sent);
}

void FrontDoor::refuse(RequestContext& context, const std::string& why) {
  overloaded_.fetch_add(1, std::memory_order_relaxed);
  context.answer(Problem::unavailable(why, 5));
  if (options_.on_refused) options_.on_refused(context);
}

void FrontDoor::answer(httplib::Response& response) {
  Exchange& exchange = *Exchange::current;
  const Connection& connection = exchange.connection;
  RequestContext context(exchange.head, exchange.body, response,
                         {connection.peer_address(), connection.is_encrypted(), connection.devices_only,
                          connection.certificate(), &options_.trusted_proxies});
  fill(exchange, context);
  exchange.transfer = context.take_transfer();
  exchange.endless = context.take_endless();
  if (exchange.late) {
    exchange.late->writer = context.problem_writer();
    exchange.stream.hold_all();
  }
  // What is made while it is sent cannot be put off without keeping it all, or this thread, waiting.
  if (const auto pause = context.pause(); pause > SteadyClock::duration(0) && !response.content_provider_) {
    exchange.stream.hold_all();
    if (!exchange.transfer) exchange.transfer.emplace();
    exchange.transfer->pause = pause;
  }
  const bool has_no_end = exchange.endless && *exchange.endless;
  if (!exchange.body.discard_arrived() || doorkeeper_->is_closing() || has_no_end) {
    exchange.connection.keep_alive = false;
  }
}

void FrontDoor::fill(Exchange& exchange, RequestContext& context) {
  if (exchange.refused_late) {
    context.set_problem_writer(exchange.refused_late->writer);
    context.answer(*exchange.refused_late->problem);
  } else if (exchange.waited_too_long) {
    refuse(context, "The service has more requests than it can serve");
  } else if (exchange.has_no_place) {
    refuse(context, "The service waits for the bodies of " + std::to_string(body_places_.places()) +
                        " other requests already");
  } else {
    context.set_later([this, &exchange] { return begin_late(exchange); });
    try {
      handler_(context);
    } catch (const std::exception& error) {
      log_failure(context, error.what());
      context.reset_answer();
      context.answer(Problem::internal());
    } catch (...) {
      log_failure(context, "an exception that is no std::exception");
      context.reset_answer();
      context.answer(Problem::internal());
    }
  }
}

void FrontDoor::finish_headers(httplib::Response& response) const {
  response.headers.emplace("Date", http_date_now());
  const Exchange& exchange = *Exchange::current;
  if (exchange.endless) {  // its length is nowhere
    response.headers.erase("Content-Length");
    if (!exchange.head.is_http_1_0) response.headers.emplace("Transfer-Encoding", "chunked");
  }
  if (exchange.connection.keep_alive) {
    response.headers.erase("Connection");
    if (exchange.head.is_http_1_0) response.headers.emplace("Connection", "keep-alive");
  }
  if (response.status == 204 || response.status == 304) response.headers.erase("Content-Length");
}

FrontDoorCounts FrontDoor::counts() const {
  FrontDoorCounts counts;
  if (doorkeeper_) counts.door = doorkeeper_->counts();
  if (handlers_) {
    counts.queued = handlers_->queued();
    counts.handlers = handlers_->running();
    counts.late = handlers_->expected();
    counts.bodies = body_places_.taken();
    counts.readers = answer_places_.handlers.taken();
    counts.kept_bytes = answer_places_.bytes.taken();
  }
  if (transfers_) counts.transfers = transfers_->running();
  if (endless_) counts.endless = endless_->open();
  counts.requests = requests_.load(std::memory_order_relaxed);
  counts.overloaded = overloaded_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace ota::http
