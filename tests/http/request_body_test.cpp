#include "http/request_body.hpp"

#include <doctest/doctest.h>

#include "tests/http/text_context.hpp"

using namespace ota::http;
using test::TextBody;

TEST_CASE("a body up to the limit is read whole") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{1'000'000}}) {
    TextBody body(std::string(size, 'x'));
    std::string out = "old";
    CHECK_FALSE(read_whole_body(body, 1'000'000, out));
    CHECK(out == std::string(size, 'x'));
  }
}

TEST_CASE("a declared size over the limit is refused before the body is read") {
  TextBody body(std::string(11, 'x'));
  body.declared = 11;
  std::string out;
  const auto problem = read_whole_body(body, 10, out);
  REQUIRE(problem);
  CHECK(problem->status == 413);
  CHECK(problem->message == "The request's body has 11 bytes, but at most 10 are taken here");
  CHECK(body.taken() == 0);
}

TEST_CASE("a body of unknown size is refused once it passes the limit") {
  TextBody body(std::string(100'000, 'x'));
  std::string out;
  const auto problem = read_whole_body(body, 10'000, out);
  REQUIRE(problem);
  CHECK(problem->status == 413);
  CHECK(body.taken() <= 10'001);
}

TEST_CASE("a body that does not arrive is an error by its cause") {
  std::string out;
  TextBody cut("half", BodyOutcome::kCutOff);
  CHECK(read_whole_body(cut, 10, out)->status == 400);
  TextBody slow("half", BodyOutcome::kTooSlow);
  CHECK(read_whole_body(slow, 10, out)->status == 408);
  TextBody broken("half", BodyOutcome::kMalformed);
  CHECK(read_whole_body(broken, 10, out)->message ==
        "The request's body is not well-formed chunked coding");
}
