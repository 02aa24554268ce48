#include "http/differences.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "domain/codec/codec.hpp"
#include "http/limits.hpp"
#include "http/render_past.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using projections::Past;

constexpr std::size_t kRowsAtOnce = 200;

// {"field": {"from", "to"}} of what differs; of what is on one side alone the other is null.
json fields_between(const json& before, const json& after) {
  const auto value = [](const json& object, const std::string& name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : json(nullptr);
  };
  std::set<std::string> names;
  for (const auto* side : {&before, &after}) {
    if (side->is_object()) {
      for (const auto& [name, any] : side->items()) names.insert(name);
    }
  }
  json changed = json::object();
  for (const auto& name : names) {
    auto was = value(before, name);
    auto is = value(after, name);
    if (was != is) changed[name] = {{"from", std::move(was)}, {"to", std::move(is)}};
  }
  return changed;
}

// Without what is compared by itself, or is no part of it.
json without_firmware(json shown) {
  for (const auto* name : {"firmware", "as_of"}) shown.erase(name);
  return shown;
}

// The first of those that events name, and how many others there are.
template <class Id>
class Named {
 public:
  void add(const Id& id, std::string_view name) {
    if (known_.contains(id)) return;
    if (first_.size() == limits::kComparedOfKind) {
      others_.push_back(std::hash<std::string_view>()(name));
      return;
    }
    known_.insert(id);
    first_.push_back(id);
  }
  const std::vector<Id>& first() const { return first_; }
  std::uint64_t others() {
    std::sort(others_.begin(), others_.end());
    return static_cast<std::uint64_t>(std::unique(others_.begin(), others_.end()) - others_.begin());
  }

 private:
  std::set<Id> known_;
  std::vector<Id> first_;
  std::vector<std::size_t> others_;  // hashes: half a million names are 4 MB like this
};

json counts_by_type(const std::map<std::uint16_t, std::uint64_t>& counts) {
  json by_type = json::object();
  for (const auto& [type, count] : counts) by_type[std::string(domain::event_name(type))] = count;
  return by_type;
}

}  // namespace

// ---- one of them --------------------------------------------------------------------------------------------------

bool Differences::add(std::string entity, const json& before, const json& after) {
  if (before.is_null() && after.is_null()) return false;
  auto fields = fields_between(before, after);
  if (fields.empty()) return true;
  changes_.push_back({{"entity", std::move(entity)},
                      {"name", (after.is_null() ? before : after).value("name", json(nullptr))},
                      {"happened", before.is_null() ? "came" : after.is_null() ? "went" : "changed"},
                      {"fields", std::move(fields)}});
  return true;
}

bool Differences::compare(domain::CampaignId id) {
  const auto shown = [&](const Past& past) {
    const auto row = past.campaign(id);
    return row ? without_firmware(past_campaign(api_.render, past, *row, 0)) : json(nullptr);
  };
  return add("campaign:" + domain::to_text(id), shown(two_.from), shown(two_.to));
}

bool Differences::compare(domain::FirmwareId id) {
  return add("firmware:" + domain::to_text(id), past_firmware(api_.render, two_.from, id), past_firmware(api_.render, two_.to, id));
}

bool Differences::compare(const domain::DeviceId& id) {
  const auto shown = [&](const Past& past) {
    const auto device = past.device(id);
    return device ? without_firmware(past_device(api_.render, past, *device)) : json(nullptr);
  };
  return add("device:" + id.value, shown(two_.from), shown(two_.to));
}

bool Differences::compare(const domain::UpdateId& id) {
  const auto shown = [&](const Past& past) {
    const auto update = past.update(id);
    return update ? without_firmware(past_update(api_.render, past, *update)) : json(nullptr);
  };
  return add("update:" + domain::to_text(id), shown(two_.from), shown(two_.to));
}

// ---- all of them --------------------------------------------------------------------------------------------------

bool Differences::has_news(const std::string& stream) const {
  return api_.service.log().newest(stream, projections::to_store(two_.to.at())).value > two_.from.at().value;
}

