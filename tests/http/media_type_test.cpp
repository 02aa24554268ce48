#include "http/media_type.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

TEST_CASE("JSON is known by its type, whatever its parameters") {
  CHECK(is_json("application/json"));
  CHECK(is_json("Application/JSON ; charset=utf-8"));
  CHECK(is_json("application/hal+json"));
  CHECK_FALSE(is_json(""));
  CHECK_FALSE(is_json("application/jsonp"));
  CHECK_FALSE(is_json("text/plain; x=application/json"));
}

TEST_CASE("an Accept header names a form of JSON, leaves it open, or takes none") {
  CHECK(json_form("") == JsonForm::kHal);
  CHECK(json_form(" ") == JsonForm::kHal);
  CHECK(json_form("*/*") == JsonForm::kHal);
  CHECK(json_form("application/*") == JsonForm::kHal);
  CHECK(json_form("application/hal+json, application/json") == JsonForm::kPlain);
  CHECK(json_form("application/json;charset=UTF-8") == JsonForm::kPlain);
  CHECK(json_form("text/html, */*;q=0.1") == JsonForm::kHal);
  CHECK(json_form("text/html") == JsonForm::kNone);
  CHECK(json_form("application/json; q=0.0, */*;q=0") == JsonForm::kNone);
  CHECK(json_form("application/cbor") == JsonForm::kCbor);
  CHECK(json_form("application/cbor, application/json") == JsonForm::kPlain);
}

TEST_CASE("an Accept header's weights decide, and a name before a wildcard") {
  CHECK(json_form("application/json;q=0.1, application/cbor") == JsonForm::kCbor);
  CHECK(json_form("application/json; q=0.5, application/cbor; q=0.25") == JsonForm::kPlain);
  CHECK(json_form("application/json;q=0.999, application/cbor;Q=1.0") == JsonForm::kCbor);
  CHECK(json_form("application/json;q=0.2, */*") == JsonForm::kHal);
  CHECK(json_form("*/*, application/cbor") == JsonForm::kCbor);
  CHECK(json_form("application/hal+json;q=0, */*") == JsonForm::kPlain);
  CHECK(json_form("application/*;q=0, */*") == JsonForm::kNone);
  CHECK(json_form("application/cbor;q=0.001, text/html") == JsonForm::kCbor);
  CHECK(json_form("application/json;q=much") == JsonForm::kPlain);
  CHECK(json_form("application/json;q=0.0001") == JsonForm::kNone);
}
