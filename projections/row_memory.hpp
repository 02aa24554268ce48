// Rows in memory, as a bulk rebuild changes them: the newest value of each, or that it is gone.
//
// One table of hashes over one arena: a row costs its bytes and 30 more, and a look-up two misses of the processor's cache.
// Values that grow leave their old place empty; all is freed at once. One thread changes it; when none does any more, any
// number may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ota::projections {

class RowMemory {
 public:
  struct Row {
    std::string_view key;
    std::string_view value;
    bool gone = false;
  };
  enum class Found : std::uint8_t { kNothing, kGone, kRow };

  Found find(std::string_view key, std::string& value) const;
  void put(std::string_view key, std::string_view value) { write(key, value, false); }
  void erase(std::string_view key) { write(key, {}, true); }

  bool empty() const { return count_ == 0; }
  // That it has taken for rows.
  std::size_t bytes() const { return bytes_; }
  // All of them in the order of their keys.
  std::vector<Row> sorted() const;

 private:
  // What stands before the bytes of a key and of a value.
  struct Head {
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;
    std::uint32_t room = 0;               // for the value
    bool gone = false;
  };
  struct Slot {
    char* row = nullptr;                  // null: free
    std::uint64_t hash = 0;
  };

  void write(std::string_view key, std::string_view value, bool gone);
  Slot& slot_of(std::string_view key, std::uint64_t hash);
  char* add(std::string_view key, std::string_view value, bool gone);
  char* take(std::size_t bytes);
  void grow();
  static Row row_at(const char* at);

  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  std::size_t count_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ota::projections
