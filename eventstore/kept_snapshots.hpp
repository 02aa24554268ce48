// Which snapshots of a stream stay: a bounded number, spread over its life, so that any moment of it has one near.
//
// Knows the positions of the streams that took snapshots lately; of others they are read from the database when they take
// one, since reading positions means reading past the snapshots themselves. Used by the writer's thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "eventstore/database.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

class KeptSnapshots {
 public:
  explicit KeptSnapshots(const Database& database) : database_(database) {}

  // A snapshot of `stream` is added: the position of the one that goes for it, if any. Throws LogError if the database cannot
  // tell which there are.
  std::optional<Position> add(const std::string& stream, Position position);

 private:
  std::vector<Position>& of(const std::string& stream);

  const Database& database_;
  std::unordered_map<std::string, std::vector<Position>> positions_;  // ascending
};

}  // namespace ota::eventstore
