#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/command_index.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/record.hpp"
#include "eventstore/verify_parts.hpp"

namespace ota::eventstore {
namespace {

struct NameKey {
  std::string_view name;
  Position position;
};
// Empty for what is no key of `streams` or `tags`.
std::optional<NameKey> parse_name_key(std::string_view key) {
  if (key.size() <= kNameHashBytes + kPositionBytes) return std::nullopt;
  const auto name = key.substr(kNameHashBytes, key.size() - kNameHashBytes - kPositionBytes);
  if (load_be64(key.data()) != hash64(name)) return std::nullopt;
  return NameKey{name, {load_be64(key.data() + key.size() - kPositionBytes)}};
}

std::string_view name_of(Family family) { return kFamilyNames[static_cast<std::size_t>(family)]; }

constexpr std::string_view kNotInLog = "the index of its stream holds it, the log does not";

enum class RecordRead { kYes, kNo, kUnreadable };

RecordRead read_record(const Verified& what, Position position, rocksdb::PinnableSlice& record) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.fill_cache = false;
  const auto read = what.database.db().Get(options, what.database.family(Family::kLog), slice(log_key(position)), &record);
  return read.ok() ? RecordRead::kYes : read.IsNotFound() ? RecordRead::kNo : RecordRead::kUnreadable;
}
bool has_row(const Verified& what, Family family, std::string_view name, Position position) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.fill_cache = false;
  rocksdb::PinnableSlice row;
  return !what.database.db().Get(options, what.database.family(family), slice(name_key(name, position)), &row).IsNotFound();
}

// Every event that can be read.
void for_each_event(const Verified& what, const std::function<void(const RecordedEvent&)>& visit) {
  RecordedEvent event;
  VerifyPace pace(what);
  auto rows = scan(what, Family::kLog);
  rows->SeekToFirst();
  for (Position next{1}; pace.goes_on();) {
    if (!rows->Valid()) {
      if (rows->status().ok()) return;
      rows = seek_readable(what, next);
      if (!rows) return;
    }
    if (rows->key().size() == kPositionBytes) {
      event.position = {load_be64(rows->key().data())};
      next = {event.position.value + 1};
      if (!decode_record(view(rows->value()), event)) visit(event);
    }
    rows->Next();
  }
}
// Every row of an index that can be read.
void for_each_row(const Verified& what, Family family,
                  const std::function<void(const NameKey&, std::string_view value)>& visit) {
  VerifyPace pace(what);
  const auto rows = scan(what, family);
  for (rows->SeekToFirst(); rows->Valid() && pace.goes_on(); rows->Next()) {
    if (const auto key = parse_name_key(view(rows->key()))) visit(*key, view(rows->value()));
  }
}

}  // namespace

IndexPass::IndexPass(const Verified& what, Findings& findings)
    : what_(what), findings_(findings), pace_(what), streams_(what.key), tags_(what.key) {}

void IndexPass::run() {
  RecordedEvent event;
  read_all_ = scan_names(Family::kStreams, [&](Position position, std::string_view name, std::string_view record) {
    streams_.add(position, record);
    if (const auto fault = decode_record(record, event)) {
      findings_.add(position, fmt::format("its record in the index of its stream has a damaged {} at byte {}", fault->what, fault->offset));
    } else if (event.stream != name) {
      findings_.add(position, "it stands in the index of another stream than its own");
    }
  });
  const bool all_tags = scan_names(Family::kTags, [&](Position position, std::string_view name, std::string_view value) {
    tags_.add(position, name);
    if (!value.empty()) findings_.add(position, fmt::format("its row in the index of tags has {} bytes too many", value.size()));
  });
  read_all_ = read_all_ && all_tags;
  // Of what is folded in a snapshot the log's readers alone know: its place can be looked at.
  scan_names(Family::kSnapshots, [&](Position position, std::string_view, std::string_view) {
    if (position > what_.head) findings_.add(position, "a snapshot holds it, the log does not");
  });
  scan_family(Family::kCommands, [&](std::string_view key, std::string_view row) { check_command(key, row); });
}

