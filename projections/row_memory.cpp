#include "projections/row_memory.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <span>
#include <utility>

namespace ota::projections {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

// A row on its way into the order of keys, with the eight bytes of its key that are compared.
struct Sorted {
  std::uint64_t word = 0;
  RowMemory::Row row;
};

constexpr std::size_t kWord = sizeof(std::uint64_t);

// In the order of its bytes; 0 is what a key has behind its end.
std::uint64_t word_at(std::string_view key, std::size_t begin) {
  std::array<unsigned char, kWord> bytes{};
  if (begin < key.size()) std::memcpy(bytes.data(), key.data() + begin, std::min(kWord, key.size() - begin));
  std::uint64_t word = 0;
  for (const auto byte : bytes) word = word << 8 | byte;
  return word;
}

// Rows whose keys are equal up to `begin`. Keys lie all over the memory: each is fetched once for every eight bytes, and not
// for every comparison.
void sort_from(std::size_t begin, std::span<Sorted> rows) {
  for (auto& sorted : rows) sorted.word = word_at(sorted.row.key, begin);
  std::sort(rows.begin(), rows.end(), [](const Sorted& a, const Sorted& b) { return a.word < b.word; });
  for (auto from = rows.begin(); from != rows.end();) {
    const auto end = std::find_if(from, rows.end(), [&](const Sorted& other) { return other.word != from->word; });
    const std::span<Sorted> equal(from, end);
    const bool any_goes_on = std::any_of(from, end, [&](const Sorted& one) { return one.row.key.size() > begin + kWord; });
    if (equal.size() > 1 && any_goes_on) {
      sort_from(begin + kWord, equal);
    } else if (equal.size() > 1) {  // they differ in zeros at their end
      std::sort(from, end, [](const Sorted& a, const Sorted& b) { return a.row.key.size() < b.row.key.size(); });
    }
    from = end;
  }
}

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
  std::vector<Sorted> order;
  order.reserve(count_);
  for (const Slot& slot : slots_) {
    if (slot.row) order.push_back({0, row_at(slot.row)});
  }
  sort_from(0, order);
  std::vector<Row> rows;
  rows.reserve(order.size());
  for (const auto& sorted : order) rows.push_back(sorted.row);
  return rows;
}

}  // namespace ota::projections
