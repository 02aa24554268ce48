#include "projections/past.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "domain/codec/state_codec.hpp"
#include "projections/campaign_counts.hpp"
#include "projections/campaign_queries.hpp"
#include "projections/limits.hpp"
#include "projections/merged_tags.hpp"
#include "projections/paging.hpp"
#include "projections/update_facts.hpp"

namespace ota::projections {
namespace {

constexpr char kCampaigns = 'C';            // kinds of cursors: none of the present lists has them
constexpr char kOfCampaign = 'U';
constexpr char kOfDevice = 'H';
constexpr std::size_t kPage = 200;

// Whose updates may show this status. Whoever is in the set is looked at; nobody else shows it.
domain::Bitmap who_may_show(const domain::Campaign& state, std::optional<domain::UpdateStatus> status) {
  using Status = domain::UpdateStatus;
  if (!status) return state.targets;
  switch (*status) {
    case Status::kCreated:
    case Status::kScheduled: return state.remaining() | state.untold;  // the latter wait, as they know, until they are told
    case Status::kCompleted: return state.completed - state.undone;
    case Status::kRollback: return state.undone;
    case Status::kFailed: return state.failed;
    case Status::kCancelled: return state.cancelled;
    default: return state.granted;
  }
}

std::string ordinal_bytes(std::uint32_t ordinal) { return BytesOut().u32(ordinal).take(); }

// Puts it in, if need be in the place of all the others: a question asks for what it has just asked for.
template <class Map, class Value>
const Value& keep_for_question(Map& kept, const typename Map::key_type& key, Value value) {
  if (kept.size() >= limits::kPastEntitiesKept) kept.clear();
  return kept.insert_or_assign(key, std::move(value)).first->second;
}

}  // namespace

domain::Time Past::time() const {
  if (time_) return *time_;
  time_.emplace();
  log_.read_one(to_store(at_), [&](const eventstore::RecordedEvent& event) {
    time_ = event.time;
    return false;
  });
  return *time_;
}

domain::DeviceId Past::device_of(domain::Ordinal ordinal) const {
  return views_.device_of(ordinal).value_or(domain::DeviceId{});
}

// ---- campaigns --------------------------------------------------------------------------------------------------

CampaignEntry Past::Own::before(domain::Position position) const {
  auto then = created;
  for (const auto& event : since) {
    if (event.position >= position) break;
    fold(then, event);
  }
  return then;
}

std::optional<Past::Own> Past::read_own(domain::CampaignId id) const {
  Own own;
  own.entry.state.id = id;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > at_.value) return false;
    const bool existed = own.entry.state.exists;
    auto recorded = decode_sound(event);
    if (!fold(own.entry, recorded)) return true;
    if (own.entry.ended_at && own.ended.value == 0) own.ended = recorded.position;
    if (existed) {
      own.since.push_back(std::move(recorded));
    } else if (own.entry.state.exists) {
      own.targets = std::exchange(own.entry.state.targets, {});
      own.withdrawn = std::exchange(own.entry.state.cancelled, {});
      own.created = own.entry;
      auto& state = own.created.state;  // copied for every row: without what no row shows
      for (auto* set : {&state.left_out, &state.cohort, &state.gone}) *set = {};
    }
    return true;
  });
  return own.entry.state.exists ? std::optional(std::move(own)) : std::nullopt;
}

Past::OwnPtr Past::own(domain::CampaignId id) const {
  if (const auto known = owns_.find(id); known != owns_.end()) return known->second;
  auto found = read_own(id);
  return keep_for_question(owns_, id, found ? std::make_shared<const Own>(std::move(*found)) : OwnPtr());
}

// By its row of today, if that tells: times only grow from event to event.
bool Past::was_there(const CampaignRow& row) const {
  if (row.created_at != time()) return row.created_at < time();
  return own(row.id) != nullptr;
}
// A campaign that has closed once never runs again.
bool Past::may_have_run(const CampaignRow& row) const {
  return row.created_at <= time() && !(row.ended_at && *row.ended_at < time());
}

