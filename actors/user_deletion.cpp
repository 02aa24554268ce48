// A user is deleted: their devices' updates first, their name last, so that a repeat after a crash finds what is left.
#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/limits.hpp"
#include "actors/service.hpp"

namespace ota::actors {
namespace {

// Of updates of these devices: what may still be stopped.
class Stopper {
 public:
  Stopper(Service& service, const Meta& meta) : service_(service) {
    meta_.caller = meta.caller;
    meta_.correlation = meta.correlation;
    for (const auto id : service.views().open_campaigns()) campaigns_.push_back({id, service.views().targets(id)});
  }

  Answer stop(const domain::Device& device) {
    std::vector<domain::UpdateId> updates;
    for (const auto& [id, u] : device.updates) updates.push_back(id);
    for (const auto& [id, targets] : campaigns_) {  // those that are not granted yet have no events
      const auto update = domain::UpdateId::in_campaign(id, device.ordinal);
      const bool listed = std::find(updates.begin(), updates.end(), update) != updates.end();
      if (targets.contains(device.ordinal.value) && !listed) updates.push_back(update);
    }
    for (const auto& id : updates) {
      domain::CancelUpdate cancel{domain::CancelCause::kUserDeleted, domain::CancelUpdate::Reach::kNotInstalling};
      auto answer = service_.update(id, cancel, meta_, device.id);
      if (!answer && answer.error().code != domain::ErrorCode::kNotFound) return answer;
    }
    return Done{};
  }

 private:
  Service& service_;
  Meta meta_;
  std::vector<std::pair<domain::CampaignId, domain::Bitmap>> campaigns_;
};

// The stream of whom this very command has erased already, if it has.
std::optional<std::string> erased_before(const eventstore::Log& log, const Meta& meta, domain::Time now) {
  const auto earlier = meta.repeatable && meta.command ? log.command(*meta.command, now) : std::nullopt;
  if (!earlier) return std::nullopt;
  std::string stream;
  log.read_one(earlier->position, [&](const eventstore::RecordedEvent& event) {
    stream = event.stream;
    return true;
  });
  return stream;
}

}  // namespace

Answer Service::delete_user(const std::string& person, Meta meta) {
  if (auto full = refuse_if_full()) return std::move(*full);
  const auto known = subjects().known_token(person);
  if (!known) {
    subjects().erase_leftovers();
    return Done{};
  }
  const auto token = projections::to_domain(*known);
  if (const auto erased = erased_before(log(), meta, now())) {
    // Told twice. It may be that only the name is left; but a person who has come back since is somebody else.
    if (*erased == domain::stream_name(domain::UserStream{token})) subjects().erase(*known);
    return Done{};
  }
  Stopper stopper(*this, meta);
  projections::DeviceFilter theirs;
  theirs.owner = token;
  projections::PageRequest page;
  page.limit = limits::kHistoryPage;
  while (true) {
    const auto found = views().device_list(theirs, page);
    for (const auto& device : found.rows) {
      if (auto answer = stopper.stop(device); !answer) return answer;
    }
    if (found.next_cursor.empty()) break;
    page.cursor = found.next_cursor;
  }
  auto answer = user(token, domain::EraseUser{}, std::move(meta));
  if (answer) subjects().erase(*known);
  if (subjects().is_erasure_due()) {
    spdlog::warn("a name that was erased may be in what somebody has copied who looks for damage (otactl log repair): it goes with that, "
                 "and in case they are killed it is looked for every {} s", limits::kEraseAgainEvery.count());
  }
  return answer;
}

}  // namespace ota::actors
