#include "projections/offers.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace ota::projections {
namespace {

constexpr std::size_t kWordBits = 64;

std::size_t words_for(const domain::Bitmap& set) {
  return set.isEmpty() ? 0 : set.maximum() / kWordBits + 1;
}
bool may_hope(const Offer& offer, Offers::Asker asker) {
  return offer.is_for(asker.pushed) && offer.is_hopeful(asker.ordinal.value);
}

std::uint64_t mask_of(std::uint32_t ordinal) { return std::uint64_t{1} << (ordinal % kWordBits); }

}  // namespace

Offer::Offer(domain::CampaignId campaign, domain::Priority priority, domain::Time created,
             const domain::Bitmap& hopeful, std::uint32_t rollback)
    : campaign_(campaign),
      priority_(priority),
      created_(created),
      rollback_(rollback),
      words_(words_for(hopeful)),
      bits_(std::make_unique<std::atomic<std::uint64_t>[]>(words_)) {
  set_hopeful(hopeful);
}

void Offer::set_room(Room room) {
  room_.store(room.first_attempts, std::memory_order_release);
  room_for_retries_.store(room.retries, std::memory_order_release);
  questions_.store(room.questions, std::memory_order_release);
  later_.store(room.later, std::memory_order_release);
  pushed_only_.store(room.pushed_only, std::memory_order_release);
}

void Offer::set_hopeful(std::uint32_t ordinal, bool hopeful) {
  const std::size_t word = ordinal / kWordBits;
  if (word >= words_) return;
  if (hopeful) {
    bits_[word].fetch_or(mask_of(ordinal), std::memory_order_release);
  } else {
    bits_[word].fetch_and(~mask_of(ordinal), std::memory_order_release);
  }
}

void Offer::set_hopeful(const domain::Bitmap& ordinals) {
  std::vector<std::uint64_t> words(words_);
  for (const std::uint32_t ordinal : ordinals) {
    const std::size_t word = ordinal / kWordBits;
    if (word < words_) words[word] |= mask_of(ordinal);
  }
  for (std::size_t word = 0; word < words_; ++word) {
    bits_[word].store(words[word], std::memory_order_release);
  }
}

bool Offer::is_hopeful(std::uint32_t ordinal) const {
  const std::size_t word = ordinal / kWordBits;
  return word < words_ && (bits_[word].load(std::memory_order_acquire) & mask_of(ordinal)) != 0;
}

Offers::Offers() : offers_(std::make_shared<const std::vector<OfferPtr>>()) {}

void Offers::publish(OfferPtr offer) {
  const auto campaign = offer->campaign();
  replace(campaign, std::move(offer));
}

void Offers::withdraw(domain::CampaignId campaign) { replace(campaign, nullptr); }

std::shared_ptr<const std::vector<OfferPtr>> Offers::all() const {
  const std::shared_lock lock(mutex_);
  return offers_;
}

bool Offers::any_for(Asker asker, domain::Priority least) const {
  const auto offers = all();
  return std::any_of(offers->begin(), offers->end(), [&](const OfferPtr& offer) {
    return offer->priority() >= least && offer->has_room() && may_hope(*offer, asker);
  });
}

bool Offers::any_hope(Asker asker) const {
  const auto offers = all();
  return std::any_of(offers->begin(), offers->end(), [&](const OfferPtr& offer) {
    return offer->goes_on() && may_hope(*offer, asker);
  });
}

bool Offers::any_asking(Asker asker) const {
  const auto offers = all();
  return std::any_of(offers->begin(), offers->end(), [&](const OfferPtr& offer) {
    return offer->asks_for_consent() && may_hope(*offer, asker);
  });
}

// Readers keep the list that they have; campaigns come and go seldom enough to copy it.
void Offers::replace(domain::CampaignId campaign, OfferPtr with) {
  const std::unique_lock lock(mutex_);
  auto next = std::make_shared<std::vector<OfferPtr>>(*offers_);
  std::erase_if(*next, [&](const OfferPtr& offer) { return offer->campaign() == campaign; });
  if (with) next->push_back(std::move(with));
  std::sort(next->begin(), next->end(), [](const OfferPtr& a, const OfferPtr& b) {
    if (a->priority() != b->priority()) return a->priority() > b->priority();
    return std::pair(a->created(), a->campaign()) < std::pair(b->created(), b->campaign());
  });
  offers_ = std::move(next);
}

}  // namespace ota::projections