domain::Bitmap Differences::deleted_between() const {
  domain::Bitmap deleted;
  api_.service.log().read_tag(domain::fleet_tag(), projections::to_store(two_.from.at()), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > two_.to.at().value) return false;
    const auto recorded = projections::decode_sound(event);
    if (const auto* gone = std::get_if<domain::DeviceDeleted>(&recorded.event)) deleted.add(gone->ordinal.value);
    return true;
  });
  return deleted;
}

// Newest first.
void Differences::compare_campaigns() {
  const auto& views = api_.service.views();
  const auto deleted = deleted_between();
  const auto may_have_lost = [&](const projections::CampaignRow& row) {
    if (deleted.isEmpty() || row.created_at > two_.to.time() || (row.ended_at && *row.ended_at < two_.from.time())) return false;
    return views.targets(row.id).intersect(deleted);
  };
  std::size_t compared = 0;
  projections::PageRequest page{kRowsAtOnce, 0, ""};
  do {
    const auto rows = views.campaign_list({}, page);
    for (const auto& row : rows.rows) {
      if (!has_news(domain::stream_name(row.id)) && !may_have_lost(row)) continue;
      if (++compared <= limits::kComparedOfKind && has_time()) {
        compare(row.id);
      } else {
        ++*more_["campaigns"];
      }
    }
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
}

// Newest first.
void Differences::compare_firmware() {
  std::size_t compared = 0;
  projections::PageRequest page{kRowsAtOnce, 0, ""};
  do {
    const auto rows = api_.service.views().firmware_list({}, page);
    for (const auto& row : rows.rows) {
      const auto id = row.firmware.record.id;
      if (!has_news(domain::stream_name(id))) continue;
      if (++compared <= limits::kComparedOfKind && has_time()) {
        compare(id);
      } else {
        ++*more_["firmware"];
      }
    }
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
}

// What the events in between name; devices and direct updates in the order of their first event.
void Differences::walk() {
  std::map<std::uint16_t, std::uint64_t> by_type;
  Named<domain::DeviceId> devices;
  Named<domain::UpdateId> updates;
  const auto note = [&](std::string_view name) {
    const auto stream = domain::parse_stream(name);
    if (!stream) return;
    if (const auto* device = std::get_if<domain::DeviceId>(&*stream)) devices.add(*device, name);
    if (const auto* update = std::get_if<domain::UpdateId>(&*stream); update && !update->of_campaign) updates.add(*update, name);
  };
  std::uint64_t seen = 0;
  api_.service.log().scan(projections::to_store(two_.from.at()), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > two_.to.at().value || ++seen > limits::kEventsBetween) return false;
    ++by_type[event.type];
    note(event.stream);
    for (const auto tag : event.tags) note(tag);
    return true;
  });
  if (seen > limits::kEventsBetween) {
    more_["devices"].reset();
    more_["updates"].reset();
    return;
  }
  events_ = counts_by_type(by_type);
  const auto compare_first = [&](const auto& ids) {
    std::uint64_t left = 0;
    for (const auto& id : ids) {
      if (has_time()) compare(id);
      else ++left;
    }
    return left;
  };
  more_["devices"] = compare_first(devices.first()) + devices.others();
  more_["updates"] = compare_first(updates.first()) + updates.others();
}

void Differences::compare_all() {
  compare_campaigns();
  compare_firmware();
  walk();
}

void Differences::count_events(EventFilter filter) {
  std::map<std::uint16_t, std::uint64_t> by_type;
  std::uint64_t seen = 0;
  read_candidates(api_, filter, projections::to_store(two_.from.at()), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > two_.to.at().value || ++seen > limits::kEventsBetween) return false;
    if (filter.holds(event)) ++by_type[event.type];
    return true;
  });
  events_ = seen <= limits::kEventsBetween ? counts_by_type(by_type) : json(nullptr);
}

json Differences::take() {
  json more = json::object();
  bool is_all = true;
  for (const auto& [kind, count] : more_) {
    more[kind] = count ? json(*count) : json(nullptr);
    is_all = is_all && count == 0U;
  }
  return {{"from", moment(two_.from)},
          {"to", moment(two_.to)},
          {"positions", two_.to.at().value - two_.from.at().value},
          {"events", std::move(events_)},
          {"changed", is_all ? json(changes_.size()) : json(nullptr)},
          {"changes", std::move(changes_)},
          {"more", std::move(more)}};
}

}  // namespace ota::http
