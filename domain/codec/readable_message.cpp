#include "domain/codec/readable_message.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/strutil.h>

#include <cmath>
#include <map>

#include "domain/bitmap.hpp"
#include "domain/codec/convert.hpp"
#include "domain/time_text.hpp"
#include "domain/window.hpp"

namespace ota::domain::codec {
namespace {

namespace pb = ota::events;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::uint64_t kMinutesOfDay = 24 * 60;

// In the order of their numbers from 0 on; an empty word: the number says nothing, and is left out.
using Words = std::vector<std::string_view>;

// Words that have a function of their own in words.hpp.
template <class E>
Words words_of(std::uint8_t last) {
  Words words{""};
  for (std::uint8_t n = 1; n <= last; ++n) words.push_back(to_text(static_cast<E>(n)));
  return words;
}

const Words* words(pb::Shape shape) {
  static const std::map<pb::Shape, Words> all = {
      {pb::STRATEGY, words_of<Strategy>(5)},
      {pb::PRIORITY, words_of<Priority>(5)},
      {pb::CAMPAIGN_STATUS, words_of<CampaignStatus>(8)},
      {pb::UPDATE_STATUS, words_of<UpdateStatus>(11)},
      {pb::FAILURE_KIND, words_of<FailureKind>(4)},
      {pb::ROLLBACK_TRIGGER, words_of<RollbackTrigger>(5)},
      {pb::VERDICT_RULE, {"", "threshold", "evidence", "slice"}},
      {pb::VERDICT_DECISION, {"", "abort", "promote", "undecided", "pass"}},
      {pb::PAUSE_CAUSE, {"operator", "operator", "recalled", "canary", "own_faults"}},
      {pb::SKIP_REASON, {"", "already_there", "incompatible", "unknown"}},
      {pb::CANCEL_CAUSE,
       {"", "operator", "campaign_cancelled", "campaign_aborted", "device_deleted", "user_deleted", "declined", "recalled",
        "preempted", "scheduled_end", "finished", "superseded", "not_seen"}},
      {pb::REFUTED_BY, {"", "version", "health"}},
      {pb::REGISTERED_VIA, {"", "poll", "api", "import", "device_service", "mqtt"}},
      {pb::LOG_KEY_CHANGE, {"", "first", "rotated", "lost"}},
  };
  const auto found = all.find(shape);
  return found == all.end() ? nullptr : &found->second;
}

Readable text(std::string value) { return {std::move(value)}; }

std::optional<Readable> number_as(pb::Shape shape, std::uint64_t n, bool said) {
  if (const auto* known = words(shape)) {
    if (n >= known->size()) return Readable{n};  // of a newer version
    return (*known)[n].empty() ? std::nullopt : std::optional(text(std::string((*known)[n])));
  }
  switch (shape) {
    case pb::TIME: return n == 0 ? std::nullopt : std::optional(text(time_text(time_of(static_cast<std::int64_t>(n)))));
    case pb::MINUTE_OF_DAY: return n < kMinutesOfDay ? text(minute_text(static_cast<std::uint16_t>(n))) : Readable{n};
    case pb::PERSON: return n == 0 && !said ? std::nullopt : std::optional(Readable{Caller{n}});
    case pb::PERSON_TOKEN: return text(fmt::format("{:016x}", n));
    default: break;
  }
  if (n == 0 && !said) return std::nullopt;
  if (shape == pb::RANK) return text(fmt::format("{:016x}", n));
  return Readable{n};
}

std::optional<Readable> signed_as(pb::Shape shape, std::int64_t n, bool said) {
  if (shape == pb::TIME) return number_as(shape, static_cast<std::uint64_t>(n), said);
  if (n == 0 && !said) return std::nullopt;
  // Enough digits to tell two apart, and few enough to read.
  if (shape == pb::FIXED_POINT) return Readable{std::round(std::ldexp(static_cast<double>(n), -32) * 1e6) / 1e6};
  return Readable{n};
}

std::optional<Readable> bytes_as(pb::Shape shape, const std::string& bytes) {
  if (bytes.empty()) return std::nullopt;
  switch (shape) {
    case pb::FIRMWARE_ID: return text(to_text(FirmwareId{array_of<16>(bytes)}));
    case pb::UPDATE_ID: {
      const auto id = update_id_from_binary(bytes);
      return text(id ? to_text(*id) : to_hex(bytes));
    }
    case pb::DEVICES: {
      ReadableFields set;
      set.push_back({"devices", Readable{std::uint64_t{bitmap_from_bytes(bytes).cardinality()}}});
      return Readable{std::move(set)};
    }
    case pb::BASE64: {
      std::string encoded;
      google::protobuf::Base64Escape(bytes, &encoded);
      return text(std::move(encoded));
    }
    case pb::JSON: return Readable{JsonText{bytes}};
    default: return text(to_hex(bytes));
  }
}

// One value of a field: the field itself, or one of a list. `said`: it is to be shown though it is 0.
template <class Get>
std::optional<Readable> value_of(const FieldDescriptor& field, bool said, const Get& get) {
  const auto shape = field.options().GetExtension(pb::reads_as);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: return Readable{get.boolean()};
    case FieldDescriptor::CPPTYPE_INT32: return signed_as(shape, get.int32(), said);
    case FieldDescriptor::CPPTYPE_INT64: return signed_as(shape, get.int64(), said);
    case FieldDescriptor::CPPTYPE_UINT32: return number_as(shape, get.uint32(), said);
    case FieldDescriptor::CPPTYPE_UINT64: return number_as(shape, get.uint64(), said);
    case FieldDescriptor::CPPTYPE_MESSAGE: return Readable{readable_message(get.message())};
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string bytes = get.string();
      if (shape == pb::JSON || field.type() == FieldDescriptor::TYPE_BYTES) return bytes_as(shape, bytes);
      return bytes.empty() && !said ? std::nullopt : std::optional(text(bytes));
    }
    default: return std::nullopt;  // events.proto has no others
  }
}

