// tools/otactl/failure: error answers in words.
#include "tools/otactl/failure.hpp"

#include <doctest/doctest.h>

using ota::ctl::describe_error;

TEST_CASE("every bad field is shown on its own line") {
  CHECK(describe_error(
            422, R"({"success":false,"error":"ValidationError","message":"2 fields are invalid",
    "detail":[{"loc":["body","name"],"msg":"is empty","type":"x"},
              {"loc":["body","target_devices",3],"msg":"is too long","type":"x"}],
    "status_code":422,"request_id":"r-1"})") ==
        "ValidationError (422): 2 fields are invalid\n"
        "  name: is empty\n"
        "  target_devices.3: is too long\n"
        "  request id: r-1");
}

TEST_CASE("a detail that repeats the message is not shown twice") {
  CHECK(
      describe_error(
          404,
          R"({"error":"NotFound","message":"Campaign not found","detail":"Campaign not found"})") ==
      "NotFound (404): Campaign not found");
}

TEST_CASE("a detail object is shown member by member") {
  CHECK(describe_error(409,
                       R"({"error":"StateTransition","message":"no",
                              "detail":{"current_state":"completed","allowed":[]}})") ==
        "StateTransition (409): no\n  allowed: []\n  current_state: completed");
}

TEST_CASE("what is not the service's error shape is quoted, cut and harmless") {
  CHECK(describe_error(502, "") == "the service answered 502");
  CHECK(describe_error(502, "<html>\x1b[2J") == "the service answered 502: <html>?[2J");
  CHECK(describe_error(500, std::string(5000, 'x')).size() < 300);
  CHECK(describe_error(500, R"({"detail":"x"})") == R"(the service answered 500: {"detail":"x"})");
}
