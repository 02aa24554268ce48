// Feeds: the number of an event's type (two bytes, little endian) and its payload; and the name of
// a stream.
//
// Claims: any bytes decode to an event or to nothing; an event has bytes that can be read, to an
// event with the same bytes, for ever; it can be shown as JSON, and has a name if this version
// knows it. A stream's name that is read is written as the same name.
#include <google/protobuf/stubs/logging.h>

#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "domain/streams.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::domain;
using namespace ota::fuzz;

namespace {

void check_event(std::uint16_t type, std::string_view payload) {
  const auto event = decode(type, payload);
  if (!event) return;
  const bool known = !std::holds_alternative<UnknownEvent>(*event);
  claim(event_type(*event) == type, "an event keeps its type");
  claim(known == (event_name(type) != "unknown"), "a known event has a name");
  const auto encoded = encode(*event);
  claim(encoded.type == type, "it is written as what it is");
  // Bytes that nobody wrote may say what means nothing (a hash of no parts): that is gone once it
  // is written.
  const auto written = decode(encoded.type, encoded.payload);
  claim(written.has_value(), "what is written can be read");
  const auto again = encode(*written);
  claim(again.payload == encoded.payload, "and is written as the same bytes");
  claim(decode(again.type, again.payload) == written, "which are the same event");
  claim(nlohmann::json::accept(to_json_text(*event)), "it can be shown");
  const auto is_json = [](std::string_view text) { return text.find('\0') == text.npos && nlohmann::json::accept(text); };
  claim(nlohmann::json::accept(to_json_text(*event, is_json)), "with what was given as JSON in it, too");
}

void check_stream(std::string_view name) {
  const auto stream = parse_stream(name);
  if (stream) claim(stream_name(*stream) == name, "a stream's name reads as it was written");
  claim(!readable_name(name).empty() || name.empty(), "people can read it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const google::protobuf::LogSilencer quiet;
  const Guarded guarded(text_of(data, size));
  const auto bytes = guarded.view();
  check_stream(bytes);
  if (bytes.size() < 2) return 0;
  const auto type = static_cast<std::uint16_t>(data[0] | data[1] << 8);
  check_event(type, bytes.substr(2));
  return 0;
}
