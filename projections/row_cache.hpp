// Rows of one table as decoded values, for the thread that applies: decoded once, encoded once a
// group.
//
// What was used lately stays for the next group, but for what was made: a fleet that is registered
// would only push out what is active. Two generations instead of an LRU list: when the young one is
// full it becomes the old one, and what is used again moves back.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "projections/rows.hpp"

namespace ota::projections {

// How a type becomes the bytes of a row: `static std::string encode(const T&)`, and
// `static std::optional<T> decode(std::string_view)`, empty if the bytes are damaged.
template <class T>
struct RowCodec;

template <class T>
class RowCache {
 public:
  RowCache(Rows& rows, std::size_t capacity) : rows_(rows), capacity_(capacity) {}

  // The row to look at; null if there is none. Valid until the next commit().
  const T* find(const std::string& key) {
    auto* slot = look_up(key);
    return slot && !slot->second.gone ? &slot->second.value : nullptr;
  }
  // The row to change; null if there is none. Throws if its bytes are damaged.
  T* edit(const std::string& key) {
    auto* slot = look_up(key);
    if (!slot || slot->second.gone) return nullptr;
    mark(*slot);
    return &slot->second.value;
  }
  // The row to change, new if there was none.
  T& edit_or_make(const std::string& key) {
    auto* slot = look_up(key);
    if (!slot) slot = &*young_.try_emplace(key).first;
    if (slot->second.gone) slot->second.value = T{};
    slot->second.gone = false;
    mark(*slot);
    return slot->second.value;
  }
  // The new row to fill where the caller knows that there is none: the rows are not searched for it.
  T& make(const std::string& key) {
    auto& slot = *young_.try_emplace(key).first;
    slot.second.value = T{};
    slot.second.gone = false;
    slot.second.made = true;
    mark(slot);
    return slot.second.value;
  }
  void erase(const std::string& key) {
    auto* slot = look_up(key);
    if (!slot) return;
    slot->second.gone = true;
    mark(*slot);
  }

  // Puts what has changed into the group's batch.
  void commit() {
    for (auto* slot : dirty_) {
      auto& [key, state] = *slot;
      state.dirty = false;
      if (!state.gone) {
        rows_.put(key, RowCodec<T>::encode(state.value));
      } else {
        rows_.erase(key);
      }
      if (state.gone || state.made) young_.erase(young_.find(key));
    }
    dirty_.clear();
    if (young_.size() > capacity_ * rows_.cache_factor()) {
      old_ = std::move(young_);
      young_.clear();
    }
  }

 private:
  struct State {
    T value{};
    bool dirty = false;
    bool gone = false;
    bool made = false;  // in this group
  };
  using Map = std::unordered_map<std::string, State>;
  using Slot = typename Map::value_type;

  Slot* look_up(const std::string& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &*found;
    if (auto node = old_.extract(key)) return &*young_.insert(std::move(node)).position;
    if (!rows_.get(key, buffer_)) return nullptr;
    auto value = RowCodec<T>::decode(buffer_);
    if (!value) {
      throw std::runtime_error(fmt::format("a row of table '{}' is damaged", key.front()));
    }
    auto& slot = *young_.try_emplace(key).first;
    slot.second.value = std::move(*value);
    return &slot;
  }
  void mark(Slot& slot) {
    if (slot.second.dirty) return;
    slot.second.dirty = true;
    dirty_.push_back(&slot);
  }

  Rows& rows_;
  std::size_t capacity_;
  Map young_;
  Map old_;
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
