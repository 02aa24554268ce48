#include "eventstore/verify.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "eventstore/keys.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/verify_parts.hpp"

namespace ota::eventstore {
namespace {

constexpr std::uint64_t kRowsPerLook = 4'096;
constexpr std::size_t kReadAhead = std::size_t{2} << 20;

Position newest(const Database& database, const rocksdb::Snapshot* at) {
  const auto rows = database.iterate(Family::kLog, /*fill_cache=*/false, at);
  rows->SeekToLast();
  if (!rows->Valid() || rows->key().size() != kPositionBytes) return {};
  return {load_be64(rows->key().data())};
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
  if (rate_ != 0) {
    const std::chrono::duration<double> due(static_cast<double>(rows_) / static_cast<double>(rate_));
    std::this_thread::sleep_until(begin_ + std::chrono::duration_cast<std::chrono::nanoseconds>(due));
  }
  return !stop_.load(std::memory_order_relaxed);
}

std::unique_ptr<rocksdb::Iterator> scan(const Verified& what, Family family) {
  rocksdb::ReadOptions options;
  options.snapshot = what.at;
  options.total_order_seek = true;
  options.fill_cache = false;
  options.readahead_size = kReadAhead;
  return std::unique_ptr<rocksdb::Iterator>(what.database.db().NewIterator(options, what.database.family(family)));
}

Verification verify(const Log& log, const VerifyOptions& options) {
  const Database& database = *log.impl_->database;
  const auto give_back = [&database](const rocksdb::Snapshot* at) { database.db().ReleaseSnapshot(at); };
  const std::unique_ptr<const rocksdb::Snapshot, decltype(give_back)> at(database.db().GetSnapshot(), give_back);
  const Verified what{database, at.get(), newest(database, at.get()), KeyedSum::random_key()};
  Findings findings;
  std::atomic<bool> stop{false};
  Verification out;
  IndexPass indexes(what, options.rows_per_second, findings, stop);
  LogPass events(what, options, findings, stop);
  std::thread beside([&] { indexes.run(); });
  events.run([&](std::uint64_t position) {
    if (position % kRowsPerLook == 0 && options.progress && !options.progress(position, what.head.value)) stop = true;
  }, out);
  beside.join();
  out.index_rows = indexes.streams().rows() + indexes.tags().rows();
  if (!stop && events.read_all() && indexes.read_all()) {
    if (!(events.streams() == indexes.streams())) name_differences_of_streams(what, findings, stop);
    if (!(events.tags() == indexes.tags())) name_differences_of_tags(what, findings, stop);
  }
  out.stopped = out.stopped || stop;
  findings.move_to(out);
  return out;
}

}  // namespace ota::eventstore
