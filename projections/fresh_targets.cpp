#include "projections/fresh_targets.hpp"

#include <algorithm>
#include <bit>

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

std::string chunk_number(std::uint32_t ordinal) {
  return BytesOut().u32(ordinal / FreshChunk::kOrdinals).take();
}
std::string chunk_key(domain::CampaignId campaign, std::uint32_t ordinal) {
  return in_campaign(Table::kFresh, campaign).u32(ordinal / FreshChunk::kOrdinals).take();
}

}  // namespace

bool FreshChunk::empty() const {
  return std::all_of(words.begin(), words.end(), [](std::uint64_t w) { return w == 0; });
}

std::optional<std::uint32_t> FreshChunk::next(std::uint32_t from) const {
  for (std::uint32_t i = from / 64; i < words.size(); ++i) {
    const std::uint64_t left =
        words[i] & (i == from / 64 ? ~std::uint64_t{0} << (from % 64) : ~std::uint64_t{0});
    if (left != 0) return i * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
  }
  return std::nullopt;
}

std::string RowCodec<FreshChunk>::encode(const FreshChunk& chunk) {
  BytesOut out;
  for (const auto word : chunk.words) out.u64(word);
  return out.take();
}
std::optional<FreshChunk> RowCodec<FreshChunk>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  FreshChunk chunk;
  for (auto& word : chunk.words) word = in.u64();
  return in.complete() ? std::optional(chunk) : std::nullopt;
}

FreshTargets::FreshTargets(Rows& rows) : chunks_(rows, limits::kCachedCounters) {}

void FreshTargets::add(domain::CampaignId campaign, const domain::Bitmap& ordinals) {
  FreshChunk* chunk = nullptr;
  std::uint32_t number = 0;
  for (const std::uint32_t ordinal : ordinals) {
    if (!chunk || ordinal / FreshChunk::kOrdinals != number) {
      number = ordinal / FreshChunk::kOrdinals;
      chunk = &chunks_.edit_or_make(chunk_key(campaign, ordinal));
    }
    chunk->set(ordinal);
  }
}

bool FreshTargets::has(domain::CampaignId campaign, std::uint32_t ordinal) {
  const auto* chunk = chunks_.find(chunk_key(campaign, ordinal));
  return chunk && chunk->has(ordinal);
}

bool FreshTargets::take(domain::CampaignId campaign, std::uint32_t ordinal) {
  if (!has(campaign, ordinal)) return false;
  const auto key = chunk_key(campaign, ordinal);
  auto* chunk = chunks_.edit(key);
  chunk->clear(ordinal);
  if (chunk->empty()) chunks_.erase(key);
  return true;
}

bool is_fresh(const Reader& reader, domain::CampaignId campaign, std::uint32_t ordinal) {
  const auto chunk = reader.row<FreshChunk>(chunk_key(campaign, ordinal));
  return chunk && chunk->has(ordinal);
}

FreshWalk::FreshWalk(const Reader& reader, domain::CampaignId campaign, std::uint32_t from)
    : chunks_(reader, id_key(Table::kFresh, campaign.bytes), chunk_number(from)) {
  if (!chunks_.valid()) return;
  const std::uint32_t first = BytesIn(chunks_.rest()).u32() * FreshChunk::kOrdinals;
  find(first < from ? from - first : 0);
}

void FreshWalk::next() {
  const std::uint32_t in_chunk = *ordinal_ - base_ + 1;
  if (const auto found = chunk_->next(in_chunk)) {
    ordinal_ = base_ + *found;
  } else {
    chunks_.next();
    find(0);
  }
}

void FreshWalk::find(std::uint32_t from_in_chunk) {
  for (ordinal_.reset(); chunks_.valid(); chunks_.next(), from_in_chunk = 0) {
    base_ = BytesIn(chunks_.rest()).u32() * FreshChunk::kOrdinals;
    chunk_ = Reader::decoded<FreshChunk>(chunks_.value());
    if (const auto found = chunk_->next(from_in_chunk)) {
      ordinal_ = base_ + *found;
      return;
    }
  }
}

}  // namespace ota::projections
