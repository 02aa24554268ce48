#include "tools/otasim/net/http_client.hpp"

#include <algorithm>
#include <utility>

namespace ota::sim {
namespace {

constexpr unsigned kRedirectsMax = 5;

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

HttpTicket::HttpTicket(HttpTicket&& other) noexcept
    : client_(std::exchange(other.client_, nullptr)), id_(other.id_) {}

HttpTicket& HttpTicket::operator=(HttpTicket&& other) noexcept {
  if (this != &other) {
    cancel();
    client_ = std::exchange(other.client_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void HttpTicket::cancel() {
  if (client_ != nullptr) std::exchange(client_, nullptr)->cancel(id_);
}

HttpClient::HttpClient(EventLoop& loop, HttpSettings settings, const Choices& choices)
    : settings_(std::move(settings)),
      tls_(settings_.tls),
      pool_(*this, loop, tls_,
            {settings_.connections_max, settings_.opening_max, settings_.faults.half_open_max,
             {settings_.timeout, settings_.connect_timeout}}),
      choices_(choices) {}

CallerId HttpClient::add_caller(Caller caller) {
  tls_.add_caller(caller.certificate_file);
  callers_.push_back({std::move(caller)});
  return static_cast<CallerId>(callers_.size() - 1);
}

HttpTicket HttpClient::send(HttpRequest request, OnAnswer on_answer) {
  auto exchange = std::make_unique<Exchange>();
  exchange->id = ++last_id_;
  exchange->request = std::move(request);
  exchange->on_answer = std::move(on_answer);
  callers_[exchange->request.caller].powered = true;
  order_.push_back(last_id_);
  waiting_.emplace(last_id_, std::move(exchange));
  return {*this, last_id_};
}

void HttpClient::cancel(std::uint64_t id) {
  if (waiting_.erase(id) > 0) return;
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  const bool powered = callers_[found->second->place().caller].powered;
  powered ? pool_.drop(*found->second) : pool_.forget(*found->second);
  active_.erase(found);
}

void HttpClient::hang_up(CallerId caller) {
  pool_.end_idle_of(caller, ConnectionPool::Manner::kClose);
}

void HttpClient::power_failed(CallerId caller) {
  callers_[caller].powered = false;
  pool_.end_idle_of(caller, ConnectionPool::Manner::kForget);
}

// --- starting

bool HttpClient::before_wait() {
  pool_.bury();
  for (const std::uint64_t token : std::exchange(with_more_, {}))
    if (Connection* connection = pool_.find(token)) connection->go_on();
  start_waiting();
  return !with_more_.empty();
}

// Those that wait for that: the others have their connections, and go on meanwhile.
void HttpClient::let_some_connect() {
  const auto count = static_cast<std::ptrdiff_t>(std::min(to_connect_.size(), pool_.openings_left()));
  order_.insert(order_.begin(), to_connect_.begin(), to_connect_.begin() + count);
  to_connect_.erase(to_connect_.begin(), to_connect_.begin() + count);
}

void HttpClient::start_waiting() {
  let_some_connect();
  while (!order_.empty() && pool_.has_room()) {
    const std::uint64_t id = order_.front();
    order_.pop_front();
    auto found = waiting_.extract(id);
    if (found.empty()) continue;  // cancelled
    std::unique_ptr<Exchange> exchange = std::move(found.mapped());
    if (exchange->text.bytes.empty()) {
      const auto url = parse_url(exchange->request.url);
      if (!url) {
        refuse(std::move(exchange), "URL using bad/illegal format or missing URL");
        continue;
      }
      exchange->url = *url;
      prepare(*exchange);
    }
    const auto wish =
        exchange->wants_new_connection ? ConnectionPool::Wish::kNew : ConnectionPool::Wish::kAny;
    const auto given = pool_.take(exchange->request.caller, exchange->url.origin, wish);
    if (given.must_wait) {
      to_connect_.push_back(id);
      waiting_.emplace(id, std::move(exchange));
      continue;
    }
    if (given.connection == nullptr) {
      refuse(std::move(exchange), "Couldn't resolve host name");
      continue;
    }
    Known& known = callers_[exchange->request.caller];
    exchange->fault = draw_fault(settings_.faults, choices_, known.caller.device, ++known.requests);
    active_.emplace(id, given.connection);
    given.connection->start(std::move(exchange));
  }
}

void HttpClient::prepare(Exchange& exchange) {
  const bool trusted = exchange.url.origin == settings_.server;
  exchange.text = request_text(exchange.request, exchange.url,
                               callers_[exchange.request.caller].caller.fields, trusted);
}

void HttpClient::refuse(std::unique_ptr<Exchange> exchange, std::string error) {
  HttpAnswer nothing;
  nothing.error = std::move(error);
  answer(std::move(exchange), std::move(nothing));
}

// --- what the connections say

void HttpClient::on_ready(std::uint64_t token, std::uint32_t events) {
  if (Connection* connection = pool_.find(token)) connection->on_ready(events);
}

void HttpClient::has_more(Connection& connection) {
  with_more_.push_back(connection.place().token);
}

void HttpClient::exchange_ended(Connection& connection, Ending ending) {
  active_.erase(ending.exchange->id);
  if (ending.fault) ++faults_[static_cast<std::size_t>(*ending.fault)];
  if (ending.reusable)
    pool_.put_back(connection);
  else if (ending.half_open)
    pool_.forget(connection);
  else
    pool_.drop(connection);
  if (goes_on(*ending.exchange, ending)) return wait_first(std::move(ending.exchange));
  answer(std::move(ending.exchange), std::move(ending.answer));
}

// Whether the request is not over yet: then it is ready to be sent again.
bool HttpClient::goes_on(Exchange& exchange, const Ending& ending) {
  if (ending.server_had_closed && !exchange.wants_new_connection) {
    exchange.wants_new_connection = true;
    return true;
  }
  const HttpHead& head = ending.answer.head;
  if (!ending.answer.complete || !is_redirect(head.status) || head.location.empty()) return false;
  const auto url = follow_location(exchange.url, head.location);
  if (!url || ++exchange.redirects > kRedirectsMax) return false;
  exchange.url = *url;
  if (head.status == 303) exchange.request.method = Method::kGet;
  prepare(exchange);
  return true;
}

void HttpClient::wait_first(std::unique_ptr<Exchange> exchange) {
  const std::uint64_t id = exchange->id;
  order_.push_front(id);
  waiting_.emplace(id, std::move(exchange));
}

void HttpClient::answer(std::unique_ptr<Exchange> exchange, HttpAnswer answer) {
  ++requests_done_;
  if (!answer.complete) ++requests_broken_;
  if (answer.complete && answer.head.status == 401) ++unauthorized_;
  const OnAnswer on_answer = std::move(exchange->on_answer);
  exchange.reset();
  on_answer(std::move(answer));  // last: it may send, cancel, or destroy whoever asked
}

}  // namespace ota::sim