struct Single {
  const Message& m;
  const FieldDescriptor* f;
  const google::protobuf::Reflection& r = *m.GetReflection();
  bool boolean() const { return r.GetBool(m, f); }
  std::int32_t int32() const { return r.GetInt32(m, f); }
  std::int64_t int64() const { return r.GetInt64(m, f); }
  std::uint32_t uint32() const { return r.GetUInt32(m, f); }
  std::uint64_t uint64() const { return r.GetUInt64(m, f); }
  std::string string() const { return r.GetString(m, f); }
  const Message& message() const { return r.GetMessage(m, f); }
};
struct Element {
  const Message& m;
  const FieldDescriptor* f;
  int i;
  const google::protobuf::Reflection& r = *m.GetReflection();
  bool boolean() const { return r.GetRepeatedBool(m, f, i); }
  std::int32_t int32() const { return r.GetRepeatedInt32(m, f, i); }
  std::int64_t int64() const { return r.GetRepeatedInt64(m, f, i); }
  std::uint32_t uint32() const { return r.GetRepeatedUInt32(m, f, i); }
  std::uint64_t uint64() const { return r.GetRepeatedUInt64(m, f, i); }
  std::string string() const { return r.GetRepeatedString(m, f, i); }
  const Message& message() const { return r.GetRepeatedMessage(m, f, i); }
};

std::optional<Readable> map_of(const Message& message, const FieldDescriptor* field, int size) {
  std::map<std::string, Readable> sorted;
  const auto* key = field->message_type()->map_key();
  const auto* value = field->message_type()->map_value();
  for (int i = 0; i < size; ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, field, i);
    if (auto shown = value_of(*value, true, Single{entry, value})) {
      sorted.insert_or_assign(Single{entry, key}.string(), std::move(*shown));
    }
  }
  ReadableFields fields;
  for (auto& [name, shown] : sorted) fields.push_back({name, std::move(shown)});
  return Readable{std::move(fields)};
}

std::optional<Readable> list_of(const Message& message, const FieldDescriptor* field) {
  const int size = message.GetReflection()->FieldSize(message, field);
  if (size == 0) return std::nullopt;
  if (field->is_map()) return map_of(message, field, size);
  ReadableList list;
  for (int i = 0; i < size; ++i) {
    if (auto shown = value_of(*field, true, Element{message, field, i})) list.push_back(std::move(*shown));
  }
  return Readable{std::move(list)};
}

std::optional<Readable> field_of(const Message& message, const FieldDescriptor* field) {
  if (field->is_repeated()) return list_of(message, field);
  const bool optional = field->has_presence();
  if (optional && !message.GetReflection()->HasField(message, field)) return std::nullopt;
  return value_of(*field, optional, Single{message, field});
}

}  // namespace

ReadableFields readable_message(const Message& message) {
  ReadableFields fields;
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (auto shown = field_of(message, type->field(i))) fields.push_back({type->field(i)->name(), std::move(*shown)});
  }
  return fields;
}

}  // namespace ota::domain::codec
