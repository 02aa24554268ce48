#include "projections/edition.hpp"

#include <fmt/format.h>

#include <exception>
#include <system_error>

#include "projections/decoded.hpp"
#include "projections/limits.hpp"
#include "projections/schema.hpp"

namespace ota::projections {

Edition::Edition(std::filesystem::path folder, const domain::Settings& settings, PollFront& front)
    : folder_(std::move(folder)), settings_(settings), front_(&front) {
  database_ = Database::open(folder_);
  try {
    if (is_usable()) {
      note_schema();
    } else {
      begin_anew();
    }
    load();
  } catch (const std::exception&) {  // a row that is damaged; what it says is in the log too
    begin_anew();
    load();
  }
}

Edition::~Edition() {
  if (!ends_deleted_) return;
  pipeline_.reset();
  if (database_) database_->leave_unflushed();
  database_.reset();
  std::error_code error;  // what is left goes at the next start
  std::filesystem::remove_all(folder_, error);
}

// Empty, or of this schema and healthy.
bool Edition::is_usable() const {
  const Reader reader(*database_);
  rocksdb::PinnableSlice schema;
  if (!reader.get(meta_key(kSchemaRow), schema)) return !Range(reader, meta_key({})).valid();
  return view(schema) == schema_of(settings_) && Pipeline::broken_in(reader).empty();
}

void Edition::begin_anew() {
  pipeline_.reset();
  database_.reset();
  Database::destroy(folder_);
  database_ = Database::open(folder_);
  note_schema();
}

void Edition::note_schema() {
  BatchedRows rows(*database_);
  rows.put(meta_key(kSchemaRow), schema_of(settings_));
  rows.commit();
}

// What is kept in memory, and where the rows stand.
void Edition::load() {
  pipeline_ = std::make_unique<Pipeline>(*database_, settings_, *front_, sets_);
  const Reader reader(*database_, Reader::Moment::kOne);
  pipeline_->load(reader);
  folded_ = Pipeline::progress_in(reader);
  position_.store(folded_.position.value, std::memory_order_release);
}

bool Edition::is_of(const eventstore::Log& log, const Progress& at) const {
  if (at.position.value == 0) return true;
  if (at.position > to_domain(log.head())) return false;
  bool same = false;
  log.read_one(to_store(at.position), [&](const eventstore::RecordedEvent& event) {
    same = event.time.time_since_epoch() == at.time.time_since_epoch();
    return false;
  });
  return same;
}

void Edition::belong_to(const eventstore::Log& log) {
  if (is_of(log, Pipeline::progress_in(Reader(*database_)))) return;
  begin_anew();
  load();
}

void Edition::move_to(PollFront& front) {
  pipeline_->move_to(front);
  front_ = &front;
}

void Edition::fold(const std::vector<domain::Recorded>& events) {
  for (const auto& event : events) {
    if (event.position <= folded_.position) continue;  // before a restart, or by the replay
    if (event.position.value != folded_.position.value + 1) {
      pipeline_->set_unfit();
      pipeline_->complain(event.position,
                          fmt::format("the events after {} are missing", folded_.position.value));
    }
    pipeline_->apply(event);
    folded_ = {event.position, event.time};
  }
  const auto uncommitted = folded_.position.value - position_.load(std::memory_order_relaxed);
  if (!bulk_ || uncommitted >= bulk_->group_events) commit();
}

void Edition::commit() {
  const std::uint64_t before = position_.load(std::memory_order_relaxed);
  const std::uint64_t now = folded_.position.value;
  if (now == before || !pipeline_->commit(folded_)) return;
  events_since_flush_ += now - before;
  position_.store(now, std::memory_order_release);
}

void Edition::begin_bulk(const BulkSize& size) {
  bulk_ = size;
  pipeline_->begin_bulk(size);
}

void Edition::end_bulk() {
  commit();
  bulk_.reset();
  pipeline_->end_bulk(position());
}

void Edition::flush_if_many() {
  if (events_since_flush_ >= limits::kFlushEvents) flush(false);
}

void Edition::flush_if_due() {
  if (events_since_flush_ == 0) return;
  if (events_since_flush_ < limits::kFlushEvents &&
      std::chrono::steady_clock::now() - flushed_at_ < limits::kFlushInterval) {
    return;
  }
  flush(false);
}

void Edition::flush(bool wait) {
  try {
    database_->flush(wait);
  } catch (const std::exception& e) {
    pipeline_->complain(position(), e.what());
  }
  events_since_flush_ = 0;
  flushed_at_ = std::chrono::steady_clock::now();
}

}  // namespace ota::projections