domain::Campaign Past::folded(const Own& own) const {
  const auto id = own.entry.state.id;
  domain::Campaign state;
  state.id = id;
  if (const auto kept = log_.snapshot(domain::stream_name(id), to_store(at_))) {
    // One of another version, or a damaged one, is none.
    if (auto decoded = domain::decode_campaign_state(kept->bytes)) state = std::move(*decoded);
  }
  // What the fleet and the firmware did before it was created is in its creation, and moves no set.
  const auto stream = domain::stream_name(id);
  const std::vector<std::string> others{domain::fleet_tag(), domain::stream_name(own.entry.record.firmware)};
  read_merged(log_, {.own = stream, .others = others, .after = state.position, .others_after = own.entry.created, .until = at_},
              [&](const domain::Recorded& event, const auto*) { domain::evolve(state, event); });
  return state;
}

CampaignRow Past::row_of(const Own& own) const {
  const auto state = folded(own);
  CampaignCounts counts;
  counts.total = state.total();
  counts.in_progress = static_cast<std::uint32_t>(state.granted.cardinality());
  counts.completed = static_cast<std::uint32_t>(state.completed.cardinality());
  counts.failed = static_cast<std::uint32_t>(state.failed.cardinality());
  counts.cancelled = static_cast<std::uint32_t>(state.cancelled.cardinality());
  counts.held = static_cast<std::uint32_t>(state.held.cardinality());
  counts.undone = static_cast<std::uint32_t>(state.undone.cardinality());
  log_.read_one(log_.newest(domain::stream_name(state.id), to_store(at_)), [&](const eventstore::RecordedEvent& event) {
    counts.updated_at = event.time;
    return false;
  });
  return campaigns::row_of(own.entry, counts);
}

std::optional<CampaignRow> Past::campaign(domain::CampaignId id) const {
  if (const auto known = rows_.find(id); known != rows_.end()) return known->second;
  const auto found = own(id);
  if (!found) return std::nullopt;
  return keep_for_question(rows_, id, row_of(*found));
}

domain::Bitmap Past::targets(domain::CampaignId id) const {
  const auto found = own(id);
  return found ? found->targets : domain::Bitmap();
}

Page<CampaignRow> Past::campaign_list(const CampaignFilter& filter, const PageRequest& request) const {
  using Filler = PageFiller<CampaignRow>;
  std::optional<domain::CampaignId> after;
  if (!request.cursor.empty()) {
    const auto place = place_of(kCampaigns, request.cursor);
    if (!place || place->size() != domain::CampaignId{}.bytes.size()) return Filler::bad_cursor();
    after.emplace();
    std::copy(place->begin(), place->end(), after->bytes.begin());
  }
  Filler filler(kCampaigns, request);
  // Newest first today is newest first then: what was created since is passed over.
  CampaignFilter lasting;
  lasting.priority = filter.priority;
  lasting.firmware = filter.firmware;
  PageRequest page{kPage, 0, ""};
  do {
    const auto rows = views_.campaign_list(lasting, page);
    for (const auto& row : rows.rows) {
      if (after) {
        if (row.id == *after) after.reset();
        continue;
      }
      if (!was_there(row) || (filter.status && own(row.id)->entry.state.status != *filter.status)) continue;
      if (!filler.take(domain::view_of(row.id.bytes), [&] { return *campaign(row.id); })) return filler.take_page();
    }
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
  return filler.take_page();
}

// ---- updates ----------------------------------------------------------------------------------------------------

// As UpdateView::begin() makes it.
domain::DeviceUpdate Past::before_its_first_event(const domain::UpdateId& id, const domain::Recorded& first) const {
  const auto campaign = id.campaign();
  if (!campaign || id.kind != domain::UpdateId::kDeployment) return {};
  const auto found = own(*campaign);
  if (!found || found->entry.created >= first.position || !found->targets.contains(id.ordinal.value)) return {};
  return pending_update(found->before(first.position), id.ordinal, first.device ? *first.device : device_of(id.ordinal));
}

std::optional<domain::DeviceUpdate> Past::with_events(const domain::UpdateId& id) const {
  std::optional<domain::DeviceUpdate> update;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > at_.value) return false;
    const auto recorded = decode_sound(event);
    if (!update) update = before_its_first_event(id, recorded);
    domain::evolve(*update, recorded);
    return true;
  });
  return update;
}

