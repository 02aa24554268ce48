#include "projections/row_memory.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace ota::projections {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

}  // namespace

RowMemory::Row RowMemory::row_at(const char* at) {
  Head head;
  std::memcpy(&head, at, sizeof head);
  const char* const key = at + sizeof head;
  return {{key, head.key_bytes}, {key + head.key_bytes, head.value_bytes}, head.gone};
}

RowMemory::Slot& RowMemory::slot_of(std::string_view key, std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].row && (slots_[at].hash != hash || row_at(slots_[at].row).key != key)) at = (at + 1) & mask;
  return slots_[at];
}

RowMemory::Found RowMemory::find(std::string_view key, std::string& value) const {
  const std::uint64_t hash = hash_of(key);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].row; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Row row = row_at(slots_[at].row);
    if (row.key != key) continue;
    if (row.gone) return Found::kGone;
    value.assign(row.value);
    return Found::kRow;
  }
  return Found::kNothing;
}

void RowMemory::write(std::string_view key, std::string_view value, bool gone) {
  const std::uint64_t hash = hash_of(key);
  Slot& slot = slot_of(key, hash);
  if (!slot.row) {
    slot = {add(key, value, gone), hash};
    if (++count_ * 4 > slots_.size() * 3) grow();
    return;
  }
  Head head;
  std::memcpy(&head, slot.row, sizeof head);
  if (value.size() > head.room) {
    slot.row = add(key, value, gone);
    return;
  }
  head.value_bytes = static_cast<std::uint32_t>(value.size());
  head.gone = gone;
  std::memcpy(slot.row, &head, sizeof head);
  std::copy(value.begin(), value.end(), slot.row + sizeof head + head.key_bytes);
}

char* RowMemory::add(std::string_view key, std::string_view value, bool gone) {
  const Head head{static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()),
                  static_cast<std::uint32_t>(value.size()), gone};
  char* const row = take(sizeof head + key.size() + value.size());
  std::memcpy(row, &head, sizeof head);
  std::copy(value.begin(), value.end(), std::copy(key.begin(), key.end(), row + sizeof head));
  return row;
}

char* RowMemory::take(std::size_t bytes) {
  if (bytes > free_bytes_) {
    free_bytes_ = std::max(bytes, kBlockBytes);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(free_bytes_));
    free_ = blocks_.back().get();
    bytes_ += free_bytes_;
  }
  free_bytes_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

void RowMemory::grow() {
  std::vector<Slot> before(slots_.size() * 2);
  std::swap(before, slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (!slot.row) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].row) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::vector<RowMemory::Row> RowMemory::sorted() const {
  std::vector<Row> rows;
  rows.reserve(count_);
  for (const Slot& slot : slots_) {
    if (slot.row) rows.push_back(row_at(slot.row));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return rows;
}

}  // namespace ota::projections
