// The record's bytes are for ever: golden bytes, round trips, and no input that harms the decoder.
#include "eventstore/record.hpp"

#include <doctest/doctest.h>

#include <random>

#include "eventstore/bytes.hpp"
#include "eventstore/hash64.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/sha256.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

std::string record_of(const NewEvent& event, std::int64_t time_us) {
  std::string record(kRecordTimeBytes + body_bytes(event), '\0');
  RecordedEvent view;
  encode_body(event, record.data() + kRecordTimeBytes, view);
  stamp_record(record.data(), Timestamp{std::chrono::microseconds(time_us)});
  return record;
}

NewEvent new_event(const RecordedEvent& event) {
  NewEvent copy;
  copy.stream = event.stream;
  copy.type = event.type;
  copy.tags.assign(event.tags.begin(), event.tags.end());
  copy.payload = event.payload;
  copy.origin = {event.caller, event.command, std::string(event.correlation), event.causation};
  return copy;
}

NewEvent full_event() {
  NewEvent full = event("update:1", {"device:9", "campaign:2"}, std::string("\0\x01payload", 9));
  full.type = 65535;
  full.origin.caller.bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  full.origin.command = command_id(0xab);
  full.origin.correlation = "req-1";
  full.origin.causation = {UINT64_MAX};
  return full;
}

}  // namespace

TEST_CASE("the worked example of record.hpp has these bytes") {
  NewEvent example = event("d7", {"fleet"}, "up");
  example.type = 300;
  example.origin.causation = {5};
  CHECK(hex(record_of(example, 1'000'000)) ==
        hex(from_hex("00 00 00 00 00 0f 42 40  01 18  ac 02  02 64 37  05  01 05 66 6c 65 65 74"
                     "02 75 70")));
}