bool Past::has_begun(const domain::UpdateId& id) const {
  bool has_begun = false;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
    has_begun = event.position.value <= at_.value;
    return false;
  });
  return has_begun;
}

std::optional<domain::DeviceUpdate> Past::pending(const Own& own, domain::Ordinal ordinal) const {
  if (!own.targets.contains(ordinal.value)) return std::nullopt;
  auto device = device_of(ordinal);
  if (own.withdrawn.contains(ordinal.value)) {
    return withdrawn_update(own.entry, ordinal, std::move(device), own.entry.state.created_at);
  }
  // It was withdrawn if its device was deleted between the campaign's creation and its end.
  std::optional<domain::Time> deleted_at;
  log_.read_stream(domain::stream_name(device), to_store(own.entry.created), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > at_.value) return false;
    if (own.ended.value != 0 && event.position.value > own.ended.value) return false;
    const auto recorded = decode_sound(event);
    const auto* deleted = std::get_if<domain::DeviceDeleted>(&recorded.event);
    if (deleted && deleted->ordinal == ordinal) deleted_at = recorded.time;
    return !deleted_at;
  });
  if (deleted_at) return withdrawn_update(own.entry, ordinal, std::move(device), *deleted_at);
  return pending_update(own.entry, ordinal, std::move(device));
}

bool Past::is_gone(const domain::DeviceId& id, domain::Ordinal ordinal) const {
  const auto found = device(id);
  return !found || found->deleted || found->ordinal != ordinal;
}

std::optional<domain::DeviceUpdate> Past::waiting_rollback(const domain::UpdateId& id) const {
  const auto found = own(*id.campaign());
  if (!found || found->entry.state.rollback.number != id.kind) return std::nullopt;
  const auto deployment = with_events(domain::UpdateId::in_campaign(*id.campaign(), id.ordinal));
  if (!deployment) return std::nullopt;
  return pending_rollback(found->entry, *deployment, is_gone(deployment->device, id.ordinal));
}

std::optional<domain::DeviceUpdate> Past::update(const domain::UpdateId& id) const {
  if (auto update = with_events(id)) return update;
  const auto campaign = id.campaign();
  if (!campaign) return std::nullopt;
  if (id.kind != domain::UpdateId::kDeployment) return waiting_rollback(id);
  const auto found = own(*campaign);
  return found ? pending(*found, id.ordinal) : std::nullopt;
}

Page<domain::DeviceUpdate> Past::campaign_updates(domain::CampaignId id, std::optional<domain::UpdateStatus> status,
                                                  const PageRequest& request) const {
  using Filler = PageFiller<domain::DeviceUpdate>;
  std::uint64_t from = 0;
  if (!request.cursor.empty()) {
    const auto last = place_of(kOfCampaign, request.cursor);
    if (!last || last->size() != sizeof(std::uint32_t)) return Filler::bad_cursor();
    from = std::uint64_t{BytesIn(*last).u32()} + 1;
  }
  const auto found = own(id);
  if (!found) return {};
  const auto candidates = status ? who_may_show(folded(*found), status) : found->targets;
  Filler filler(kOfCampaign, request);
  const auto folded_update = [&](std::uint32_t ordinal) {
    auto update = with_events(domain::UpdateId::in_campaign(id, {ordinal}));
    return update ? std::move(*update) : *pending(*found, {ordinal});
  };
  for (const std::uint32_t ordinal : candidates) {
    if (ordinal < from) continue;
    if (!status) {  // every target shows something: those before the page are not folded
      if (!filler.take(ordinal_bytes(ordinal), [&] { return folded_update(ordinal); })) break;
      continue;
    }
    auto update = folded_update(ordinal);
    if (update.status != *status) continue;
    if (!filler.take(ordinal_bytes(ordinal), [&] { return std::move(update); })) break;
  }
  return filler.take_page();
}

// ---- devices ----------------------------------------------------------------------------------------------------

std::optional<domain::Device> Past::device(const domain::DeviceId& id) const {
  domain::Device device;
  device.id = id;
  log_.read_tag(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > at_.value) return false;
    domain::evolve(device, decode_sound(event), settings_);
    return true;
  });
  return device.registered ? std::optional(std::move(device)) : std::nullopt;
}

