#include "tools/otasim/http_exchange.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace ota::sim {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr long kCallTimeoutMs = 30'000;         // of everything but downloads
constexpr long kStalledSeconds = 30;            // a download without a byte for so long is broken
constexpr std::size_t kBodyBytesMax = 1 << 20;  // of an answer that is kept
constexpr long kRedirectsMax = 5;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK)
    throw std::runtime_error(fmt::format("curl_easy_setopt({}): {}", static_cast<int>(option),
                                         curl_easy_strerror(code)));
}

}  // namespace

HttpExchange::HttpExchange(const HttpSettings& settings)
    : settings_(settings), easy_(curl_easy_init()) {
  if (!easy_) throw std::runtime_error("curl_easy_init failed");
}

void HttpExchange::prepare(std::uint64_t id, HttpRequest request, OnAnswer on_answer) {
  id_ = id;
  request_ = std::move(request);
  on_answer_ = std::move(on_answer);
  answer_ = {};
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_USERAGENT, "otasim/" OTA_VERSION);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_NOPROXY,
      "*");  // devices stand beside the server, whatever the environment says
  set(easy, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy, CURLOPT_MAXREDIRS, kRedirectsMax);
  set(easy, CURLOPT_HEADERFUNCTION, &HttpExchange::took_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy, CURLOPT_WRITEFUNCTION, &HttpExchange::took_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (!settings_.ca_file.empty()) set(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (settings_.insecure) {
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  set_method();
  set_limits();
  set_headers();
}

void HttpExchange::set_method() {
  CURL* easy = easy_.get();
  if (request_.method == Method::kGet) {
    set(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDS, request_.body.c_str());  // not copied: request_ stays
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  if (request_.method == Method::kPut) set(easy, CURLOPT_CUSTOMREQUEST, "PUT");
}

void HttpExchange::set_limits() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  if (request_.on_data) {
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  } else {
    set(easy, CURLOPT_TIMEOUT_MS, kCallTimeoutMs);
  }
  if (request_.bytes_per_s_max > 0)
    set(easy, CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(request_.bytes_per_s_max));
  if (request_.resume_from > 0)
    set(easy, CURLOPT_RANGE, fmt::format("{}-", request_.resume_from).c_str());
}

void HttpExchange::set_headers() {
  curl_slist* list = nullptr;
  const auto add = [&list](const char* line) {
    curl_slist* longer = curl_slist_append(list, line);
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  };
  add(request_.on_data ? "Accept: application/octet-stream" : "Accept: application/json");
  if (request_.method != Method::kGet) add("Content-Type: application/json");
  const bool trusted = request_.url.starts_with(settings_.trusted_base);
  if (!settings_.authorization.empty() && trusted)
    add(("Authorization: " + settings_.authorization).c_str());
  headers_.reset(list);
  set(easy_.get(), CURLOPT_HTTPHEADER, list);
}

HttpExchange::Outcome HttpExchange::finish(CURLcode result) {
  answer_.complete = result == CURLE_OK;
  if (result != CURLE_OK) answer_.error = curl_easy_strerror(result);
  curl_off_t elapsed_us = 0;
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &elapsed_us);
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  answer_.elapsed = std::chrono::microseconds{elapsed_us};
  Outcome outcome{std::move(answer_), std::move(on_answer_), static_cast<std::uint64_t>(connects)};
  forget();
  return outcome;
}

void HttpExchange::forget() {
  request_ = {};
  on_answer_ = nullptr;
}

std::size_t HttpExchange::took_header(char* bytes, std::size_t size, std::size_t count,
                                      void* self) {
  read_header_line({bytes, size * count}, static_cast<HttpExchange*>(self)->answer_.head);
  return size * count;
}

std::size_t HttpExchange::took_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  const std::string_view data{bytes, size * count};
  if (exchange.request_.on_data)
    return exchange.request_.on_data(exchange.answer_.head, data) ? data.size() : 0;
  if (exchange.answer_.body.size() + data.size() > kBodyBytesMax) return 0;
  exchange.answer_.body += data;
  return data.size();
}

}  // namespace ota::sim
