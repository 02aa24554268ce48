// Targets of campaigns that have no events yet: bits, in pieces small enough to rewrite when one of
// them is cleared.
//
// A set of a million devices is 245 rows of 512 bytes. A bit goes when its device is granted (or
// skipped, or cancelled) or deleted; a row without bits goes too. So lists find those that are left
// without looking at the others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "domain/bitmap.hpp"
#include "projections/reader.hpp"

namespace ota::projections {

struct FreshChunk {
  static constexpr std::uint32_t kOrdinals = 4'096;
  std::array<std::uint64_t, kOrdinals / 64> words{};

  bool has(std::uint32_t ordinal) const { return (word(ordinal) & bit(ordinal)) != 0; }
  void set(std::uint32_t ordinal) { word(ordinal) |= bit(ordinal); }
  void clear(std::uint32_t ordinal) { word(ordinal) &= ~bit(ordinal); }
  bool empty() const;
  // The first ordinal of the chunk that is set, at or after `from` (both counted within the chunk).
  std::optional<std::uint32_t> next(std::uint32_t from) const;

 private:
  static std::uint64_t bit(std::uint32_t ordinal) { return std::uint64_t{1} << (ordinal % 64); }
  std::uint64_t& word(std::uint32_t ordinal) { return words[ordinal % kOrdinals / 64]; }
  const std::uint64_t& word(std::uint32_t ordinal) const { return words[ordinal % kOrdinals / 64]; }
};
template <>
struct RowCodec<FreshChunk> {
  static std::string encode(const FreshChunk& chunk);
  static std::optional<FreshChunk> decode(std::string_view bytes);
};

// For the thread that applies.
class FreshTargets {
 public:
  explicit FreshTargets(Rows& rows);
  void add(domain::CampaignId campaign, const domain::Bitmap& ordinals);
  // Takes it out; false if it was not, or no longer, in.
  bool take(domain::CampaignId campaign, std::uint32_t ordinal);
  bool has(domain::CampaignId campaign, std::uint32_t ordinal);
  void commit() { chunks_.commit(); }

 private:
  RowCache<FreshChunk> chunks_;
};

bool is_fresh(const Reader& reader, domain::CampaignId campaign, std::uint32_t ordinal);

// Walks over them in order, for lists.
class FreshWalk {
 public:
  FreshWalk(const Reader& reader, domain::CampaignId campaign, std::uint32_t from);
  // Empty at the end.
  std::optional<std::uint32_t> ordinal() const { return ordinal_; }
  void next();

 private:
  void find(std::uint32_t from_in_chunk);
  Range chunks_;
  std::optional<FreshChunk> chunk_;
  std::uint32_t base_ = 0;
  std::optional<std::uint32_t> ordinal_;
};

}  // namespace ota::projections
