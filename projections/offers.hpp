// What running campaigns have to give, for the poll path: may this device hope for a grant now?
//
// Each running campaign publishes one offer and changes it in place; HTTP threads read it without a
// lock. An answer of "yes" may be out of date (the campaign decides); "no" is right unless an event
// is in flight this very moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "domain/bitmap.hpp"
#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::projections {

class Offer {
 public:
  // `hopeful`: the devices that may be granted their first attempt; sized for the highest ordinal
  // in it.
  // `rollback`: takes devices back, by the campaign's n-th rollback; 0: updates them.
  Offer(domain::CampaignId campaign, domain::Priority priority, domain::Time created,
        const domain::Bitmap& hopeful, std::uint32_t rollback = 0);

  domain::CampaignId campaign() const { return campaign_; }
  domain::Priority priority() const { return priority_; }
  domain::Time created() const { return created_; }
  std::uint32_t rollback() const { return rollback_; }

  struct Room {
    bool first_attempts = false;
    bool retries = false;
    bool questions = false;               // devices may be asked for consent, which takes no place
    bool later = false;                   // the campaign runs: whoever is hopeful has something to come back for
    bool pushed_only = false;             // but nothing of all this for a device that polls
  };
  void set_room(Room room);
  void set_hopeful(std::uint32_t ordinal, bool hopeful);
  // These and no others.
  void set_hopeful(const domain::Bitmap& ordinals);
  bool has_room() const { return room_.load(std::memory_order_acquire); }
  bool has_room_for_retries() const { return room_for_retries_.load(std::memory_order_acquire); }
  bool goes_on() const { return later_.load(std::memory_order_acquire); }
  bool asks_for_consent() const { return questions_.load(std::memory_order_acquire); }
  bool is_for(bool pushed) const { return pushed || !pushed_only_.load(std::memory_order_acquire); }
  bool is_hopeful(std::uint32_t ordinal) const;

 private:
  domain::CampaignId campaign_;
  domain::Priority priority_;
  domain::Time created_;
  std::uint32_t rollback_;
  std::atomic<bool> room_{false};
  std::atomic<bool> room_for_retries_{false};
  std::atomic<bool> questions_{false};
  std::atomic<bool> later_{false};
  std::atomic<bool> pushed_only_{false};
  std::size_t words_ = 0;
  std::unique_ptr<std::atomic<std::uint64_t>[]> bits_;
};
using OfferPtr = std::shared_ptr<Offer>;

class Offers {
 public:
  Offers();
  void publish(OfferPtr offer);  // replaces the campaign's earlier one
  void withdraw(domain::CampaignId campaign);
  // In the order in which a device tries them: priority, then age.
  std::shared_ptr<const std::vector<OfferPtr>> all() const;
  // For a device that polls, or one that takes its commands over MQTT (`pushed`).
  struct Asker {
    domain::Ordinal ordinal;
    bool pushed = false;
  };
  // Of this priority or a higher one.
  bool any_for(Asker asker, domain::Priority least = domain::Priority::kLow) const;
  // Of a campaign that runs, whether it has room now or not.
  bool any_hope(Asker asker) const;
  // Which may ask its user, if it has not done so.
  bool any_asking(Asker asker) const;

 private:
  void replace(domain::CampaignId campaign, OfferPtr with);
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const std::vector<OfferPtr>> offers_;
};

}  // namespace ota::projections
