#include "projections/comparison.hpp"

#include <fmt/format.h>

#include "projections/digest.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '\\') {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

// Walks both sets side by side, table by table.
class Walk {
 public:
  Walk(const Reader& shown, const Reader& expected, const std::function<bool()>& go_on)
      : shown_(shown), expected_(expected), go_on_(go_on) {}

  bool run(Comparison& result) {
    for (int letter = 1; letter < 128; ++letter) {  // a table lives in one family
      if (!compare_table(static_cast<Table>(letter), result)) return false;
    }
    result.digest = digest_.hex();
    result.digest_expected = digest_expected_.hex();
    return true;
  }

 private:
  bool compare_table(Table table, Comparison& result) {
    const auto letter = key_in(table).take();
    Range here(shown_, letter, {}, Range::Caching::kPassBy);
    Range there(expected_, letter, {}, Range::Caching::kPassBy);
    TableComparison found;
    while (here.valid() || there.valid()) {
      if (++steps_ % limits::kRowsBetweenLooks == 0 && !go_on_()) return false;
      const int order = !there.valid() ? -1 : !here.valid() ? 1 : here.rest().compare(there.rest());
      if (order < 0) {
        note(found, here.rest(), RowDifference::Kind::kSurplus);
      } else if (order > 0) {
        note(found, there.rest(), RowDifference::Kind::kMissing);
      } else if (here.value() != there.value()) {
        note(found, here.rest(), RowDifference::Kind::kOther);
      }
      if (order <= 0) count(digest_, found.rows, table, here);
      if (order >= 0) count(digest_expected_, found.rows_expected, table, there);
    }
    result.rows += found.rows_expected;
    if (found.differences == 0) return true;
    found.name = name_of(table);
    result.differing.push_back(std::move(found));
    return true;
  }
  static void note(TableComparison& found, std::string_view key, RowDifference::Kind kind) {
    if (++found.differences <= limits::kDifferencesShown) found.first.push_back({printable(key), kind});
  }
  static void count(RowsDigest& digest, std::uint64_t& rows, Table table, Range& range) {
    digest.add(table, range.rest(), range.value());
    ++rows;
    range.next();
  }

  const Reader& shown_;
  const Reader& expected_;
  const std::function<bool()>& go_on_;
  RowsDigest digest_;
  RowsDigest digest_expected_;
  std::uint64_t steps_ = 0;
};

}  // namespace

std::optional<Comparison> compare(const Reader& shown, const Reader& expected, const std::function<bool()>& go_on) {
  Comparison result;
  Walk walk(shown, expected, go_on);
  return walk.run(result) ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace ota::projections
