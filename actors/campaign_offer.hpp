// What a campaign has to give, on the poll path: kept in step with its state and its reservations.
//
// Small changes set the bits of single devices; whatever moves many makes it stale, and publish() works it out anew.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/campaign/grant.hpp"
#include "projections/offers.hpp"

namespace ota::actors {

class CampaignOffer {
 public:
  explicit CampaignOffer(projections::Offers& offers) : offers_(offers) {}

  void changed(std::uint32_t ordinal) { changed_.push_back(ordinal); }   // it may hope for something else than before
  void stale() { stale_ = true; }                                       // everybody may
  // Nothing is given until publish() says so again.
  void close();
  void publish(const domain::Campaign& state, const domain::Reservations& reserved, domain::Time now);
  void withdraw();

 private:
  projections::Offers& offers_;
  projections::OfferPtr offer_;           // null: none is published
  bool stale_ = true;
  std::vector<std::uint32_t> changed_;    // since the last publish()
};

}  // namespace ota::actors
