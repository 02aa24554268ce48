// tools/otasim/net: requests as they go over the wire, and the pace of a throttled download.
#include "tools/otasim/net/request_text.hpp"

#include <doctest/doctest.h>

#include "tools/otasim/net/pace.hpp"

using namespace ota::sim;
using namespace std::chrono_literals;

namespace {

CallerFields fields() {
  return {"Accept: application/json\r\n", "Content-Type: application/json\r\n", "Accept: */*\r\n",
          "Authorization: GatewayToken t\r\n"};
}

}  // namespace

TEST_CASE("a request has its method's lines, its caller's, and no others") {
  HttpRequest request;
  const Url url = *parse_url("http://h:81/x?y");
  CHECK(request_text(request, url, fields(), true).bytes ==
        "GET /x?y HTTP/1.1\r\nHost: h:81\r\nAccept: application/json\r\n"
        "Authorization: GatewayToken t\r\n\r\n");
  request.is_artifact = true;
  request.resume_from = 512;
  request.method = Method::kHead;
  CHECK(request_text(request, url, fields(), true).bytes ==
        "HEAD /x?y HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nAuthorization: GatewayToken t\r\n"
        "Range: bytes=512-\r\n\r\n");
}

TEST_CASE("a body follows the head, with its length, also when there is nothing in it") {
  HttpRequest request;
  request.method = Method::kPut;
  request.body = "{}";
  request.expects_continue = true;
  const auto text = request_text(request, *parse_url("http://h/"), fields(), true);
  CHECK(text.bytes ==
        "PUT / HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\nAuthorization: GatewayToken t\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}");
  CHECK(text.head_size == text.bytes.size() - 2);
  request.method = Method::kPost;
  request.body.clear();
  CHECK(request_text(request, *parse_url("http://h/"), fields(), true)
            .bytes.find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("credentials go to nobody but the server") {
  const HttpRequest request;
  const auto text = request_text(request, *parse_url("http://elsewhere/"), fields(), false);
  CHECK(text.bytes.find("Authorization") == std::string::npos);
}

TEST_CASE("a paced reader takes as much in a second as it may") {
  const Pace::TimePoint begun{};
  Pace pace{1000, begun};
  CHECK(pace.next() == begun);
  std::int64_t taken = 0;
  for (; pace.next() <= begun + 2s; taken += pace.bytes_at_once()) pace.took(pace.bytes_at_once());
  CHECK(taken >= 2000);
  CHECK(taken <= 2200);
  CHECK(Pace{3, begun}.bytes_at_once() == 1);
}
