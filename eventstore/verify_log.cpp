#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/keys.hpp"
#include "eventstore/record.hpp"
#include "eventstore/verify_parts.hpp"

namespace ota::eventstore {
namespace {

// A service leaves fewer than kCheckpointEvents events unsigned, whatever stops it. A repair may cut off the last checkpoint, for
// which the one before it was given up: a group more.
constexpr std::uint64_t kUnsignedMax = limits::kCheckpointEvents + limits::kGroupEvents;

std::string range(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("event {}", first) : fmt::format("events {} to {}", first, last);
}

}  // namespace

// The hashes of one level of the stored tree, one after the other.
class LogPass::StoredHashes {
 public:
  StoredHashes(const Verified& what, std::uint8_t level) : level_(level), rows_(scan(what, Family::kTiles)) {
    rows_->Seek(TileKey{level, 0, 0}.bytes());
  }
  // Empty behind the last, and behind a damaged row, which `why` tells of.
  std::optional<Hash> next(std::string& why) {
    if (ended_ || (at_ == hashes_.size() / kHashBytes && !take_row(why))) return std::nullopt;
    ++count_;
    return hash_at(hashes_, at_++);
  }
  std::uint64_t count() const { return count_; }
  bool has_ended() const { return ended_; }

 private:
  bool take_row(std::string& why) {
    ended_ = true;
    if (!rows_->Valid()) {
      if (!rows_->status().ok()) why = fmt::format("cannot be read: {}", rows_->status().ToString());
      return false;
    }
    const auto key = TileKey::parse(view(rows_->key()));
    if (!key || key->level != level_) return false;
    hashes_ = view(rows_->value());
    if (key->tile * limits::kTileLeaves + key->first != count_ || hashes_.empty() || hashes_.size() % kHashBytes != 0) {
      why = fmt::format("has a row of {} bytes for hash {} of tile {} behind hash {}", hashes_.size(), key->first, key->tile, count_);
      return false;
    }
    at_ = 0;
    rows_->Next();
    ended_ = false;
    return true;
  }

  std::uint8_t level_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::string hashes_;
  std::size_t at_ = 0;
  std::uint64_t count_ = 0;
  bool ended_ = false;
};

LogPass::LogPass(const Verified& what, const VerifyOptions& options, Findings& findings)
    : what_(what), options_(options), findings_(findings), pace_(what), streams_(what.key), tags_(what.key) {
  try {
    read_checkpoints(what.database, 0, [this](const CheckpointRow& row) {
      checkpoints_.push_back(row);
      return true;
    }, what.at);
  } catch (const LogError& fault) {
    all_checkpoints_ = false;
    findings_.add({}, fault.what());
  }
  stored_.emplace_back(what, kLeafLevel);
}

LogPass::~LogPass() = default;

void LogPass::run(const std::function<void(std::uint64_t events)>& after_event, Verification& out) {
  auto rows = scan(what_, Family::kLog);
  rows->SeekToFirst();
  while (true) {
    if (!rows->Valid()) {
      if (rows->status().ok()) break;
      rows = go_on_behind(rows->status());
      if (!rows) break;
      continue;
    }
    if (rows->key().size() != kPositionBytes) {
      findings_.add({}, fmt::format("a row of the log has a key of {} bytes", rows->key().size()));
      rows->Next();
      continue;
    }
    const Position position{load_be64(rows->key().data())};
    if (position.value == 0) {
      findings_.add({}, "the log has an event at position 0");
      rows->Next();
      continue;
    }
    if (position > expected_) {
      findings_.add(expected_, {position.value - 1}, "missing");
      skip_to(position);
    }
    check_event(position, view(rows->value()));
    ++expected_.value;
    ++read_;
    after_event(position.value);
    if (!pace_.goes_on()) return;
    rows->Next();
  }
  check_end(out);
}

// The rows from the next place on that can be read, all before it named; null: there is none.
std::unique_ptr<rocksdb::Iterator> LogPass::go_on_behind(const rocksdb::Status& why) {
  auto rows = seek_readable(what_, expected_);
  const Position end{rows ? load_be64(rows->key().data()) : std::max(what_.head, expected_).value + 1};
  if (end > expected_) {
    read_all_ = false;
    findings_.add(expected_, {end.value - 1}, fmt::format("cannot be read: {}", why.ToString()));
    skip_to(end);
  }
  return rows;
}

void LogPass::check_event(Position position, std::string_view record) {
  if (const auto fault = decode_record(record, event_)) {
    findings_.add(position, fmt::format("its record has a damaged {} at byte {}", fault->what, fault->offset));
    read_all_ = false;
    event_.position = {};
    return add_leaf(position, nullptr);
  }
  event_.position = position;
  if (event_.time < time_) findings_.add(position, "its time is before that of the event before it");
  time_ = event_.time;
  streams_.add(position, record);
  for (const auto tag : event_.tags) tags_.add(position, tag);
  const Hash leaf = leaf_of_record(sha_, record);
  add_leaf(position, &leaf);
}

// What is not there is in the tree all the same, so that what follows can be checked. Where the tree has ended nothing can be,
// and a key that is damaged may name any position.
void LogPass::skip_to(Position position) {
  for (; expected_ < position && !stored_.front().has_ended(); ++expected_.value) add_leaf(expected_, nullptr);
  expected_ = position;
}

void LogPass::add_leaf(Position position, const Hash* computed) {
  std::string why;
  const auto stored = stored_.front().next(why);
  if (!stored && stored_.front().count() + 1 == position.value) {
    findings_.add(position, why.empty() ? "the proof tree ends before it" : fmt::format("its leaf in the proof tree {}", why));
  }
  if (stored && computed && *stored != *computed) findings_.add(position, "it is not the event that the proof tree holds");
  const Hash& leaf = stored ? *stored : computed ? *computed : Hash{};
  levels_.add(leaf, [&](std::size_t level, std::uint64_t tile, std::string_view, const Hash& root) {
    if (stored_.size() == level + 1) stored_.emplace_back(what_, static_cast<std::uint8_t>(level + 1));
    std::string fault;
    const auto above = stored_[level + 1].next(fault);
    if (above == root) return;
    const std::uint64_t leaves = std::uint64_t{1} << kTileHeight * (level + 1);
    findings_.add({tile * leaves + 1}, {(tile + 1) * leaves},
                  fmt::format("their hash on level {} of the proof tree {}", level + 1,
                              above ? "is another" : fault.empty() ? "is missing" : fault));
  });
  check_checkpoints_at(position.value);
}

bool LogPass::is_signed(const SignedCheckpoint& note) const {
  return std::any_of(options_.keys.begin(), options_.keys.end(), [&](const TrustedKey& trusted) {
    const Position size{note.checkpoint.tree.size};
    return size >= trusted.from && (trusted.until.value == 0 || size < trusted.until) && note.is_signed_by(trusted.key);
  });
}

void LogPass::check_checkpoints_at(std::uint64_t size) {
  const bool kept = next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_].size == size;
  const bool given = options_.given && options_.given->checkpoint.tree.size == size;
  if (!kept && !given) return;
  const auto tree = levels_.tree();
  if (given) check_given(tree);
  if (!kept) return;
  // However far the one before is: a checkpoint proves every event below it. A repair may have lost those between.
  last_kept_ = size;
  const auto parsed = parse_checkpoint(checkpoints_[next_checkpoint_++].note);
  const auto* note = std::get_if<SignedCheckpoint>(&parsed);
  if (!note || note->checkpoint.tree.size != size) {
    return findings_.add({size}, fmt::format("the checkpoint of {} events is damaged", size));
  }
  if (!is_signed(*note)) {
    return findings_.add({size}, fmt::format("the checkpoint of {} events is not signed by the key of then", size));
  }
  if (note->checkpoint.tree.root != tree.root) {
    if (!std::exchange(tree_differs_, true)) {
      findings_.add({last_good_ + 1}, {size},
                    fmt::format("{}: what was signed of them is another: one was changed, removed, inserted or moved",
                                range(last_good_ + 1, size)));
    }
    return;
  }
  if (note->checkpoint.time != time_ && event_.position.value == size) {
    findings_.add({size}, fmt::format("the checkpoint of {} events has another time than the last of them", size));
  }
  tree_differs_ = false;
  last_good_ = size;
  ++good_;
}

