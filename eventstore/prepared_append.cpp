#include "eventstore/prepared_append.hpp"

#include <algorithm>

#include "eventstore/assert.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/record.hpp"
#include "eventstore/sha256.hpp"

namespace ota::eventstore {
namespace {

std::size_t all_key_bytes(const NewEvent& event) {
  std::size_t bytes = name_key_bytes(event.stream);
  for (const std::string& tag : event.tags) bytes += name_key_bytes(tag);
  return bytes;
}

}  // namespace

PreparedAppend::PreparedAppend(Append append) : command(append.command), signer(std::move(append.signer)) {
  OTA_ASSERT((!append.events.empty() || command) && append.events.size() <= limits::kAppendEvents);
  OTA_ASSERT(append.conditions.size() <= limits::kConditionsPerAppend);
  OTA_ASSERT(!signer || !append.events.empty());

  events.reserve(append.events.size());
  std::size_t key_bytes = 0;
  std::size_t key_count = 0;
  std::size_t largest = 0;
  for (const NewEvent& event : append.events) {
    const std::size_t bytes = kRecordTimeBytes + body_bytes(event);
    const std::size_t keys_end = key_count + 1 + event.tags.size();
    events.push_back({nullptr, bytes, key_count, keys_end, {}});
    record_bytes += bytes;
    largest = std::max(largest, bytes);
    key_count = keys_end;
    key_bytes += all_key_bytes(event);
  }
  OTA_ASSERT(record_bytes - largest <= limits::kAppendBytes);

  storage_.reset(new char[record_bytes + key_bytes]);
  views.resize(events.size());
  keys.reserve(key_count);
  char* record = storage_.get();
  char* key = record + record_bytes;
  thread_local Sha256 sha;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const NewEvent& event = append.events[i];
    PreparedEvent& prepared = events[i];
    prepared.record_begin = record;
    encode_body(event, record + kRecordTimeBytes, views[i]);
    prepared.body = sha.hash(prepared.record().substr(kRecordTimeBytes));
    record += prepared.record_bytes;
    add_key(key, event.stream);
    for (const std::string& tag : event.tags) add_key(key, tag);
  }
  OTA_ASSERT(record == storage_.get() + record_bytes && key == record + key_bytes);

  conditions.reserve(append.conditions.size());
  for (Condition& condition : append.conditions) {
    OTA_ASSERT(!condition.tag.empty() && condition.tag.size() <= limits::kTagBytes);
    const std::uint64_t hash = hash64(condition.tag);
    conditions.push_back({std::move(condition), hash});
  }
}

void PreparedAppend::add_key(char*& out, std::string_view name) {
  store_name_key(out, name, {});
  keys.push_back({out, name_key_bytes(name)});
  out += keys.back().bytes;
}

}  // namespace ota::eventstore
