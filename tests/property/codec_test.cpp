// Bytes that were changed on the way decode to nothing or to some event, and such an event has
// stable bytes.
#include "domain/codec/codec.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/stubs/logging.h>
#include <rapidcheck.h>

#include "tests/domain/examples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

void check_stable(std::uint16_t type, const std::string& payload) {
  const auto event = decode(type, payload);
  if (!event) return;
  const auto first = encode(*event);
  const auto again = decode(first.type, first.payload);
  RC_ASSERT(again.has_value());
  RC_ASSERT(encode(*again).payload == first.payload);
}

}  // namespace

TEST_CASE("changed bytes never harm the decoder") {
  const google::protobuf::LogSilencer quiet;
  CHECK(rc::check([] {
    const auto& example = *rc::gen::elementOf(examples());
    auto encoded = encode(example.event);
    const auto changes = *rc::gen::inRange(0, 4);
    for (int i = 0; i < changes && !encoded.payload.empty(); ++i) {
      encoded.payload[*rc::gen::inRange<std::size_t>(0, encoded.payload.size())] =
          *rc::gen::arbitrary<char>();
    }
    check_stable(encoded.type, encoded.payload);
  }));
  CHECK(rc::check([](const std::string& bytes) {
    for (const auto& example : examples()) check_stable(event_type(example.event), bytes);
  }));
}
