// Golden files hold an event of every type as it was first written. They must decode for ever, to
// the same values.
//
// A new type has no file yet: run the tests once with OTA_WRITE_GOLDEN=1, look at the file, and
// keep it. A file that exists is never written again. Format: "type <number>", then the payload in
// hex, 32 bytes a line.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "domain/codec/codec.hpp"
#include "tests/domain/examples.hpp"
#include "tests/domain/source_tree.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesPerLine = 32;

fs::path folder() { return source_root() / "tests/domain/golden"; }

fs::path file_of(const Example& example) {
  std::string name(event_name(event_type(example.event)));
  if (!example.variant.empty()) name += "." + example.variant;
  return folder() / (name + ".txt");
}

void write(const fs::path& path, const EncodedEvent& encoded) {
  std::ofstream file(path);
  file << "type " << encoded.type << '\n';
  const std::string_view bytes = encoded.payload;
  for (std::size_t i = 0; i < bytes.size(); i += kBytesPerLine) {
    file << to_hex(bytes.substr(i, kBytesPerLine)) << '\n';
  }
  REQUIRE(file.flush());
}

std::optional<EncodedEvent> read(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  EncodedEvent encoded;
  if (!(file >> word >> encoded.type) || word != "type") return std::nullopt;
  while (file >> word) {
    const auto bytes = from_hex(word);
    if (!bytes) return std::nullopt;
    encoded.payload += *bytes;
  }
  return encoded;
}

}  // namespace

TEST_CASE("every event that can be written has a golden file, and still has its bytes and values") {
  const bool writing = std::getenv("OTA_WRITE_GOLDEN") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  for (const auto& example : examples()) {
    const auto path = file_of(example);
    CAPTURE(path.filename().string());
    if (writing && !fs::exists(path)) write(path, encode(example.event));
    const auto golden = read(path);
    CHECK_MESSAGE(golden, "no golden file; see golden_test.cpp");
    if (!golden) continue;
    CHECK(golden->type == event_type(example.event));
    CHECK(decode(golden->type, golden->payload) == example.event);
    CHECK(to_hex(encode(example.event).payload) == to_hex(golden->payload));
  }
}

TEST_CASE("every golden file that there is decodes, and encodes to the same bytes") {
  std::set<std::string> known;
  for (const auto& example : examples()) known.insert(file_of(example).filename().string());
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    const auto name = entry.path().filename().string();
    CAPTURE(name);
    ++files;
    CHECK_MESSAGE(known.contains(name), "its example is gone: events are for ever");
    const auto golden = read(entry.path());
    REQUIRE(golden);
    const auto event = decode(golden->type, golden->payload);
    REQUIRE(event);
    CHECK_FALSE(std::holds_alternative<UnknownEvent>(*event));
    CHECK(encode(*event).type == golden->type);
    CHECK(to_hex(encode(*event).payload) == to_hex(golden->payload));
  }
  CHECK(files == known.size());
}