bool IndexPass::scan_family(Family family, const std::function<void(std::string_view key, std::string_view value)>& visit) {
  const auto rows = scan(what_, family);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    visit(view(rows->key()), view(rows->value()));
    if (!pace_.goes_on()) return false;
  }
  if (rows->status().ok()) return true;
  findings_.add({}, fmt::format("the family {} cannot be read: {}", name_of(family), rows->status().ToString()));
  return false;
}

bool IndexPass::scan_names(Family family,
                           const std::function<void(Position, std::string_view name, std::string_view value)>& visit) {
  bool sound = true;
  const bool all = scan_family(family, [&](std::string_view bytes, std::string_view value) {
    if (const auto key = parse_name_key(bytes)) return visit(key->position, key->name, value);
    sound = false;
    findings_.add({}, fmt::format("a row of the family {} has a damaged key", name_of(family)));
  });
  return all && sound;
}

// A command is remembered with the first of its events, or alone, behind the event that was the newest then. That may be its
// own: one that was forgotten is carried out again, and may find nothing to do.
void IndexPass::check_command(std::string_view key, std::string_view row) {
  CommandId id;
  const bool is_answer = key.size() == id.bytes.size() + 1 && decode_answer(row);
  if (is_answer) return;
  const auto remembered = key.size() == id.bytes.size() ? decode_command(row) : std::nullopt;
  if (!remembered) return findings_.add({}, "a row of the family commands is damaged");
  if (remembered->position.value == 0) return;
  rocksdb::PinnableSlice record;
  const auto found = read_record(what_, remembered->position, record);
  if (found == RecordRead::kNo) return findings_.add(remembered->position, "a command is remembered with it, the log does not hold it");
  RecordedEvent event;
  if (found == RecordRead::kUnreadable || decode_record(view(record), event)) return;
  if (event.time > remembered->time) findings_.add(remembered->position, "a command is remembered with it, at an earlier time than its own");
}

void name_differences_of_streams(const Verified& what, Findings& findings, bool sums_differ) {
  const auto before = findings.count();
  for_each_row(what, Family::kStreams, [&](const NameKey& key, std::string_view value) {
    rocksdb::PinnableSlice record;
    const auto found = read_record(what, key.position, record);
    if (found == RecordRead::kNo) {
      findings.add(key.position, std::string(kNotInLog));
    } else if (found == RecordRead::kYes && view(record) != value) {
      findings.add(key.position, "the log and the index of its stream hold different events there");
    }
  });
  for_each_event(what, [&](const RecordedEvent& event) {
    if (!has_row(what, Family::kStreams, event.stream, event.position)) {
      findings.add(event.position, "it is missing in the index of its stream");
    }
  });
  if (sums_differ && !what.stop.is_up() && findings.count() == before) findings.add({}, "the index of streams is not that of the log");
}

void name_differences_of_tags(const Verified& what, Findings& findings, bool sums_differ) {
  const auto before = findings.count();
  RecordedEvent event;
  for_each_row(what, Family::kTags, [&](const NameKey& key, std::string_view) {
    rocksdb::PinnableSlice record;
    const auto found = read_record(what, key.position, record);
    if (found == RecordRead::kUnreadable) return;
    if (found == RecordRead::kNo) return findings.add(key.position, "the index of tags holds it, the log does not");
    // A damaged record is named already.
    if (!decode_record(view(record), event) && std::find(event.tags.begin(), event.tags.end(), key.name) == event.tags.end()) {
      findings.add(key.position, "the index of tags holds it under a tag that it does not carry");
    }
  });
  for_each_event(what, [&](const RecordedEvent& carrier) {
    for (const auto tag : carrier.tags) {
      if (!has_row(what, Family::kTags, tag, carrier.position)) {
        findings.add(carrier.position, "it is missing in the index of one of its tags");
      }
    }
  });
  if (sums_differ && !what.stop.is_up() && findings.count() == before) findings.add({}, "the index of tags is not that of the log");
}

}  // namespace ota::eventstore
