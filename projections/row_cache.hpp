// Rows of one table as decoded values, for the thread that applies: decoded once, encoded once a
// group.
//
// What was used lately stays for the next group, but for what was made: a fleet that is registered
// would only push out what is active. Two generations instead of an LRU list: when the young one is
// full it becomes the old one, and what is used again moves back.
#pragma once

#include <fmt/format.h>
#include <tsl/robin_map.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "projections/rows.hpp"

namespace ota::projections {

// How a type becomes the bytes of a row: `static std::string encode(const T&)`, and
// `static std::optional<T> decode(std::string_view)`, empty if the bytes are damaged.
template <class T>
struct RowCodec;

// How a value is kept: as one row under its key, unless a type says otherwise.
template <class T>
struct RowStore {
  // False: there is none. Throws if its bytes are damaged.
  static bool load(const Rows& rows, const std::string& key, std::string& buffer, T& value) {
    if (!rows.get(key, buffer)) return false;
    auto decoded = RowCodec<T>::decode(buffer);
    if (!decoded) throw std::runtime_error(fmt::format("a row of table '{}' is damaged", key.front()));
    value = std::move(*decoded);
    return true;
  }
  static void save(Rows& rows, const std::string& key, T& value) { rows.put(key, RowCodec<T>::encode(value)); }
};

template <class T>
class RowCache {
 public:
  RowCache(Rows& rows, std::size_t capacity) : rows_(rows), capacity_(capacity) {}

  // The row to look at; null if there is none. Valid until the next commit().
  const T* find(const std::string& key) {
    auto* slot = look_up(key);
    return slot && !slot->gone ? &slot->value : nullptr;
  }
  // The row to change; null if there is none. Throws if its bytes are damaged.
  T* edit(const std::string& key) {
    auto* slot = look_up(key);
    if (!slot || slot->gone) return nullptr;
    mark(*slot);
    return &slot->value;
  }
  // The row to change, new if there was none.
  T& edit_or_make(const std::string& key) {
    return edit_or_make(key, [] { return false; });
  }
  // The same; the rows are not searched for one that is not here if `is_new()` knows that there is none.
  template <class IsNew>
  T& edit_or_make(const std::string& key, const IsNew& is_new) {
    auto* slot = kept(key);
    if (!slot && !is_new()) slot = load(key);
    if (!slot) slot = &add(key);
    if (slot->gone) slot->value = T{};
    slot->gone = false;
    mark(*slot);
    return slot->value;
  }
  // The new row to fill where the caller knows that there is none, and that it is not needed soon.
  T& make(const std::string& key) {
    const auto known = young_.find(key);
    auto& slot = known == young_.end() ? add(key) : *known.value();
    slot.value = T{};
    slot.gone = false;
    slot.made = true;
    mark(slot);
    return slot.value;
  }
  void erase(const std::string& key) {
    auto* slot = look_up(key);
    if (!slot) return;
    slot->gone = true;
    mark(*slot);
  }

  // What has changed since the last commit and is still there.
  template <class Visit>
  void each_changed(const Visit& visit) const {
    for (const auto* slot : dirty_) {
      if (!slot->gone) visit(slot->value);
    }
  }

  // Puts what has changed into the group's batch.
  void commit() {
    for (auto* slot : dirty_) {
      slot->dirty = false;
      if (!slot->gone) {
        RowStore<T>::save(rows_, slot->key, slot->value);
      } else {
        rows_.erase(slot->key);
      }
      if (slot->gone || slot->made) young_.erase(slot->key);
    }
    dirty_.clear();
    if (young_.size() > capacity_ * rows_.cache_factor()) old_ = std::exchange(young_, {});
  }

 private:
  struct Slot {
    std::string key;
    T value{};
    bool dirty = false;
    bool gone = false;
    bool made = false;  // in this group
  };
  // By the keys in them. A look-up costs two misses of the processor's cache where the map of the standard library has four,
  // and that is what a rebuild's time goes into.
  using Slots = tsl::robin_map<std::string_view, std::unique_ptr<Slot>, std::hash<std::string_view>, std::equal_to<>,
                               std::allocator<std::pair<std::string_view, std::unique_ptr<Slot>>>, /*StoreHash=*/true>;

  Slot* kept(const std::string& key) {
    const std::size_t hash = std::hash<std::string_view>{}(key);
    if (const auto found = young_.find(key, hash); found != young_.end()) return found.value().get();
    if (const auto found = old_.find(key, hash); found != old_.end()) {
      auto slot = std::move(found.value());
      old_.erase(found);
      return &keep(std::move(slot));
    }
    return nullptr;
  }
  Slot* look_up(const std::string& key) {
    auto* slot = kept(key);
    return slot ? slot : load(key);
  }
  Slot* load(const std::string& key) {
    T value{};
    if (!RowStore<T>::load(rows_, key, buffer_, value)) return nullptr;
    auto& slot = add(key);
    slot.value = std::move(value);
    return &slot;
  }
  Slot& add(const std::string& key) {
    auto slot = std::make_unique<Slot>();
    slot->key = key;
    return keep(std::move(slot));
  }
  Slot& keep(std::unique_ptr<Slot> slot) {
    const std::string_view key = slot->key;
    return *young_.insert_or_assign(key, std::move(slot)).first.value();
  }
  void mark(Slot& slot) {
    if (slot.dirty) return;
    slot.dirty = true;
    dirty_.push_back(&slot);
  }

  Rows& rows_;
  std::size_t capacity_;
  Slots young_;
  Slots old_;
  std::vector<Slot*> dirty_;  // in young_: whatever is looked up moves there
  std::string buffer_;
};

// A counter, or any other single number.
template <>
struct RowCodec<std::uint64_t> {
  static std::string encode(std::uint64_t value);
  static std::optional<std::uint64_t> decode(std::string_view bytes);
};

}  // namespace ota::projections
