// One request and its answer, as a route's handler sees them.
//
// The answer is an httplib::Response; the helpers here fill it. What the request says is read from
// its head as it was sent (httplib's own Request is not filled). Lives on the handler's thread
// while the request runs; the views are valid as long.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/answer_source.hpp"
#include "http/conditional.hpp"
#include "http/peer.hpp"
#include "http/problem.hpp"
#include "http/request_body.hpp"
#include "http/request_head.hpp"
#include "http/transfers.hpp"

namespace ota::http {

class RequestContext;

// Puts a problem into an answer; a group of routes may have its own shape (DDI).
using ProblemWriter = std::function<void(RequestContext&, const Problem&)>;

class RequestContext {
 public:
  RequestContext(const RequestHead& head, RequestBody& body, httplib::Response& response, const Peer& peer);

  // --- What was asked
  std::string_view method() const { return head_.method; }
  bool is_head() const { return head_.method == "HEAD"; }
  std::string_view path() const { return head_.path; }    // as sent, not decoded
  std::string_view query() const { return head_.query; }  // for QueryReader
  std::optional<std::string_view> header(std::string_view name) const { return head_.header(name); }
  const RequestHead& head() const { return head_; }
  // The client's address; behind a trusted proxy the one that the proxy names.
  std::string_view client_address() const;
  const Peer& peer() const { return peer_; }
  // Headers that only a proxy may set are believed.
  bool is_from_trusted_proxy() const { return is_from_trusted_proxy_; }
  // "https://ota.example:8216", as the client names this service: what absolute links begin with.
  std::string origin() const;

  // The decoded value of {name} in the route's pattern; the route must have it.
  const std::string& parameter(std::string_view name) const;
  // The pattern of the route, for logs and metrics; empty if none was found.
  std::string_view route() const { return route_; }

  // The whole body of a route that does not stream; body_stream() for one that does.
  std::string& body() { return body_; }
  RequestBody& body_stream() { return body_stream_; }

  // --- Who asks
  const std::string& request_id() const { return request_id_; }
  // False: the id was made here.
  bool request_id_is_callers() const { return request_id_is_callers_; }
  // X-User-Id as sent, for whoever decides whether to believe it; empty if absent or if it cannot
  // be one, which whoever records it must refuse.
  std::string_view user_id() const;
  std::optional<std::string_view> idempotency_key() const { return header("Idempotency-Key"); }

  // --- The answer
  httplib::Response& response() { return response_; }
  // Throws std::invalid_argument on a control character.
  void set_header(std::string_view name, std::string_view value);
  void answer_json(int status, std::string text);
  void answer_text(int status, std::string text, std::string_view content_type);
  void answer_empty(int status);
  // Answers in the route's shape of errors.
  void answer(const Problem& problem);
  // Answers in the shape of spec/api.md, whatever the route's is.
  void answer_in_common_shape(const Problem& problem);
  // Sends this after the head of the answer, which must name its Content-Length, without occupying
  // the handler.
  void send_after_head(Transfer transfer) { transfer_ = std::move(transfer); }
  // Answers 200 with whatever the source gives, without an end and without occupying a handler; without a source, which HEAD
  // needs none of, the head alone.
  void answer_endlessly(std::string_view content_type, std::unique_ptr<AnswerSource> source);

  // Lets the answer wait: for those who ask too often, and must not be refused.
  void pause(std::chrono::steady_clock::duration time) { pause_ = time; }
  std::chrono::steady_clock::duration pause() const { return pause_; }

  // The handler has handed in what its answer speaks of, and nobody is to wait for that: the answer that it gives is sent
  // when the function that this returns is called, without a problem, or with one that is answered instead. It must be
  // called once, from any thread. Empty: this answer cannot come later.
  using Word = std::function<void(std::optional<Problem>)>;
  Word answer_later() { return later_ ? later_() : Word(); }

  // Calls this with the answer when the handler has given it.
  void when_answered(std::function<void(const httplib::Response&)> call) { when_answered_ = std::move(call); }

  // --- For the router and the front door
  void answered() {
    if (when_answered_) when_answered_(response_);
  }
  void set_route(std::string_view route) { route_ = route; }
  void add_parameter(std::string_view name, std::string value);
  void set_problem_writer(const ProblemWriter* writer) { problem_writer_ = writer; }
  const ProblemWriter* problem_writer() const { return problem_writer_; }
  void set_later(std::function<Word()> later) { later_ = std::move(later); }
  std::optional<Transfer> take_transfer() { return std::exchange(transfer_, std::nullopt); }
  // Empty: the answer has an end.
  using Endless = std::optional<std::unique_ptr<AnswerSource>>;
  Endless take_endless() { return std::exchange(endless_, std::nullopt); }
  // Empties the answer, the request id apart, to begin another one.
  void reset_answer();

 private:
  const RequestHead& head_;
  RequestBody& body_stream_;
  httplib::Response& response_;
  const Peer peer_;
  const bool is_from_trusted_proxy_;
  std::string request_id_;
  bool request_id_is_callers_ = false;
  std::string body_;
  std::string_view route_;
  std::vector<std::pair<std::string_view, std::string>> parameters_;
  const ProblemWriter* problem_writer_ = nullptr;
  std::optional<Transfer> transfer_;
  Endless endless_;
  std::chrono::steady_clock::duration pause_{};
  std::function<void(const httplib::Response&)> when_answered_;
  std::function<Word()> later_;
};

}  // namespace ota::http
