#include "eventstore/name_rows.hpp"

#include "eventstore/keys.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {

NameRows::NameRows(const Database& database, Family family, std::string_view name,
                   const rocksdb::Snapshot* at)
    : name_(name), rows_(database.iterate_names(family, at)) {}

// True when there is nothing to step over: a row of the name, or the end. A name with the same hash
// and another length may have rows in between.
bool NameRows::settle() {
  position_ = {};
  if (!rows_->Valid()) {
    check(rows_->status(), "read the rows of a name");
    return true;
  }
  if (const auto found = position_in(view(rows_->key()), name_)) {
    if (found->value == 0) throw LogError("a row of a name has position 0");
    position_ = *found;
    return true;
  }
  return false;
}

void NameRows::seek_after(Position after) {
  position_ = {};
  if (after.value == UINT64_MAX) return;
  rows_->Seek(name_key(name_, {after.value + 1}));
  while (!settle()) rows_->Next();
}

void NameRows::seek_at_most(Position at_most) {
  rows_->SeekForPrev(name_key(name_, at_most));
  while (!settle()) rows_->Prev();
}

void NameRows::next() {
  do rows_->Next();
  while (!settle());
}

void NameRows::previous() {
  do rows_->Prev();
  while (!settle());
}

}  // namespace ota::eventstore
