// How far the log has been told to the bus, kept in a file of one line: a position.
//
// Everything up to it was acknowledged by the bus. It is replaced whole (temporary file, fsync,
// rename, fsync of the folder), so after a crash it is the old or the new one, and what lies
// between is sent again. One thread at a time.
#pragma once

#include <filesystem>

#include "domain/words.hpp"

namespace ota::gateways::nats {

class Cursor {
 public:
  // Reads <directory>/cursor; without one nothing has been told yet. Creates the directory if
  // missing. Throws std::runtime_error with a sentence for people: it cannot be read, or is not a
  // position.
  explicit Cursor(std::filesystem::path directory);

  domain::Position position() const { return position_; }
  // Moves to `position` and makes that durable. Throws std::runtime_error; then it has not moved.
  void move_to(domain::Position position);

 private:
  std::filesystem::path directory_;
  domain::Position position_;
};

}  // namespace ota::gateways::nats
