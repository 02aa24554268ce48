// Pages of lists: cursors that say where the last one ended, and the filling of one page.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "domain/ids.hpp"
#include "projections/page.hpp"

namespace ota::projections {

// Opaque to callers: the kind of list, then the place of a row in it. Only ever the place of a row,
// never a count, so that what comes and goes before it moves nothing.
inline std::string to_cursor(char list, std::string_view place) {
  return list + domain::to_hex(place);
}
// The place; empty if this is no cursor of that kind of list.
inline std::optional<std::string> place_of(char list, std::string_view cursor) {
  if (cursor.empty() || cursor.front() != list) return std::nullopt;
  return domain::from_hex(cursor.substr(1));
}

template <class T>
class PageFiller {
 public:
  PageFiller(char list, const PageRequest& request)
      : list_(list),
        skip_(request.cursor.empty() ? request.offset : 0),
        limit_(std::max<std::size_t>(request.limit, 1)) {}

  // Offers the next row of the list; false when the page is full: stop. `make` is called for a row
  // that is kept.
  template <class Make>
  bool take(std::string_view place, Make&& make) {
    if (skip_ > 0) {
      --skip_;
      return true;
    }
    if (page_.rows.size() == limit_) {
      page_.next_cursor = to_cursor(list_, last_place_);
      return false;
    }
    page_.rows.push_back(make());
    last_place_ = place;
    return true;
  }
  Page<T> take_page() { return std::move(page_); }
  static Page<T> bad_cursor() {
    Page<T> page;
    page.bad_cursor = true;
    return page;
  }

 private:
  char list_;
  std::size_t skip_;
  std::size_t limit_;
  std::string last_place_;
  Page<T> page_;
};

}  // namespace ota::projections
