#include "http/request_context.hpp"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "http/limits.hpp"
#include "http/request_id.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

// What the first of several proxies has said, which the client has asked.
std::string_view first_item(std::optional<std::string_view> list) {
  return trim(list.value_or("").substr(0, list.value_or("").find(',')));
}

bool has_port(std::string_view host) { return host.substr(host.find(']') + 1).find(':') != std::string_view::npos; }

}  // namespace

RequestContext::RequestContext(const RequestHead& head, RequestBody& body,
                               httplib::Response& response, const Peer& peer)
    : head_(head),
      body_stream_(body),
      response_(response),
      peer_(peer),
      is_from_trusted_proxy_(peer.is_trusted_proxy()) {
  const auto callers = usable_request_id(header("X-Request-Id"));
  request_id_is_callers_ = callers.has_value();
  request_id_ = callers ? std::string(*callers) : new_request_id();
  reset_answer();
}

void RequestContext::reset_answer() {
  response_ = httplib::Response();
  response_.version = "HTTP/1.1";
  response_.headers.emplace("X-Request-Id", request_id_);
  transfer_.reset();
  endless_.reset();
}

const std::string& RequestContext::parameter(std::string_view name) const {
  const auto at = std::find_if(parameters_.begin(), parameters_.end(),
                               [&](const auto& parameter) { return parameter.first == name; });
  assert(at != parameters_.end() && "the route's pattern has no such parameter");
  return at->second;
}

void RequestContext::add_parameter(std::string_view name, std::string value) {
  parameters_.emplace_back(name, std::move(value));
}

// Each proxy adds whom it was asked by, at the end of the list or as one more field: behind the last one that is trusted the
// rest is anybody's word.
std::string_view RequestContext::client_address() const {
  std::string_view client = peer_.address;
  if (!is_from_trusted_proxy_) return client;
  for (auto field = head_.fields.rbegin(); field != head_.fields.rend(); ++field) {
    if (!equals_ignoring_case(field->name, "X-Forwarded-For")) continue;
    std::string_view rest = field->value;
    while (!rest.empty()) {
      const auto comma = rest.rfind(',');
      const auto item = trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      if (!parse_ip(item)) return client;
      client = item;
      if (!peer_.trusted_proxies->contains(item)) return client;
      rest = rest.substr(0, comma == std::string_view::npos ? 0 : comma);
    }
  }
  return client;
}

std::string RequestContext::origin() const {
  std::string scheme = peer_.encrypted ? "https" : "http";
  std::string host(header("Host").value_or(""));
  if (is_from_trusted_proxy_) {
    const auto proto = first_item(header("X-Forwarded-Proto"));
    if (equals_ignoring_case(proto, "https") || equals_ignoring_case(proto, "http")) {
      scheme = equals_ignoring_case(proto, "https") ? "https" : "http";
    }
    if (const auto named = first_item(header("X-Forwarded-Host")); !named.empty() && is_host(named)) host = named;
    // A port that the scheme has anyway is not said.
    const auto port = first_item(header("X-Forwarded-Port"));
    const bool usual = port == (scheme == "https" ? "443" : "80");
    if (!port.empty() && !usual && !has_port(host) && is_host("h:" + std::string(port))) {
      host += ':';
      host += port;
    }
  }
  return scheme + "://" + (host.empty() ? "localhost" : host);
}

std::string_view RequestContext::user_id() const {
  const std::string_view id = header("X-User-Id").value_or("");
  return id.size() <= limits::kUserIdBytes && count_characters(id) ? id : std::string_view();
}

void RequestContext::set_header(std::string_view name, std::string_view value) {
  // A line's end in a value would begin a header of the sender's choice.
  if (has_control_character(name) || has_control_character(value)) {
    throw std::invalid_argument("Header " + shown(name) + " would hold a control character");
  }
  const std::string key(name);
  response_.headers.erase(key);
  response_.headers.emplace(key, value);
}

void RequestContext::answer_json(int status, std::string text) {
  answer_text(status, std::move(text), "application/json");
}

void RequestContext::answer_text(int status, std::string text, std::string_view content_type) {
  response_.status = status;
  response_.body = std::move(text);
  set_header("Content-Type", content_type);
}

void RequestContext::answer_empty(int status) {
  response_.status = status;
  response_.body.clear();
}

void RequestContext::answer_endlessly(std::string_view content_type, std::unique_ptr<AnswerSource> source) {
  answer_empty(200);
  set_header("Content-Type", content_type);
  endless_ = std::move(source);
}

void RequestContext::answer(const Problem& problem) {
  if (problem_writer_ && *problem_writer_) {
    (*problem_writer_)(*this, problem);
  } else {
    answer_in_common_shape(problem);
  }
}

void RequestContext::answer_in_common_shape(const Problem& problem) {
  if (problem.retry_after_s) set_header("Retry-After", std::to_string(*problem.retry_after_s));
  if (!problem.allow.empty()) set_header("Allow", problem.allow);
  answer_json(problem.status, problem.to_json(request_id_));
}

}  // namespace ota::http
