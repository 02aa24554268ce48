// The rows of one name in `streams`, `tags` or `snapshots`, in position order: seek once, then
// next.
//
// Not for two threads at once; lives no longer than the database.
#pragma once

#include <memory>
#include <string_view>

#include "eventstore/database.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

class NameRows {
 public:
  // Stands nowhere at first. `at` null: the newest state. `name` must outlive this.
  NameRows(const Database& database, Family family, std::string_view name,
           const rocksdb::Snapshot* at = nullptr);

  // Each moves to a row of the name, if there is one: the first after a position; the last at or
  // before one; its neighbours. Throws LogError if the database cannot tell.
  void seek_after(Position after);
  void seek_at_most(Position at_most);
  void next();
  void previous();

  bool valid() const { return position_.value != 0; }
  Position position() const { return position_; }
  std::string_view value() const { return view(rows_->value()); }

 private:
  bool settle();

  std::string_view name_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  Position position_;
};

}  // namespace ota::eventstore
