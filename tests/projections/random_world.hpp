// A small fleet that does whatever the rules allow, at random: the oracle of the views.
//
// Every event comes out of a decide function of the domain, and every state is folded from the tags
// that its actor follows. What the views show is compared with these states.
#pragma once

#include <map>
#include <random>

#include "domain/campaign/grant.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections::testing {

class RandomWorld {
 public:
  explicit RandomWorld(std::uint32_t seed);

  // Does one thing, and everything that follows from it. `due` are the deadlines that the views
  // know, now.
  void step(const std::vector<Deadline>& due);

  Story story;
  domain::Settings settings;
  std::map<domain::CampaignId, domain::Campaign> campaigns;  // those that exist
  std::map<domain::UpdateId, domain::DeviceUpdate> updates;
  std::map<domain::DeviceId, domain::Device> devices;
  std::map<domain::DeviceId, domain::Ordinal> ordinals;  // of whoever has one now
  std::map<std::uint32_t, domain::DeviceId> names;       // of every ordinal ever
  std::map<domain::UpdateId, domain::Time> created_at;   // of direct updates

 private:
  std::uint32_t below(std::uint32_t n) {
    return n == 0 ? 0 : static_cast<std::uint32_t>(random_() % n);
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  domain::Context context() const { return {story.now(), domain::Caller{1}, settings}; }
  domain::DeviceId any_device();
  domain::Ordinal ordinal_for(const domain::DeviceId& id, bool fresh);

  void append(const domain::Events& events);
  void append(const domain::Decision& decision);
  void fold(const domain::Recorded& event);
  void settle();
  void react(const domain::Device& device);
  domain::WayBack way_back(const std::string& version) const;

  void register_device();
  void change_device();
  void delete_device();
  void request_direct();
  void create_campaign();
  void steer_campaign();
  void poll();
  bool ask_campaigns(const domain::Device& device);
  const domain::DeviceUpdate* any_active();
  void report();
  void cancel_update();
  void retry_update();
  void meet(const Deadline& deadline);

  std::mt19937 random_;
  std::uint32_t next_ordinal_ = 0;
  std::uint8_t next_campaign_ = 0;
  std::uint8_t next_direct_ = 0;
  std::map<domain::CampaignId, domain::Campaign> unborn_;  // parts of their targets were written
};

}  // namespace ota::projections::testing