std::optional<domain::Firmware> Past::firmware(domain::FirmwareId id) const {
  if (const auto known = firmware_.find(id); known != firmware_.end()) return known->second;
  std::optional<domain::Firmware> firmware;
  log_.read_stream(domain::stream_name(id), {}, [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > at_.value) return false;
    if (!firmware) firmware.emplace();
    domain::evolve(*firmware, decode_sound(event));
    return true;
  });
  return keep_for_question(firmware_, id, std::move(firmware));
}

// Of one that is not registered then, the one that it is to have when it returns: a target list may have reserved it, and if
// none has, no campaign of then has it as a target.
std::optional<domain::Ordinal> Past::ordinal_of(const domain::DeviceId& id) const {
  const auto found = device(id);
  if (found && !found->deleted) return found->ordinal;
  std::optional<domain::Ordinal> given;
  log_.read_stream(domain::stream_name(id), to_store(at_), [&](const eventstore::RecordedEvent& event) {
    const auto recorded = decode_sound(event);
    if (const auto* registered = std::get_if<domain::DeviceRegistered>(&recorded.event)) given = registered->ordinal;
    if (const auto* returned = std::get_if<domain::DeviceReturned>(&recorded.event)) given = returned->ordinal;
    return !given;
  });
  return given ? given : views_.ordinal_of(id);
}

// What a campaign that ran had for a device without an update of it; empty: nothing.
std::optional<domain::DeviceUpdate> Past::waiting_in(const CampaignRow& row, domain::Ordinal ordinal) const {
  if (!may_have_run(row) || !views_.targets(row.id).contains(ordinal.value)) return std::nullopt;
  const auto campaign = own(row.id);
  using Status = domain::CampaignStatus;
  if (!campaign || !(campaign->entry.state.status == Status::kInProgress || campaign->entry.state.status == Status::kPaused)) {
    return std::nullopt;
  }
  auto waits = pending(*campaign, ordinal);
  return waits && waits->status != domain::UpdateStatus::kCancelled ? std::move(waits) : std::nullopt;
}

Page<domain::DeviceUpdate> Past::device_updates(const domain::DeviceId& id, const PageRequest& request) const {
  using Filler = PageFiller<domain::DeviceUpdate>;
  std::optional<domain::UpdateId> after;
  if (!request.cursor.empty()) {
    const auto last = place_of(kOfDevice, request.cursor);
    after = last ? domain::update_id_from_binary(*last) : std::nullopt;
    if (!after) return Filler::bad_cursor();
  }
  // What had begun then has begun now, and stands in the same order: by its first event, newest first.
  std::vector<domain::UpdateId> begun;
  std::set<domain::UpdateId> known;
  for (PageRequest page{kPage, 0, ""};;) {
    const auto rows = views_.device_updates(id, page);
    for (const auto& row : rows.rows) {
      if (has_begun(row.id) && known.insert(row.id).second) begun.push_back(row.id);
    }
    page.cursor = rows.next_cursor;
    if (page.cursor.empty()) break;
  }
  Filler filler(kOfDevice, request);
  const auto is_before_the_page = [&](const domain::UpdateId& update) {
    if (!after) return false;
    if (update == *after) after.reset();
    return true;
  };
  // Those that waited stand first.
  const auto ordinal = after && known.contains(*after) ? std::nullopt : ordinal_of(id);
  for (PageRequest page{kPage, 0, ""}; ordinal;) {
    const auto rows = views_.campaign_list({}, page);
    for (const auto& row : rows.rows) {
      const auto update = domain::UpdateId::in_campaign(row.id, *ordinal);
      if (known.contains(update) || is_before_the_page(update)) continue;
      auto waits = waiting_in(row, *ordinal);
      if (waits && !filler.take(domain::to_binary(update), [&] { return std::move(*waits); })) return filler.take_page();
    }
    page.cursor = rows.next_cursor;
    if (page.cursor.empty()) break;
  }
  for (const auto& update : begun) {
    if (is_before_the_page(update)) continue;
    if (!filler.take(domain::to_binary(update), [&] { return *with_events(update); })) break;
  }
  return filler.take_page();
}

}  // namespace ota::projections
