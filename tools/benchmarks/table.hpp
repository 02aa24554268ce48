// What was measured, one row for each figure, and how the rows are shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/benchmarks/machine.hpp"

namespace ota::bench {

// What a row must reach. Only a binding goal makes --check fail; the others are where the design
// wants to be.
struct Goal {
  enum class Kind { kRatioAtLeast, kValueAtLeast, kValueAtMost };
  Kind kind = Kind::kRatioAtLeast;
  double bound = 0;
  bool binding = false;
  double wished = 0;  // beyond a binding bound, where the design wants to be; 0: there
};

// The neighbour that did comparable work in the same run, in the row's unit.
struct Peer {
  std::string name;
  double value = 0;
};

struct Row {
  std::string work;
  double value = 0;
  std::string unit;
  std::optional<Peer> peer;
  std::optional<Goal> goal;
  std::string note;

  // value / peer; empty without a peer.
  std::optional<double> ratio() const;
  // Whether the goal is reached; empty without one.
  std::optional<bool> reached() const;
  bool is_miss() const { return goal && goal->binding && !reached().value_or(true); }
};

// An aligned table with the machine on top.
std::string as_table(const Machine& machine, const std::vector<Row>& rows);
// The same as one JSON object.
std::string as_json(const Machine& machine, const std::vector<Row>& rows);

}  // namespace ota::bench
