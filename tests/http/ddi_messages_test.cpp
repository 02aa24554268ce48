// The devices' messages, without a service.
#include "http/ddi_messages.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace ota::http;
using nlohmann::json;

namespace {

ddi::Feedback feedback_with_code(const char* code) {
  FieldErrors errors;
  const auto body = json::parse(R"({"status":{"execution":"closed","result":{"finished":"failure"},"code":)" +
                                std::string(code) + "}}");
  const auto said = ddi::read_feedback(body, errors);
  REQUIRE(errors.empty());
  return said;
}

template <class Said>
std::string refusal(Said (*read)(const json&, FieldErrors&), const char* body) {
  FieldErrors errors;
  read(json::parse(body), errors);
  return errors.empty() ? "accepted" : errors.problem().message;
}

}  // namespace

TEST_CASE("what is of another type is named with its value") {
  CHECK(refusal(ddi::read_feedback, R"({"status":5})") == "1 invalid field: body.status: an object is wanted, got 5");
  CHECK(refusal(ddi::read_feedback, R"({"status":{"execution":"closed","result":"ok"}})") ==
        "1 invalid field: body.status.result: an object is wanted, got \"ok\"");
  CHECK(refusal(ddi::read_feedback, "{}") == "1 invalid field: body.status: field required");
  CHECK(refusal(ddi::read_config_data, R"({"data":[]})") == "1 invalid field: body.data: an object is wanted, got []");
  CHECK(refusal(ddi::read_config_data, R"({"data":{}})") == "1 invalid field: body.data: it names no attribute: {}");
  CHECK(refusal(ddi::read_config_data, R"({"data":{"a":{},"b":1,"c":true}})") == "1 invalid field: body.data.a: a text is wanted, got {}");
  CHECK(refusal(ddi::read_config_data, R"({"data":null})") == "1 invalid field: body.data: field required");
}

TEST_CASE("a link's number is one that clients can read, however high the action's") {
  ota::projections::PollRecord record;
  record.active = {1'999'999'999};
  const auto href = json::parse(ddi::poll({}, record, std::chrono::seconds(30), false))["_links"]["deploymentBase"]["href"];
  const auto text = href.get<std::string>();
  CHECK(std::stoll(text.substr(text.find("?c=") + 3)) <= INT32_MAX);
}

TEST_CASE("a code beyond the bounds of one is the nearest that is within, and keeps its sign") {
  CHECK(feedback_with_code("-7").code == -7);
  CHECK(feedback_with_code("2147483648").code == INT32_MAX);
  CHECK(feedback_with_code("-2147483649").code == INT32_MIN);
  CHECK(feedback_with_code("18446744073709551615").code == INT32_MAX);
  CHECK(feedback_with_code("9223372036854775808").code == INT32_MAX);
  CHECK(feedback_with_code("-9223372036854775808").code == INT32_MIN);
  CHECK_FALSE(feedback_with_code("1.5").code);
  CHECK_FALSE(feedback_with_code("\"7\"").code);
}
