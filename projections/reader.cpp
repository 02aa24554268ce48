#include "projections/reader.hpp"

#include <stdexcept>

#include "projections/bytes.hpp"

namespace ota::projections {
namespace {

// The first key behind all that begin with `prefix`; a table's letter is never 0xff, so there is
// one.
std::string end_of(std::string prefix) {
  while (static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

rocksdb::ReadOptions read_options(const Reader& reader) {
  rocksdb::ReadOptions options;
  options.snapshot = reader.snapshot();
  return options;
}

}  // namespace

std::string RowCodec<std::uint64_t>::encode(std::uint64_t value) {
  return BytesOut().u64(value).take();
}
std::optional<std::uint64_t> RowCodec<std::uint64_t>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  const std::uint64_t value = in.u64();
  return in.complete() ? std::optional(value) : std::nullopt;
}

Reader::Reader(const Database& database, Moment moment)
    : database_(database),
      snapshot_(moment == Moment::kOne ? database.db().GetSnapshot() : nullptr) {}

Reader::~Reader() {
  if (snapshot_) database_.db().ReleaseSnapshot(snapshot_);
}

bool Reader::get(std::string_view key, rocksdb::PinnableSlice& value) const {
  const auto status =
      database_.db().Get(read_options(*this), database_.family(key), slice(key), &value);
  if (status.IsNotFound()) return false;
  database_.check_read(status);
  return true;
}

bool Reader::has(std::string_view key) const {
  rocksdb::PinnableSlice value;
  return get(key, value);
}

void Reader::damaged() { throw std::runtime_error("a row of the views is damaged"); }

Range::Range(const Reader& reader, std::string prefix, std::string_view from, Caching caching)
    : database_(reader.database()), prefix_(std::move(prefix)), end_(end_of(prefix_)), end_slice_(slice(end_)) {
  rocksdb::ReadOptions options = read_options(reader);
  options.iterate_upper_bound = &end_slice_;
  options.fill_cache = caching == Caching::kKeep;
  rows_.reset(reader.database().db().NewIterator(options, reader.database().family(prefix_)));
  skip_to(from);
}

void Range::skip_to(std::string_view from) { rows_->Seek(prefix_ + std::string(from)); }

bool Range::valid() const {
  if (rows_->Valid()) return true;
  database_.check_read(rows_->status());
  return false;
}

}  // namespace ota::projections
