// Where is the newest event of a tag? What conditions are checked against.
//
// The tags of the latest events are kept in memory, 16 bytes each: two tables, of which the younger
// is filled. When it is full the older one is dropped and the younger becomes the older, so at
// least limits::kTagMemoryEvents events (fewer only if they carry very many tags) are remembered.
// Every event behind horizon() is. Hence, for a condition "nothing newer than P":
//
//   the memory knows the tag, at or before P   holds
//   the memory knows the tag, after P          ask what decides: the tables know hashes, and hashes
//   may collide not in memory, P at or behind the horizon  holds not in memory, P before the
//   horizon        ask the index; the answer is good until the horizon moves
//
// The writer's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "eventstore/log.hpp"
#include "eventstore/prepared_append.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// hash64 of a tag -> position, open addressing.
class PositionTable {
 public:
  void put(std::uint64_t hash, Position position);
  Position get(std::uint64_t hash) const;  // 0: unknown
  std::size_t size() const { return used_; }
  void clear();

 private:
  struct Slot {
    std::uint64_t hash = 0;
    Position position;  // 0: free
  };
  std::size_t find(std::uint64_t hash) const;
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  std::size_t used_ = 0;
};

class NewestPositions {
 public:
  // Starts with an empty memory behind the head of `log`.
  NewestPositions(const Log& log, std::uint64_t memory_events);

  // Call between groups, while every event is committed: forgets what is too much.
  void begin_group();
  // Notes that the event at `position` carries a tag. Positions only rise.
  void remember(std::uint64_t hash, Position position);

  using Uncommitted = std::span<const std::unique_ptr<PreparedAppend>>;
  // The newest event that carries the condition's tag if it is newer than the condition allows,
  // else 0. `uncommitted` are the appends that were decided before in this group. Throws LogError.
  Position violation(const PreparedCondition& condition, Uncommitted uncommitted);

  Position horizon() const { return horizon_; }

 private:
  Position look_up(const std::string& tag);

  const Log& log_;
  const std::uint64_t memory_events_;
  PositionTable young_;
  PositionTable old_;
  Position newest_;       // of all events
  Position young_begin_;  // young_ has the events behind this one,
  Position horizon_;      // both tables together those behind this one
  std::unordered_map<std::string, Position> looked_up_;  // tags without an event behind the horizon
};

}  // namespace ota::eventstore
