#include "actors/campaign_offer.hpp"

#include <memory>

namespace ota::actors {
namespace {

bool goes_back(const domain::Campaign& s) { return s.status == domain::CampaignStatus::kRollback; }

bool is_hopeful(const domain::Campaign& s, const domain::Reservations& reserved, std::uint32_t o) {
  if (reserved.contains(o)) return false;
  if (goes_back(s)) return s.is_to_take_back(o) && !s.rollback.retries.contains(o);
  return s.is_remaining(o) && !s.retries.contains(o) && (!s.in_canary() || s.cohort.contains(o));
}

// The same, of all.
domain::Bitmap hopeful(const domain::Campaign& s, const domain::Reservations& reserved) {
  domain::Bitmap open = goes_back(s) ? s.to_take_back() : s.remaining();
  open -= reserved.ordinals;
  open -= reserved.asked;
  if (!goes_back(s) && s.in_canary()) open &= s.cohort;
  for (const auto& [o, at] : goes_back(s) ? s.rollback.retries : s.retries) open.remove(o);
  return open;
}

}  // namespace

void CampaignOffer::close() {
  if (offer_) offer_->set_room({});
}

void CampaignOffer::withdraw() {
  if (offer_) offers_.withdraw(offer_->campaign());
  offer_.reset();
  changed_.clear();
}

void CampaignOffer::publish(const domain::Campaign& state, const domain::Reservations& reserved, domain::Time now) {
  if (!state.exists || state.closed || domain::is_terminal(state.status)) return withdraw();
  if (state.status == domain::CampaignStatus::kCreated) return;
  const std::uint32_t rollback = goes_back(state) ? state.rollback.number : 0;
  if (offer_ && offer_->rollback() != rollback) offer_.reset();  // another offer takes its place
  const bool fresh = !offer_;
  if (fresh) {  // sized for every target: those that are not hopeful now may become so
    const auto priority = goes_back(state) ? domain::Priority::kCritical : state.policy.priority;
    offer_ = std::make_shared<projections::Offer>(state.id, priority, state.created_at, state.targets, rollback);
  }
  if (fresh || stale_) {
    offer_->set_hopeful(hopeful(state, reserved));
    stale_ = false;
  } else {
    for (const auto o : changed_) offer_->set_hopeful(o, is_hopeful(state, reserved, o));
  }
  changed_.clear();
  const auto room = domain::room(state, reserved, now);
  const bool runs = state.status == domain::CampaignStatus::kInProgress && !state.finished;
  offer_->set_room({room.for_first_attempts, room.for_retries, room.for_consent, runs || goes_back(state),
                    room.for_pushed_only});
  if (fresh) offers_.publish(offer_);
}

}  // namespace ota::actors
