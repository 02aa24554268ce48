#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

bool read_record(const Verified& what, Position position, rocksdb::PinnableSlice& record) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.fill_cache = false;
  return what.database.db().Get(options, what.database.family(Family::kLog), slice(log_key(position)), &record).ok();
}
bool has_row(const Verified& what, Family family, std::string_view name, Position position) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.fill_cache = false;
  rocksdb::PinnableSlice row;
  return !what.database.db().Get(options, what.database.family(family), slice(name_key(name, position)), &row).IsNotFound();
}

// Every event that can be read.
void for_each_event(const Verified& what, const std::atomic<bool>& stop, const std::function<void(const RecordedEvent&)>& visit) {
  RecordedEvent event;
  const auto rows = scan(what, Family::kLog);
  for (rows->SeekToFirst(); rows->Valid() && !stop; rows->Next()) {
    if (rows->key().size() != kPositionBytes || decode_record(view(rows->value()), event)) continue;
    event.position = {load_be64(rows->key().data())};
    visit(event);
  }
}
// Every row of an index that can be read.
void for_each_row(const Verified& what, Family family, const std::atomic<bool>& stop,
                  const std::function<void(const NameKey&, std::string_view value)>& visit) {
  const auto rows = scan(what, family);
  for (rows->SeekToFirst(); rows->Valid() && !stop; rows->Next()) {
    if (const auto key = parse_name_key(view(rows->key()))) visit(*key, view(rows->value()));
  }
}

}  // namespace

IndexPass::IndexPass(const Verified& what, std::uint64_t rows_per_second, Findings& findings, const std::atomic<bool>& stop)
    : what_(what), findings_(findings), pace_(rows_per_second, stop), streams_(what.key), tags_(what.key) {}

void IndexPass::run() {
  RecordedEvent event;
  scan_family(Family::kStreams, [&](Position position, std::string_view name, std::string_view record) {
    streams_.add(position, record);
    if (const auto fault = decode_record(record, event)) {
      findings_.add(position, fmt::format("its record in the index of its stream has a damaged {} at byte {}", fault->what, fault->offset));
    } else if (event.stream != name) {
      findings_.add(position, "it stands in the index of another stream than its own");
    }
  });
  scan_family(Family::kTags, [&](Position position, std::string_view name, std::string_view value) {
    tags_.add(position, name);
    if (!value.empty()) findings_.add(position, fmt::format("its row in the index of tags has {} bytes too many", value.size()));
  });
  scan_rest(Family::kSnapshots);
  scan_rest(Family::kCommands);
}

void IndexPass::scan_family(Family family,
                            const std::function<void(Position, std::string_view name, std::string_view value)>& visit) {
  const auto rows = scan(what_, family);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (const auto key = parse_name_key(view(rows->key()))) {
      visit(key->position, key->name, view(rows->value()));
    } else {
      read_all_ = false;
      findings_.add({}, fmt::format("a row of the family {} has a damaged key", name_of(family)));
    }
    if (!pace_.goes_on()) return;
  }
  if (rows->status().ok()) return;
  read_all_ = false;
  findings_.add({}, fmt::format("the family {} cannot be read: {}", name_of(family), rows->status().ToString()));
}

// What is no part of the promise must be readable all the same.
void IndexPass::scan_rest(Family family) {
  const auto rows = scan(what_, family);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (!pace_.goes_on()) return;
  }
  if (!rows->status().ok()) {
    findings_.add({}, fmt::format("the family {} cannot be read: {}", name_of(family), rows->status().ToString()));
  }
}

void name_differences_of_streams(const Verified& what, Findings& findings, const std::atomic<bool>& stop) {
  const auto before = findings.count();
  for_each_row(what, Family::kStreams, stop, [&](const NameKey& key, std::string_view value) {
    rocksdb::PinnableSlice record;
    if (!read_record(what, key.position, record)) {
      findings.add(key.position, std::string(kNotInLog));
    } else if (view(record) != value) {
      findings.add(key.position, "the log and the index of its stream hold different events there");
    }
  });
  for_each_event(what, stop, [&](const RecordedEvent& event) {
    if (!has_row(what, Family::kStreams, event.stream, event.position)) {
      findings.add(event.position, "it is missing in the index of its stream");
    }
  });
  if (findings.count() == before) findings.add({}, "the index of streams is not that of the log");
}

void name_differences_of_tags(const Verified& what, Findings& findings, const std::atomic<bool>& stop) {
  const auto before = findings.count();
  RecordedEvent event;
  for_each_row(what, Family::kTags, stop, [&](const NameKey& key, std::string_view) {
    rocksdb::PinnableSlice record;
    if (!read_record(what, key.position, record) || decode_record(view(record), event)) {
      findings.add(key.position, "the index of tags holds it, the log does not");
    } else if (std::find(event.tags.begin(), event.tags.end(), key.name) == event.tags.end()) {
      findings.add(key.position, "the index of tags holds it under a tag that it does not carry");
    }
  });
  for_each_event(what, stop, [&](const RecordedEvent& carrier) {
    for (const auto tag : carrier.tags) {
      if (!has_row(what, Family::kTags, tag, carrier.position)) {
        findings.add(carrier.position, "it is missing in the index of one of its tags");
      }
    }
  });
  if (findings.count() == before) findings.add({}, "the index of tags is not that of the log");
}

}  // namespace ota::eventstore
