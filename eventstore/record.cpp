#include "eventstore/record.hpp"

#include <algorithm>

#include "eventstore/assert.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {
namespace {

enum Flag : std::uint8_t {
  kCaller = 0x01,
  kCommand = 0x02,
  kCorrelation = 0x04,
  kCausation = 0x08,
  kTags = 0x10,
  kAll = 0x1f,
};

std::uint8_t flags_of(const NewEvent& event) {
  const Origin& origin = event.origin;
  return static_cast<std::uint8_t>(
      (origin.caller.empty() ? 0 : kCaller) | (origin.command ? kCommand : 0) |
      (origin.correlation.empty() ? 0 : kCorrelation) |
      (origin.causation.value == 0 ? 0 : kCausation) | (event.tags.empty() ? 0 : kTags));
}

bool is_name(std::string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max;
}

void assert_within_limits(const NewEvent& event) {
  OTA_ASSERT(is_name(event.stream, limits::kStreamBytes));
  OTA_ASSERT(event.origin.correlation.size() <= limits::kCorrelationBytes);
  OTA_ASSERT(event.tags.size() <= limits::kTagsPerEvent);
  for (auto tag = event.tags.begin(); tag != event.tags.end(); ++tag) {
    OTA_ASSERT(is_name(*tag, limits::kTagBytes));
    OTA_ASSERT(*tag != event.stream);  // the stream's name is a tag by itself
    OTA_ASSERT(std::find(event.tags.begin(), tag, *tag) == tag);  // no tag twice
  }
  OTA_ASSERT(event.payload.size() <= limits::kEventBytes);
}

std::size_t counted_bytes(std::string_view bytes) {
  return varint_bytes(bytes.size()) + bytes.size();
}

char* store_counted(char* out, std::string_view bytes, std::string_view& view) {
  out = store_varint(out, bytes.size());
  view = {out, bytes.size()};
  return store_bytes(out, bytes);
}

template <std::size_t N>
char* store_array(char* out, const std::array<std::uint8_t, N>& bytes) {
  std::memcpy(out, bytes.data(), N);
  return out + N;
}

}  // namespace

std::size_t body_bytes(const NewEvent& event) {
  assert_within_limits(event);
  const std::uint8_t flags = flags_of(event);
  std::size_t bytes = 2 + varint_bytes(event.type) + counted_bytes(event.stream);
  if (flags & kCaller) bytes += event.origin.caller.bytes.size();
  if (flags & kCommand) bytes += event.origin.command->bytes.size();
  if (flags & kCorrelation) bytes += counted_bytes(event.origin.correlation);
  if (flags & kCausation) bytes += varint_bytes(event.origin.causation.value);
  if (flags & kTags) {
    bytes += varint_bytes(event.tags.size());
    for (const std::string& tag : event.tags) bytes += counted_bytes(tag);
  }
  return bytes + counted_bytes(event.payload);
}

void encode_body(const NewEvent& event, char* out, RecordedEvent& view) {
  const std::uint8_t flags = flags_of(event);
  view.type = event.type;
  view.caller = event.origin.caller;
  view.command = event.origin.command;
  view.causation = event.origin.causation;

  *out++ = static_cast<char>(kRecordFormat);
  *out++ = static_cast<char>(flags);
  out = store_varint(out, event.type);
  out = store_counted(out, event.stream, view.stream);
  if (flags & kCaller) out = store_array(out, event.origin.caller.bytes);
  if (flags & kCommand) out = store_array(out, event.origin.command->bytes);
  if (flags & kCorrelation) out = store_counted(out, event.origin.correlation, view.correlation);
  if (flags & kCausation) out = store_varint(out, event.origin.causation.value);
  if (flags & kTags) {
    out = store_varint(out, event.tags.size());
    view.tags.resize(event.tags.size());
    for (std::size_t i = 0; i < event.tags.size(); ++i) {
      out = store_counted(out, event.tags[i], view.tags[i]);
    }
  }
  store_counted(out, event.payload, view.payload);
}

void stamp_record(char* record, Timestamp time) {
  const auto time_us = time.time_since_epoch().count();
  OTA_ASSERT(time_us >= 0);
  store_be64(record, static_cast<std::uint64_t>(time_us));
}

namespace {

// Returns what is wrong, or null.
const char* decode_tags(ByteReader& reader, RecordedEvent& event) {
  std::uint64_t count = 0;
  if (!reader.varint(count) || count == 0 || count > limits::kTagsPerEvent) return "tag count";
  event.tags.resize(static_cast<std::size_t>(count));
  for (auto tag = event.tags.begin(); tag != event.tags.end(); ++tag) {
    const bool sound = reader.counted(*tag) && is_name(*tag, limits::kTagBytes) &&
                       *tag != event.stream && std::find(event.tags.begin(), tag, *tag) == tag;
    if (!sound) return "tag";
  }
  return nullptr;
}

const char* decode_origin(ByteReader& reader, std::uint8_t flags, RecordedEvent& event) {
  event.caller = {};
  event.command.reset();
  event.correlation = {};
  event.causation = {};
  if (flags & kCaller) {
    if (!reader.bytes(event.caller.bytes) || event.caller.empty()) return "caller";
  }
  if (flags & kCommand) {
    if (!reader.bytes(event.command.emplace().bytes)) return "command";
  }
  if (flags & kCorrelation) {
    if (!reader.counted(event.correlation) ||
        !is_name(event.correlation, limits::kCorrelationBytes)) {
      return "correlation";
    }
  }
  if (flags & kCausation) {
    if (!reader.varint(event.causation.value) || event.causation.value == 0) return "causation";
  }
  return nullptr;
}

const char* decode(ByteReader& reader, RecordedEvent& event) {
  std::uint64_t time_us = 0;
  if (!reader.be64(time_us) || time_us > INT64_MAX) return "time";
  event.time = Timestamp{std::chrono::microseconds(static_cast<std::int64_t>(time_us))};
  std::uint8_t format = 0;
  if (!reader.byte(format) || format != kRecordFormat) return "format";
  std::uint8_t flags = 0;
  if (!reader.byte(flags) || (flags & ~kAll) != 0) return "flags";
  std::uint64_t type = 0;
  if (!reader.varint(type) || type > UINT16_MAX) return "type";
  event.type = static_cast<std::uint16_t>(type);
  if (!reader.counted(event.stream) || !is_name(event.stream, limits::kStreamBytes)) {
    return "stream";
  }
  if (const char* wrong = decode_origin(reader, flags, event)) return wrong;
  event.tags.clear();
  if (flags & kTags) {
    if (const char* wrong = decode_tags(reader, event)) return wrong;
  }
  if (!reader.counted(event.payload) || event.payload.size() > limits::kEventBytes) {
    return "payload";
  }
  return reader.at_end() ? nullptr : "end";
}

}  // namespace

std::optional<RecordFault> decode_record(std::string_view record, RecordedEvent& event) {
  ByteReader reader(record);
  const char* wrong = decode(reader, event);
  if (wrong == nullptr) return std::nullopt;
  return RecordFault{wrong, reader.offset()};
}

}  // namespace ota::eventstore
