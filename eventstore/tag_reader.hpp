// Reads the events of a tag: the tag's own stream merged with the events that `tags` points to, in
// position order.
//
// Both are read at one RocksDB snapshot, so that no event between two that were seen is left out.
// The records behind `tags` are fetched from `log` a few at a time: memory is bounded by
// limits::kTagFetch records.
#pragma once

#include <string_view>

#include "eventstore/database.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {

// Throws LogError, and what `visit` throws.
void read_tag(const Database& database, std::string_view tag, Position after, const Visitor& visit);

// Decodes a record for a visitor. Throws LogError with the position if it is damaged.
void decode_at(Position position, std::string_view record, RecordedEvent& event);

}  // namespace ota::eventstore
