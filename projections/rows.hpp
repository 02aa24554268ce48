// How views write their rows: the one interface between apply() and where the rows are.
//
// Live and in a replay that is a batch over RocksDB; a bulk rebuild may put memory behind it. Used
// by the thread that applies, and by no other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ota::projections {

class Rows {
 public:
  Rows() = default;
  virtual ~Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // Reads a row as of the last commit; false if there is none. What this group has changed is in
  // the RowCaches.
  virtual bool get(std::string_view key, std::string& value) const = 0;
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
  // How many times as many decoded rows as usual the caches over them may keep.
  virtual std::size_t cache_factor() const { return 1; }
};

}  // namespace ota::projections
