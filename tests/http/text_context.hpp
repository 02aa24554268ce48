// A RequestContext made of a text, for tests without sockets.
#pragma once

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/request_body.hpp"
#include "http/request_context.hpp"
#include "http/request_head.hpp"

namespace ota::http::test {

class TextBody final : public RequestBody {
 public:
  explicit TextBody(std::string text, BodyOutcome end = BodyOutcome::kEnd)
      : text_(std::move(text)), end_(end) {}
  BodyRead read(char* out, std::size_t size) override {
    const std::size_t count = std::min({size, text_.size() - at_, std::size_t{1000}});
    if (count == 0) return {end_, 0};
    std::memcpy(out, text_.data() + at_, count);
    at_ += count;
    return {BodyOutcome::kBytes, count};
  }
  std::optional<std::uint64_t> declared_size() const override { return declared; }
  std::size_t taken() const { return at_; }

  std::optional<std::uint64_t> declared;

 private:
  std::string text_;
  BodyOutcome end_;
  std::size_t at_ = 0;
};

struct TextContext {
  // `fields` are whole lines, each with its CR LF.
  explicit TextContext(const std::string& method, const std::string& target,
                       const std::string& fields = "", std::string body_text = "",
                       BodyOutcome body_end = BodyOutcome::kEnd, const Peer& peer = {"127.0.0.1"})
      : text(method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + fields +
             (body_text.empty() ? std::string()
                                : "Content-Length: " + std::to_string(body_text.size()) + "\r\n") +
             "\r\n"),
        body(std::move(body_text), body_end),
        context(parsed(), body, response, peer) {}

  std::string text;
  RequestHead head;
  TextBody body;
  httplib::Response response;
  RequestContext context;

 private:
  const RequestHead& parsed() {
    if (const auto error = parse_request_head(text, head)) throw std::logic_error(error->message);
    return head;
  }
};

}  // namespace ota::http::test
