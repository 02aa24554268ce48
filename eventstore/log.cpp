#include "eventstore/log.hpp"

#include <fmt/format.h>

#include "eventstore/acknowledged.hpp"
#include "eventstore/assert.hpp"
#include "eventstore/command_index.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/name_rows.hpp"
#include "eventstore/record.hpp"
#include "eventstore/recovery.hpp"
#include "eventstore/tag_reader.hpp"
#include "eventstore/tiles.hpp"

namespace ota::eventstore {
namespace {

void note_all(const Database& database, Position head, Timestamp time) {
  auto note = database.durable_to(head, time);
  note_manifest_end(database.db(), note);
  replace_acknowledged(database.directory(), note);
}

}  // namespace

std::shared_ptr<Log> Log::open(const std::filesystem::path& directory) {
  return open(directory, Options());
}

std::shared_ptr<Log> Log::open(const std::filesystem::path& directory, const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->database = Database::open(directory, impl->head, options.env);
  try {
    const Recovered found = recover_head(*impl->database);
    impl->head->move_to(found.head, found.head_time);
  } catch (const LogError& error) {
    throw LogError(
        fmt::format("the event log in {} is damaged: {}", directory.string(), error.what()),
        error.position);
  }
  if (const auto& shortfall = impl->database->shortfall(); !shortfall.empty()) throw LogError(shortfall, impl->head->at());
  const auto& note = impl->database->acknowledged();
  impl->is_set_back = note && note->set_back;
  // Also of what is in tables now: a service that nobody tells anything writes no other.
  if (!impl->is_set_back) note_all(*impl->database, impl->head->at(), impl->head->time());
  return std::shared_ptr<Log>(new Log(std::move(impl)));
}

std::shared_ptr<Log> Log::open_read_only(const std::filesystem::path& directory) {
  auto impl = std::make_unique<Impl>();
  impl->database = Database::open_read_only(directory);
  impl->has_journal = true;  // none will be made
  impl->is_read_only = true;
  const auto head = impl->database->newest_readable_row().value_or(Position{});
  rocksdb::PinnableSlice record;
  if (head.value != 0 && impl->database->get(Family::kLog, log_key(head), record)) {
    RecordedEvent event;
    const bool sound = !decode_record(view(record), event);
    impl->head->move_to(head, sound ? event.time : Timestamp());
  }
  return std::shared_ptr<Log>(new Log(std::move(impl)));
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() { OTA_ASSERT(!impl_->has_journal || impl_->is_read_only); }

std::string Log::torn_tail() const {
  const auto& tail = impl_->database->torn_tail();
  return tail ? tail->text() : std::string();
}

std::string Log::shortfall() const { return impl_->database->shortfall(); }

bool Log::is_set_back() const { return impl_->is_set_back; }

void Log::forget_set_back() {
  OTA_ASSERT(!impl_->has_journal);
  note_all(*impl_->database, head(), head_time());
  impl_->is_set_back = false;
}

Position Log::head() const { return impl_->head->at(); }
Timestamp Log::head_time() const { return impl_->head->time(); }

void Log::scan(Position after, const Visitor& visit) const {
  const Position last = head();
  if (after >= last) return;
  const auto rows = impl_->database->iterate(Family::kLog, /*fill_cache=*/false);
  Position position{after.value + 1};
  RecordedEvent event;
  for (rows->Seek(log_key(position)); position <= last; rows->Next(), ++position.value) {
    if (!rows->Valid() || view(rows->key()) != log_key(position)) {
      check(rows->status(), "read its events");
      throw LogError(fmt::format("event {} is missing", position.value), position);
    }
    decode_at(position, view(rows->value()), event);
    if (!visit(event)) return;
  }
}

void Log::read_stream(std::string_view stream, Position after, const Visitor& visit) const {
  NameRows rows(*impl_->database, Family::kStreams, stream);
  RecordedEvent event;
  for (rows.seek_after(after); rows.valid(); rows.next()) {
    decode_at(rows.position(), rows.value(), event);
    if (!visit(event)) return;
  }
}

void Log::read_tag(std::string_view tag, Position after, const Visitor& visit) const {
  eventstore::read_tag(*impl_->database, tag, after, visit);
}

bool Log::read_one(Position position, const Visitor& visit) const {
  rocksdb::PinnableSlice record;
  if (!impl_->database->get(Family::kLog, log_key(position), record)) return false;
  RecordedEvent event;
  decode_at(position, view(record), event);
  visit(event);
  return true;
}

Position Log::at_or_before(Timestamp time) const {
  Position sure{0};   // at or before `time`
  Position later = {head().value + 1};
  while (sure.value + 1 < later.value) {
    const Position middle{sure.value + (later.value - sure.value) / 2};
    bool is_later = false;
    if (!read_one(middle, [&](const RecordedEvent& event) { return is_later = event.time > time; })) {
      throw LogError(fmt::format("event {} is missing", middle.value), middle);
    }
    (is_later ? later : sure) = middle;
  }
  return sure;
}

Position Log::newest(std::string_view tag, Position at_most) const {
  Position newest;
  for (const Family family : {Family::kStreams, Family::kTags}) {
    NameRows rows(*impl_->database, family, tag);
    rows.seek_at_most(at_most);
    newest = std::max(newest, rows.position());
  }
  return newest;
}

std::optional<Snapshot> Log::snapshot(std::string_view stream, Position at_most) const {
  NameRows rows(*impl_->database, Family::kSnapshots, stream);
  rows.seek_at_most(at_most);
  if (!rows.valid()) return std::nullopt;
  return Snapshot{rows.position(), std::string(rows.value())};
}

std::optional<CommandRecord> Log::command(const CommandId& id, Timestamp now) const {
  rocksdb::PinnableSlice row;
  if (!impl_->database->get(Family::kCommands, command_key(id), row)) return std::nullopt;
  const auto record = decode_command(view(row));
  if (!record) throw LogError("what is remembered of a command is damaged");
  if (is_forgotten(record->time, now)) return std::nullopt;
  return record;
}

std::optional<std::string> Log::answer(const CommandId& id, Timestamp now) const {
  rocksdb::PinnableSlice row;
  if (!impl_->database->get(Family::kCommands, answer_key(id), row)) return std::nullopt;
  const auto kept = decode_answer(view(row));
  if (!kept) throw LogError("what was answered to a command is damaged");
  if (is_forgotten(kept->written, now)) return std::nullopt;
  return std::string(kept->answer);
}

std::optional<Hash> Log::leaf_hash(Position position) const {
  return read_leaf(*impl_->database, position);
}

Log::Stats Log::stats() const {
  return {head().value, directory_bytes(impl_->database->directory())};
}

}  // namespace ota::eventstore
