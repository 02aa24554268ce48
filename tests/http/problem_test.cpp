#include "http/problem.hpp"

#include <doctest/doctest.h>

#include "http/field_errors.hpp"
#include "http/refusal.hpp"

using namespace ota::http;
using nlohmann::json;

TEST_CASE("an error answer has the one shape, in its order") {
  CHECK(Problem::not_found("Campaign not found: camp_1").to_json("req-1") ==
        R"({"success":false,"error":"NotFound","message":"Campaign not found: camp_1",)"
        R"("detail":"Campaign not found: camp_1","status_code":404,"request_id":"req-1"})");
}

TEST_CASE("every kind has its word and its status") {
  CHECK(Problem::validation("").status == 422);
  CHECK(Problem::bad_request("").status == 400);
  CHECK(Problem::too_large("").status == 413);
  CHECK(to_text(Problem::too_large("").kind) == "BadRequest");
  CHECK(Problem::unsupported_media("").status == 415);
  CHECK(Problem::checksum_mismatch("").status == 422);
  CHECK(to_text(Problem::checksum_mismatch("").kind) == "ChecksumMismatch");
  CHECK(Problem::unauthorized("").status == 401);
  CHECK(Problem::forbidden("").status == 403);
  CHECK(Problem::duplicate("").status == 409);
  CHECK(Problem::precondition_failed("").status == 412);
  CHECK(Problem::rate_limited("", 3).status == 429);
  CHECK(Problem::unavailable("", 3).retry_after_s == 3);
  CHECK(Problem::internal().status == 500);
  CHECK(to_text(Problem::internal().kind) == "InternalError");
}

TEST_CASE("a refused transition names the states") {
  const auto body = json::parse(
      Problem::state_transition("cannot start", "completed", "start", {"created", "scheduled"})
          .to_json("r"));
  CHECK(body["error"] == "StateTransition");
  CHECK(body["detail"]["current_state"] == "completed");
  CHECK(body["detail"]["requested"] == "start");
  CHECK(body["detail"]["allowed"] == json({"created", "scheduled"}));
}

TEST_CASE("bytes that are not UTF-8 do not break the answer") {
  const auto body = json::parse(Problem::bad_request("got '\xFF\xFE'").to_json("r"));
  CHECK(body["message"].get<std::string>().starts_with("got '"));
}

TEST_CASE("all bad fields are listed, up to a limit, and counted beyond it") {
  FieldErrors errors;
  CHECK(errors.empty());
  errors.add(json::array({"body", "name"}), "field required", "missing");
  CHECK(errors.problem().message == "1 invalid field: body.name: field required");
  for (int i = 0; i < 200; ++i) errors.add(json::array({"body", "ids", i}), "wrong", "string_type");
  const auto problem = errors.problem();
  CHECK(errors.size() == 201);
  CHECK(problem.detail.size() == 100);
  CHECK(problem.detail[0] ==
        json({{"loc", {"body", "name"}}, {"msg", "field required"}, {"type", "missing"}}));
  CHECK(problem.message ==
        "201 invalid fields: body.name: field required; body.ids.0: wrong; body.ids.1: wrong; and "
        "198 more");
}

TEST_CASE("a refusal is a whole answer that ends the connection") {
  const std::string text = refusal(503, "too many");
  CHECK(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(text.find("\r\nRetry-After: 1\r\n") != std::string::npos);
  CHECK(text.find("\r\nConnection: close\r\n") != std::string::npos);
  const auto body = json::parse(text.substr(text.find("\r\n\r\n") + 4));
  CHECK(body["error"] == "Unavailable");
  CHECK(text.find("X-Request-Id: " + body["request_id"].get<std::string>()) != std::string::npos);
  CHECK(refusal(431, "x").starts_with("HTTP/1.1 431 "));
}