void LogPass::check_given(const merkle::Tree& tree) {
  const auto& given = options_.given->checkpoint;
  if (given.tree.root == tree.root) return;
  findings_.add({}, fmt::format("the checkpoint that was given is of {} other events than the first {} of this log", given.tree.size,
                                tree.size));
}

void LogPass::check_end(Verification& out) {
  const std::uint64_t end = expected_.value - 1;
  std::string why;
  std::uint64_t more = 0;
  while (stored_.front().next(why)) ++more;
  if (more != 0) findings_.add({end + 1}, {end + more}, "the proof tree holds them, the log does not");
  std::uint64_t largest = 0;
  for (; next_checkpoint_ < checkpoints_.size(); ++next_checkpoint_) largest = checkpoints_[next_checkpoint_].size;
  if (largest > end) {
    findings_.add({end + 1}, {largest}, fmt::format("a checkpoint of {} events is signed, but the log ends at {}", largest, end));
  }
  if (options_.given) {
    const auto size = options_.given->checkpoint.tree.size;
    if (size > end) {
      findings_.add({end + 1}, {size}, fmt::format("the checkpoint that was given is of {} events, but the log ends at {}", size, end));
    }
    if (!options_.keys.empty() && std::none_of(options_.keys.begin(), options_.keys.end(), [&](const TrustedKey& trusted) {
          return options_.given->is_signed_by(trusted.key);
        })) {
      findings_.add({}, "the checkpoint that was given is not signed by a key of this log");
    }
  }
  check_unsigned(end);
  const auto tree = levels_.tree();
  out.events = read_;
  out.head = {end};
  out.head_time = time_;
  out.root = tree.root;
  out.checkpoints = good_;
  out.signed_events = last_good_;
}

// Whoever takes the newest checkpoints away can change what is behind those that are left.
void LogPass::check_unsigned(std::uint64_t end) {
  if (options_.keys.empty() || options_.keys.front().from.value > end || !all_checkpoints_) return;
  const auto& newest_key = options_.keys.back();
  const auto since = std::max(last_kept_, options_.keys.front().from.value);
  if (newest_key.is_in_log && last_kept_ < newest_key.from.value && newest_key.from.value <= end) {
    findings_.add(newest_key.from, {end}, "no checkpoint is kept of them, though the first is signed with the key that it tells of");
  } else if (end > since + kUnsignedMax) {
    findings_.add({since + 1}, {end}, "no checkpoint is kept of them, though one is signed every 4,096 events");
  }
}

}  // namespace ota::eventstore
