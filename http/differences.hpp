// What is different at two moments, entity by entity and field by field (GET /diff).
//
// Of everything, only what events in between are of can have changed: campaigns and firmware by the newest event of theirs,
// devices and direct updates by a walk over all events, if they are not too many. A campaign changes without an event of its own
// where a device is deleted that it has not come to yet. Of each kind the first so many are compared, for as long as there is time
// (limits.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/event_filter.hpp"
#include "http/limits.hpp"
#include "projections/past.hpp"

namespace ota::http {

struct TwoMoments {
  projections::Past from;
  projections::Past to;
};

class Differences {
 public:
  Differences(const Api& api, const TwoMoments& two) : api_(api), two_(two) {}

  // Each is false if there was no such thing at either moment.
  bool compare(domain::CampaignId id);
  bool compare(domain::FirmwareId id);
  bool compare(const domain::DeviceId& id);
  bool compare(const domain::UpdateId& id);
  // Whatever changed; its events are counted, too.
  void compare_all();
  // The events in between that the filter holds, by type; null if they are too many.
  void count_events(EventFilter filter);

  // {"from", "to", "positions", "events", "changed", "changes": [{"entity", "name", "happened", "fields"}],
  // "more": {"campaigns", "firmware", "devices", "updates"}}. `changed` is how many changes there are, null
  // where some may not have been looked at; `more` how many have events in between and are not compared, null where nobody has
  // looked.
  nlohmann::json take();

 private:
  bool add(std::string entity, const nlohmann::json& before, const nlohmann::json& after);
  bool has_time() const { return std::chrono::steady_clock::now() < ends_; }
  bool has_news(const std::string& stream) const;
  domain::Bitmap deleted_between() const;
  void compare_campaigns();
  void compare_firmware();
  void walk();

  const Api& api_;
  const TwoMoments& two_;
  const std::chrono::steady_clock::time_point ends_ = std::chrono::steady_clock::now() + limits::kComparisonLasts;
  nlohmann::json changes_ = nlohmann::json::array();
  nlohmann::json events_ = nullptr;
  std::map<std::string, std::optional<std::uint64_t>> more_{{"campaigns", 0}, {"firmware", 0}, {"devices", 0}, {"updates", 0}};
};

}  // namespace ota::http
