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

}  // namespace

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
