#include "tools/otasim/http_client.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <stdexcept>
#include <utility>

namespace ota::sim {
namespace {

// curl_multi calls fail only for want of memory or by misuse: nothing to go on with.
void must(CURLMcode code) {
  if (code != CURLM_OK)
    throw std::runtime_error(fmt::format("curl_multi: {}", curl_multi_strerror(code)));
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

HttpClient::HttpClient(EventLoop& loop, HttpSettings settings, std::size_t connections_max)
    : loop_(loop), settings_(std::move(settings)), connections_max_(connections_max) {
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::runtime_error("curl_multi_init failed");
  const auto most = static_cast<long>(connections_max);
  must(curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpClient::socket_changed));
  must(curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this));
  must(curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpClient::timer_changed));
  must(curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this));
  must(curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most));
  must(curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, most));
}

HttpClient::~HttpClient() {
  for (auto& [id, exchange] : active_) curl_multi_remove_handle(multi_, exchange->easy());
  active_.clear();
  free_.clear();
  curl_multi_cleanup(multi_);
}

HttpTicket HttpClient::send(HttpRequest request, OnAnswer on_answer) {
  const std::uint64_t id = ++last_id_;
  waiting_.emplace(id, Waiting{std::move(request), std::move(on_answer)});
  order_.push_back(id);
  return {*this, id};
}

void HttpClient::cancel(std::uint64_t id) {
  if (waiting_.erase(id) > 0) return;
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  must(curl_multi_remove_handle(multi_, found->second->easy()));
  found->second->forget();
  free_.push_back(std::move(found->second));
  active_.erase(found);
}

std::unique_ptr<HttpExchange> HttpClient::free_exchange() {
  if (free_.empty()) return std::make_unique<HttpExchange>(settings_);
  auto exchange = std::move(free_.back());
  free_.pop_back();
  return exchange;
}

void HttpClient::start_waiting() {
  while (!order_.empty() && active_.size() < connections_max_) {
    const std::uint64_t id = order_.front();
    order_.pop_front();
    auto found = waiting_.extract(id);
    if (found.empty()) continue;  // cancelled
    auto exchange = free_exchange();
    exchange->prepare(id, std::move(found.mapped().request), std::move(found.mapped().on_answer));
    must(curl_multi_add_handle(multi_, exchange->easy()));
    active_.emplace(id, std::move(exchange));
  }
}

void HttpClient::take_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    char* mark = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &mark);
    auto found = active_.extract(reinterpret_cast<HttpExchange*>(mark)->id());
    HttpExchange& exchange = *found.mapped();
    must(curl_multi_remove_handle(multi_, exchange.easy()));
    HttpExchange::Outcome outcome = exchange.finish(result);
    connections_opened_ += outcome.connections_opened;
    ++requests_done_;
    if (!outcome.answer.complete) ++requests_broken_;
    free_.push_back(std::move(found.mapped()));
    // Last: it may send, cancel, or destroy whoever asked.
    outcome.on_answer(std::move(outcome.answer));
  }
}

void HttpClient::before_wait() {
  take_finished();
  start_waiting();
}

void HttpClient::on_ready(int fd, std::uint32_t events) {
  int mask = 0;
  if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
  int running = 0;
  must(curl_multi_socket_action(multi_, fd, mask, &running));
}

void HttpClient::on_deadline() {
  deadline_.reset();
  int running = 0;
  must(curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running));
}

int HttpClient::socket_changed(CURL*, curl_socket_t fd, int what, void* self, void*) {
  std::uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  static_cast<HttpClient*>(self)->loop_.watch(fd, events);
  return 0;
}

int HttpClient::timer_changed(CURLM*, long timeout_ms, void* self) {
  auto& client = *static_cast<HttpClient*>(self);
  if (timeout_ms < 0)
    client.deadline_.reset();
  else
    client.deadline_ = EventLoop::now() + std::chrono::milliseconds{timeout_ms};
  return 0;
}

}  // namespace ota::sim
