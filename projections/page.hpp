// One page of a list, and how it is asked for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ota::projections {

// One page of a list. `next_cursor` is empty at the end; cost is O(page) however deep.
template <class T>
struct Page {
  std::vector<T> rows;
  std::string next_cursor;
  bool bad_cursor = false;  // the given cursor was none of ours
};
struct PageRequest {
  std::size_t limit = 50;
  std::size_t offset = 0;
  std::string cursor;  // wins over offset
};

}  // namespace ota::projections