TEST_CASE("a record with every part has these bytes") {
  CHECK(hex(record_of(full_event(), 1'700'000'000'123'456)) ==
        hex(from_hex("00 06 0a 24 18 20 22 40"                          // time
                     "01 1f ff ff 03"                                   // format, flags, type
                     "08 75 70 64 61 74 65 3a 31"                       // stream
                     "01 02 03 04 05 06 07 08"                          // caller
                     "ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab"  // command
                     "05 72 65 71 2d 31"                                // correlation
                     "ff ff ff ff ff ff ff ff ff 01"                    // causation
                     "02 08 64 65 76 69 63 65 3a 39"                    // tags
                     "0a 63 61 6d 70 61 69 67 6e 3a 32"                 //
                     "09 00 01 70 61 79 6c 6f 61 64")));                // payload
}

TEST_CASE("the smallest record is fourteen bytes") {
  NewEvent smallest = event("s", {}, "");
  smallest.type = 0;
  CHECK(hex(record_of(smallest, 0)) ==
        "0000000000000000"
        "01"
        "00"
        "00"
        "0173"
        "00");
}

TEST_CASE("hashes that keys and proofs depend on are for ever") {
  CHECK(hash64("") == 0xefd01f60ba992926);
  CHECK(hash64("a") == 0x82a2a958a9bece5b);
  CHECK(hash64("device:controller-17") == 0x8c9f38483943b2ef);
  Sha256 sha;
  const std::string record = record_of(event("s", {}, ""), 1);
  const Hash leaf = leaf_of_record(sha, record);
  // SHA-256(0x00 || time || SHA-256(body)), step by step.
  const Hash body = sha.hash(std::string_view(record).substr(8));
  std::string block(1, '\0');
  block += record.substr(0, 8);
  block.append(reinterpret_cast<const char*>(body.data()), body.size());
  REQUIRE(block.size() == 41);
  CHECK(leaf == sha.hash(block));
  CHECK(hex({reinterpret_cast<const char*>(sha.hash("abc").data()), 4}) == "ba7816bf");
}

TEST_CASE("what is encoded is decoded") {
  std::vector<NewEvent> events = {event("s"), full_event(), event("s", {}, "")};
  events.push_back(event(std::string(limits::kStreamBytes, 's'),
                         {std::string(limits::kTagBytes, 't'), "u"}, std::string(100'000, 'p')));
  NewEvent many = event("s");
  for (std::size_t i = 0; i < limits::kTagsPerEvent; ++i) many.tags.push_back(std::to_string(i));
  many.origin.correlation = std::string(limits::kCorrelationBytes, 'c');
  events.push_back(many);
  RecordedEvent decoded;  // used again and again, as readers do
  for (const NewEvent& original : events) {
    const std::string record = record_of(original, 42);
    REQUIRE_FALSE(decode_record(record, decoded));
    CHECK(decoded.time.time_since_epoch().count() == 42);
    CHECK(decoded.stream == original.stream);
    CHECK(decoded.payload == original.payload);
    CHECK(decoded.tags.size() == original.tags.size());
    CHECK(decoded.correlation == original.origin.correlation);
    CHECK(decoded.command == original.origin.command);
    CHECK(record_of(new_event(decoded), 42) == record);
  }
}

TEST_CASE("the view of an encoded event says the same as decoding it") {
  const NewEvent full = full_event();
  std::string body(body_bytes(full), '\0');
  RecordedEvent view;
  encode_body(full, body.data(), view);
  RecordedEvent decoded;
  const std::string record = std::string(8, '\0') + body;
  REQUIRE_FALSE(decode_record(record, decoded));
  view.time = decoded.time;
  CHECK(seen(view) == seen(decoded));
}

TEST_CASE("a damaged record is named, never read beyond its end, and never read in two ways") {
  const std::string sound = record_of(full_event(), 1'000'000);
  RecordedEvent decoded;
  for (std::size_t length = 0; length < sound.size(); ++length) {
    const std::string torn = sound.substr(0, length);
    CHECK(decode_record(torn, decoded));
  }
  CHECK(decode_record(sound + '\0', decoded));
  std::size_t read = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const auto fault = decode_record(damaged, decoded);
      if (fault) {
        CHECK(fault->offset <= damaged.size());
        continue;
      }
      // Other content, but content that has these bytes and no others.
      ++read;
      CHECK(record_of(new_event(decoded), decoded.time.time_since_epoch().count()) == damaged);
    }
  }
  CHECK(read > 0);
}

TEST_CASE("random bytes are a record or a fault") {
  std::mt19937 random(20240229);
  RecordedEvent decoded;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Half of them get far enough to have parts.
    if (round % 2 == 0 && bytes.size() > 9) {
      bytes[0] = 0;
      bytes[8] = kRecordFormat;
      bytes[9] = static_cast<char>(bytes[9] & 0x1f);
    }
    if (decode_record(bytes, decoded)) continue;
    CHECK(record_of(new_event(decoded), decoded.time.time_since_epoch().count()) == bytes);
  }
}

TEST_CASE("numbers have one form") {
  const auto reads = [](std::string_view text) {
    const std::string bytes = from_hex(text);
    ByteReader reader(bytes);
    std::uint64_t value = 0;
    return reader.varint(value) && reader.at_end();
  };
  CHECK(reads("00"));
  CHECK(reads("7f"));
  CHECK(reads("80 01"));
  CHECK(reads("ff ff ff ff ff ff ff ff ff 01"));
  CHECK_FALSE(reads(""));
  CHECK_FALSE(reads("80"));
  CHECK_FALSE(reads("80 00"));
  CHECK_FALSE(reads("ff ff ff ff ff ff ff ff ff 02"));
  CHECK_FALSE(reads("ff ff ff ff ff ff ff ff ff ff 01"));
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t value = std::uint64_t{1} << bit;
    char bytes[10];
    const char* end = store_varint(bytes, value);
    CHECK(static_cast<std::size_t>(end - bytes) == varint_bytes(value));
    ByteReader reader({bytes, static_cast<std::size_t>(end - bytes)});
    std::uint64_t read = 0;
    CHECK(reader.varint(read));
    CHECK(read == value);
  }
}
