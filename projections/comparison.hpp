// Whether two sets of rows are the same, and if not, which rows are not.
//
// Rows are a function of the log, so those that are shown and those that were just folded from it are equal to the last byte
// when they stand at the same position. A difference is a row that the disk has changed, or a fault of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/ids.hpp"
#include "projections/reader.hpp"

namespace ota::projections {

struct RowDifference {
  enum class Kind { kMissing, kSurplus, kOther };  // what the first set has of it: nothing, something; something else
  std::string key;                                  // behind the table's letter; bytes beyond ASCII as \x00
  Kind kind = Kind::kOther;
};

struct TableComparison {
  std::string name;                     // "updates"
  std::uint64_t rows = 0;               // of the first set
  std::uint64_t rows_expected = 0;      // of the second
  std::uint64_t differences = 0;
  std::vector<RowDifference> first;     // of them, at most limits::kDifferencesShown
};

struct Comparison {
  domain::Position position;            // at which both stand
  std::string digest;                   // of the first set (digest.hpp)
  std::string digest_expected;
  std::uint64_t rows = 0;               // of the second
  std::vector<TableComparison> differing;  // tables that are not equal, in the order of their letters
  bool equal() const { return differing.empty() && digest == digest_expected; }
};

// Both readers of one moment. `go_on` is called now and then, and breaks it off when it is false: then nothing is answered.
std::optional<Comparison> compare(const Reader& shown, const Reader& expected, const std::function<bool()>& go_on);

}  // namespace ota::projections
