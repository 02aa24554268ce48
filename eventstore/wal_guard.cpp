#include "eventstore/wal_guard.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <utility>

#include "eventstore/manifest_check.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {
namespace {

std::string second_of(Timestamp time) { return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", std::chrono::floor<std::chrono::seconds>(time)); }

}  // namespace

WalGuard::WalGuard(std::filesystem::path directory, Words words) : directory_(std::move(directory)), words_(std::move(words)) {
  try {
    note_ = read_acknowledged(directory_);
  } catch (const DamagedNote& damaged) {
    note_fault_ = fmt::format("{}. `otactl log repair --apply {}` writes it anew, from what is there", damaged.what(), words_.repaired.string());
  } catch (const std::exception& fault) {
    note_fault_ = fault.what();
  }
  if (!std::filesystem::is_directory(directory_)) return;
  sound_bytes_ = wal_sizes(directory_);
  if (const auto found = note_ && note_->manifest != 0 ? find_manifest(directory_) : std::nullopt) {
    if (found->number == note_->manifest && found->sound_bytes < note_->manifest_bytes) {
      cut_manifest_ = fmt::format("its list of tables {} is sound to byte {} alone, and was synced to byte {}", manifest_name(found->number),
                                  found->sound_bytes, note_->manifest_bytes);
    }
  }
  if (!note_ || note_->wal == 0) return;
  // Its end may be there, and not be what was written.
  const auto newest = sound_bytes_.find(note_->wal);
  const auto file = directory_ / wal_name(note_->wal);
  if (newest == sound_bytes_.end() || ends_soundly(file)) return;
  if (const auto damage = find_wal_damage({file})) newest->second = damage->offset;
}

std::string WalGuard::missing_wal(std::uint64_t needed) const {
  if (!note_) return {};
  const auto bytes_of = [&](std::uint64_t number) {
    const auto found = sound_bytes_.find(number);
    return found == sound_bytes_.end() ? 0 : found->second;
  };
  const auto gone = [&](std::uint64_t number) {
    return fmt::format("{} is {}", wal_name(number), sound_bytes_.contains(number) ? "empty" : "gone");
  };
  for (const auto number : note_->older) {
    if (number >= needed && bytes_of(number) == 0) return gone(number);
  }
  if (note_->wal == 0 || note_->wal < needed || bytes_of(note_->wal) >= note_->wal_bytes) return {};
  if (bytes_of(note_->wal) == 0) return gone(note_->wal);
  return fmt::format("{} is sound to byte {} alone, and was synced to byte {}", wal_name(note_->wal), bytes_of(note_->wal), note_->wal_bytes);
}

std::string WalGuard::shortfall(std::optional<std::uint64_t> found, std::uint64_t needed) const {
  if (!note_) return note_fault_;
  const auto wal = missing_wal(needed);
  if (wal.empty() && cut_manifest_.empty() && (!found || *found >= note_->count)) return {};
  const auto lost = !cut_manifest_.empty()
                        ? fmt::format("how many of the {} {} that were acknowledged by {} it has cannot be told, since {}", note_->count,
                                      words_.things, second_of(note_->time), cut_manifest_)
                    : !found ? fmt::format("how many of the {} {} that were acknowledged by {} it has cannot be told, since its newest table "
                                         "cannot be read",
                                         note_->count, words_.things, second_of(note_->time))
                    : *found >= note_->count
                        ? fmt::format("it has its {} {}, and other rows are missing", *found, words_.things)
                        : fmt::format("it has {} of the {} {} that were acknowledged by {}, {} are missing", *found, note_->count,
                                      words_.things, second_of(note_->time), note_->count - *found);
  return fmt::format("the {} in {} is not all there: {}{}. Put back what is missing, or restore a backup; `otactl log repair {}` tells "
                     "what is lost, and with --apply goes on without it",
                     words_.database, directory_.string(), lost,
                     wal.empty() ? "" : fmt::format(", and of its write-ahead log {}", wal), words_.repaired.string());
}

void WalGuard::refuse_damaged(std::uint64_t from) const {
  const auto damage = find_wal_damage(wal_files(directory_, from));
  if (!damage || damage->is_torn_tail()) return;
  throw std::runtime_error(fmt::format(
      "the {} in {} is damaged: {}. That was acknowledged. `otactl log repair {}` tells what is lost without it; a backup may "
      "still have it",
      words_.database, directory_.string(), damage->text(), words_.repaired.string()));
}

std::optional<TornTail> WalGuard::cut_torn_tail() const {
  auto cut = eventstore::cut_torn_tail(directory_, words_.database);
  if (!cut) return cut;
  // Nobody was told of a write that did not come to its end; of one that was damaged later somebody may have been.
  cut->known = note_ ? fmt::format("All that was noted as acknowledged is there: {} {}, by {}. Whether somebody was told of these bytes, "
                                   "within the second behind that, is not known",
                                   note_->count, words_.things, second_of(note_->time))
                     : "Whether somebody was told of them is not known";
  return cut;
}

}  // namespace ota::eventstore
