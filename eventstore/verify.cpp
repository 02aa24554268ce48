#include "eventstore/verify.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "eventstore/keys.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/verify_parts.hpp"

namespace ota::eventstore {
namespace {

constexpr std::uint64_t kRowsPerLook = 4'096;
constexpr std::size_t kReadAhead = std::size_t{2} << 20;
// A gentle verification rests in between: so long before it looks whether it is to be broken off.
constexpr std::chrono::milliseconds kRestMax{50};

// The newest event that anything is left of: a log whose last rows cannot be read has their leaves.
Position newest(const Database& database, const rocksdb::Snapshot* at) {
  Position newest;
  const auto rows = database.iterate(Family::kLog, /*fill_cache=*/false, at);
  rows->SeekToLast();
  if (rows->Valid() && rows->key().size() == kPositionBytes) newest = {load_be64(rows->key().data())};
  const auto tiles = database.iterate(Family::kTiles, /*fill_cache=*/false, at);
  tiles->SeekForPrev(TileKey{kLeafLevel, UINT64_MAX, UINT8_MAX}.bytes());
  const auto key = tiles->Valid() ? TileKey::parse(view(tiles->key())) : std::nullopt;
  if (!key || key->level != kLeafLevel) return newest;
  return std::max(newest, {key->tile * limits::kTileLeaves + key->first + tiles->value().size() / kHashBytes});
}

std::unique_ptr<rocksdb::Iterator> scan_with(const Verified& what, Family family, std::size_t read_ahead) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.total_order_seek = true;
  options.fill_cache = false;
  options.readahead_size = read_ahead;
  return std::unique_ptr<rocksdb::Iterator>(what.database.db().NewIterator(options, what.database.family(family)));
}

}  // namespace

void Findings::add(Position first, Position last, std::string what) {
  const std::lock_guard lock(mutex_);
  if (findings_.size() == kFindingsMax) {
    ++further_;
  } else {
    findings_.push_back({first, last, std::move(what)});
  }
}

std::size_t Findings::count() const {
  const std::lock_guard lock(mutex_);
  return findings_.size() + further_;
}

void Findings::move_to(Verification& verification) {
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.first.value == 0, a.first) < std::pair(b.first.value == 0, b.first);
  });
  verification.findings = std::move(findings_);
  verification.further_findings = further_;
}

bool VerifyPace::goes_on() {
  if (++rows_ % kRowsPerLook != 0) return true;
  using Clock = std::chrono::steady_clock;
  auto due = begin_;
  if (rate_ != 0) {
    due += std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(rows_) / static_cast<double>(rate_)));
  }
  while (!stop_.ask()) {
    const auto now = Clock::now();
    if (now >= due) return true;
    std::this_thread::sleep_until(std::min(due, now + kRestMax));
  }
  return false;
}

std::unique_ptr<rocksdb::Iterator> scan(const Verified& what, Family family) { return scan_with(what, family, kReadAhead); }

std::unique_ptr<rocksdb::Iterator> seek_readable(const Verified& what, Position from) {
  std::unique_ptr<rocksdb::Iterator> rows;
  // Without reading ahead: what is before a place that cannot be read, can.
  const auto is_readable = [&](std::uint64_t position) {
    rows = scan_with(what, Family::kLog, 0);
    rows->Seek(log_key({position}));
    return rows->Valid() && rows->key().size() == kPositionBytes;
  };
  if (is_readable(from.value)) return rows;
  std::uint64_t bad = from.value;
  std::uint64_t good = 0;
  for (std::uint64_t step = 1; good == 0 && bad < what.head.value; step *= 2) {
    const auto place = from.value + std::min(step, what.head.value - from.value);
    (is_readable(place) ? good : bad) = place;
  }
  if (good == 0) return nullptr;
  while (bad + 1 < good) {
    const auto middle = bad + (good - bad) / 2;
    (is_readable(middle) ? good : bad) = middle;
  }
  return is_readable(good) ? std::move(rows) : nullptr;
}

Verification verify(const Log& log, const VerifyOptions& options) {
  const Database& database = *log.impl_->database;
  const auto give_back = [&database](const rocksdb::Snapshot* at) { database.db().ReleaseSnapshot(at); };
  const std::unique_ptr<const rocksdb::Snapshot, decltype(give_back)> at(database.db().GetSnapshot(), give_back);
  StopSign stop(options.stopped);
  const Verified what{database, at.get(), newest(database, at.get()), KeyedSum::random_key(), options.rows_per_second, stop};
  Findings findings;
  Verification out;
  IndexPass indexes(what, findings);
  LogPass events(what, options, findings);
  std::thread beside([&] { indexes.run(); });
  events.run([&](std::uint64_t position) {
    if (position % kRowsPerLook == 0 && options.progress) options.progress(position, what.head.value);
  }, out);
  beside.join();
  out.index_rows = indexes.streams().rows() + indexes.tags().rows();
  // What cannot be read has no sum: then every row that can be is looked at.
  const bool summed = events.read_all() && indexes.read_all();
  if (!summed || !(events.streams() == indexes.streams())) name_differences_of_streams(what, findings, summed);
  if (!summed || !(events.tags() == indexes.tags())) name_differences_of_tags(what, findings, summed);
  if (auto fault = database.manifest_fault(); !fault.empty()) findings.add({}, std::move(fault));
  out.stopped = stop.is_up();
  findings.move_to(out);
  return out;
}

}  // namespace ota::eventstore
