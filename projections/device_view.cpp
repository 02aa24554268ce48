#include "projections/device_view.hpp"

#include <algorithm>
#include <type_traits>

#include "domain/codec/state_codec.hpp"
#include "domain/version.hpp"
#include "projections/limits.hpp"
#include "projections/paging.hpp"
#include "projections/version_key.hpp"

namespace ota::projections {
namespace {

constexpr std::string_view kOrdinalsGiven = "ordinals";

// The ordinal that an event of a device gives to it.
std::optional<domain::Ordinal> given_by(const domain::Event& event) {
  if (const auto* e = std::get_if<domain::DeviceRegistered>(&event)) return e->ordinal;
  if (const auto* e = std::get_if<domain::DeviceReturned>(&event)) return e->ordinal;
  return std::nullopt;
}

const domain::Device& decoded(domain::DeviceStates& states, std::string_view bytes) {
  const auto* device = states.decode(bytes);
  if (!device) Reader::damaged();
  return *device;
}

// Empty: nobody's.
std::string owner_bytes(domain::Caller owner) {
  return owner == domain::Caller{} ? std::string() : BytesOut().u64(owner.token).take();
}

void put_optional(BytesOut& out, const std::optional<domain::Ordinal>& ordinal) {
  out.u8(ordinal ? 1 : 0).u32(ordinal.value_or(domain::Ordinal{}).value);
}
std::optional<domain::Ordinal> get_optional(BytesIn& in) {
  const bool has = in.u8() != 0;
  const domain::Ordinal ordinal{in.u32()};
  return has ? std::optional(ordinal) : std::nullopt;
}

}  // namespace

bool moves_listing(const domain::Event& event) {
  if (const auto* ended = std::get_if<domain::AttemptEnded>(&event)) return ended->success;
  return std::holds_alternative<domain::DeviceRegistered>(event) ||
         std::holds_alternative<domain::DeviceAttributesChanged>(event) ||
         std::holds_alternative<domain::DeviceDeleted>(event) ||
         std::holds_alternative<domain::DeviceReturned>(event);
}

std::string RowCodec<DevicePlace>::encode(const DevicePlace& place) {
  BytesOut out;
  put_optional(out, place.ordinal);
  put_optional(out, place.row);
  return out.u8(place.listed ? 1 : 0).take();
}
std::optional<DevicePlace> RowCodec<DevicePlace>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  DevicePlace place;
  place.ordinal = get_optional(in);
  place.row = get_optional(in);
  place.listed = in.u8() != 0;
  return in.complete() ? std::optional(place) : std::nullopt;
}

bool RowStore<KeptDevice>::load(const Rows& rows, const std::string& key, std::string& buffer, KeptDevice& kept) {
  if (!RowStore<DevicePlace>::load(rows, key, buffer, kept.place)) return false;
  kept.saved = kept.place;
  if (!kept.place.row) return true;
  if (!RowStore<domain::Device>::load(rows, ordinal_key(Table::kDevice, *kept.place.row), buffer, kept.device)) Reader::damaged();
  return true;
}
void RowStore<KeptDevice>::save(Rows& rows, const std::string& key, KeptDevice& kept) {
  const auto& [place, device, saved] = kept;
  if (saved && saved->row && saved->row != place.row) rows.erase(ordinal_key(Table::kDevice, *saved->row));
  if (place.row) rows.put(ordinal_key(Table::kDevice, *place.row), RowCodec<domain::Device>::encode(device));
  if (saved != place) rows.put(key, RowCodec<DevicePlace>::encode(place));
  kept.saved = place;
}

std::string RowCodec<domain::Device>::encode(const domain::Device& device) {
  return domain::encode_state(device);
}
std::optional<domain::Device> RowCodec<domain::Device>::decode(std::string_view bytes) {
  return domain::decode_device_state(bytes);
}

DeviceView::DeviceView(Rows& rows, const domain::Settings& settings, PollIndex& polls)
    : rows_(rows),
      settings_(settings),
      polls_(&polls),
      devices_(rows, limits::kCachedDevices),
      names_(rows, limits::kCachedCounters) {}

void DeviceView::load(const Reader& reader) {
  ordinals_given_ = devices::ordinals_given(reader);
  polls_->clear();
  domain::DeviceStates states;
  for (Range range(reader, key_in(Table::kDevice).take(), {}, Range::Caching::kPassBy);
       range.valid(); range.next()) {
    const auto& device = decoded(states, range.value());
    if (device.registered) polls_->put(device.id.value, poll_record(device), underway(device));
  }
}

// ---- folding ------------------------------------------------------------------------------------

void DeviceView::apply(Change& change) {
  if (const auto* reserved = std::get_if<domain::IdsReserved>(&change.event.event)) {
    reserve(*reserved);
  } else if (change.event.device) {
    fold(change, *change.event.device);
  }
}

void DeviceView::reserve(const domain::IdsReserved& reserved) {
  domain::Ordinal ordinal = reserved.first;
  for (const auto& id : reserved.devices) {
    name(ordinal, id);
    devices_.edit_or_make(device_place_key(id)).place.ordinal = ordinal;
    ++ordinal.value;
  }
}

void DeviceView::fold(Change& change, const domain::DeviceId& id) {
  const auto& event = change.event;
  const auto given = given_by(event.event);
  const bool is_new_ordinal = given && given->value >= ordinals_given_;
  // A device is registered once, what comes later is a return; and an id that was reserved has that
  // ordinal. So whoever is registered with a new one is new in every way: nothing is searched for.
  const bool is_new = is_new_ordinal && std::holds_alternative<domain::DeviceRegistered>(event.event);
  const auto key = device_place_key(id.value);
  auto* kept = is_new ? &devices_.make(key) : given ? &devices_.edit_or_make(key) : devices_.edit(key);
  if (!kept) return;  // of an id that nobody has: there is no device to speak of
  auto& [place, device, saved] = *kept;
  if (given) {
    name(*given, id.value);
    place.ordinal = given;
  }
  if (!place.row) {
    if (!place.ordinal) return;
    place.row = place.ordinal;
    device.id = id;
  }
  DeviceChange& seen = change.device.emplace();
  seen.relisted = moves_listing(event.event);
  if (seen.relisted) seen.before = listing_of(device);
  domain::evolve(device, event, settings_);
  if (given) place.row = given;
  if (std::holds_alternative<domain::DeviceDeleted>(event.event)) place.ordinal.reset();
  seen.device = &device;
  if (seen.relisted) {
    seen.after = listing_of(device);
    place.listed = seen.after.listed;
    relist(id.value, seen.before, seen.after);
  }
}

void DeviceView::name(domain::Ordinal ordinal, const std::string& id) {
  const auto key = ordinal_key(Table::kDeviceName, ordinal);
  if (ordinal.value < ordinals_given_) {
    names_.edit_or_make(key) = id;
    return;
  }
  names_.make(key) = id;
  ordinals_given_ = ordinal.value + 1;
  ordinals_moved_ = true;
}

std::string DeviceView::id_of(domain::Ordinal ordinal) {
  const auto* name = names_.find(ordinal_key(Table::kDeviceName, ordinal));
  return name ? *name : std::string();
}

DeviceListing DeviceView::listing_of(const domain::Device& device) const {
  if (!device.registered || device.deleted) return {};
  auto facts = domain::facts_of(device);
  return {true, std::move(facts.model), std::move(facts.firmware_version), device.groups, device.owner};
}

namespace {

// Empty: one of them is not known.
std::string model_and_version(const std::string& model, const std::string& version) {
  if (model.empty() || version.empty()) return {};
  return BytesOut().text(model).raw(version_key(version)).take();
}

}  // namespace

void DeviceView::relist(const std::string& id, const DeviceListing& before,
                        const DeviceListing& after) {
  const auto move = [&](DeviceDimension dimension, const std::string& from, const std::string& to) {
    if (from == to) return;
    if (!from.empty()) rows_.erase(device_list_prefix(dimension, from) + id);
    if (!to.empty()) rows_.put(device_list_prefix(dimension, to) + id, {});
  };
  move(DeviceDimension::kModel, before.model, after.model);
  move(DeviceDimension::kVersion, version_key(before.version), version_key(after.version));
  move(DeviceDimension::kModelVersion, model_and_version(before.model, before.version),
       model_and_version(after.model, after.version));
  move(DeviceDimension::kOwner, owner_bytes(before.owner), owner_bytes(after.owner));
  const auto in = [](const std::vector<std::string>& groups, const std::string& group) {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  for (const auto& group : before.groups) {
    if (!in(after.groups, group)) move(DeviceDimension::kGroup, group, {});
  }
  for (const auto& group : after.groups) {
    if (!in(before.groups, group)) move(DeviceDimension::kGroup, {}, group);
  }
}

void DeviceView::commit() {
  devices_.each_changed([&](const KeptDevice& kept) {
    const auto& device = kept.device;
    if (device.registered) to_publish_.push_back({device.id.value, poll_record(device), underway(device)});
  });
  devices_.commit();
  names_.commit();
  if (ordinals_moved_) rows_.put(meta_key(kOrdinalsGiven), BytesOut().u32(ordinals_given_).take());
  ordinals_moved_ = false;
}

void DeviceView::publish() {
  for (const auto& [id, record, underway] : to_publish_) polls_->put(id, record, underway);
  to_publish_.clear();
}

// ---- queries ------------------------------------------------------------------------------------

namespace devices {
namespace {

constexpr char kList = 'd';

std::optional<domain::Device> at(const Reader& reader, const DevicePlace& place) {
  if (!place.row) return std::nullopt;
  return reader.row<domain::Device>(ordinal_key(Table::kDevice, *place.row));
}

bool is_version(const std::string& runs, const std::string& wanted) {
  return !runs.empty() && domain::compare_versions(runs, wanted) == 0;
}

bool holds(const DeviceFilter& filter, const domain::Device& device) {
  const auto facts = domain::facts_of(device);
  if (filter.model && *filter.model != facts.model) return false;
  if (filter.firmware_version && !is_version(facts.firmware_version, *filter.firmware_version)) return false;
  if (filter.owner && *filter.owner != device.owner) return false;
  return !filter.group || std::find(device.groups.begin(), device.groups.end(), *filter.group) !=
                              device.groups.end();
}

// The list that leaves least to be looked through; its rows may or may not hold the places.
std::string shortest_list(const DeviceFilter& filter) {
  if (filter.owner) return device_list_prefix(DeviceDimension::kOwner, owner_bytes(*filter.owner));
  if (filter.group) return device_list_prefix(DeviceDimension::kGroup, *filter.group);
  if (filter.firmware_version && filter.model) {
    return device_list_prefix(DeviceDimension::kModelVersion, model_and_version(*filter.model, *filter.firmware_version));
  }
  if (filter.firmware_version) {
    return device_list_prefix(DeviceDimension::kVersion, version_key(*filter.firmware_version));
  }
  if (filter.model) return device_list_prefix(DeviceDimension::kModel, *filter.model);
  return key_in(Table::kDevicePlace).take();
}

}  // namespace

std::optional<domain::Device> find(const Reader& reader, const domain::DeviceId& id) {
  const auto place = reader.row<DevicePlace>(device_place_key(id.value));
  auto device = place ? at(reader, *place) : std::nullopt;
  // Only reserved: what stands in its row is not yet a device.
  return device && device->registered ? std::move(device) : std::nullopt;
}

Page<domain::Device> list(const Reader& reader, const DeviceFilter& filter,
                          const PageRequest& request) {
  using Filler = PageFiller<domain::Device>;
  const std::string id_prefix = filter.id_prefix.value_or("");
  std::string after;
  if (!request.cursor.empty()) {
    const auto last = place_of(kList, request.cursor);
    if (!last || !last->starts_with(id_prefix)) return Filler::bad_cursor();
    after = last->substr(id_prefix.size()) + '\0';
  }
  Filler filler(kList, request);
  for (Range range(reader, shortest_list(filter) + id_prefix, after); range.valid(); range.next()) {
    const std::string id = id_prefix + std::string(range.rest());
    const auto place = range.value().empty()
                           ? reader.row<DevicePlace>(device_place_key(id))
                           : std::optional(Reader::decoded<DevicePlace>(range.value()));
    if (!place || !place->listed) continue;
    auto device = at(reader, *place);
    if (!device || !holds(filter, *device)) continue;
    if (!filler.take(id, [&] { return std::move(*device); })) break;
  }
  return filler.take_page();
}

std::optional<domain::DeviceId> id_of(const Reader& reader, domain::Ordinal ordinal) {
  auto id = reader.row<std::string>(ordinal_key(Table::kDeviceName, ordinal));
  return id ? std::optional(domain::DeviceId{std::move(*id)}) : std::nullopt;
}

std::optional<domain::Ordinal> ordinal_of(const Reader& reader, const domain::DeviceId& id) {
  const auto place = reader.row<DevicePlace>(device_place_key(id.value));
  return place ? place->ordinal : std::nullopt;
}

std::uint32_t ordinals_given(const Reader& reader) {
  rocksdb::PinnableSlice value;
  return reader.get(meta_key(kOrdinalsGiven), value) ? BytesIn(view(value)).u32() : 0;
}

void each(const Reader& reader, const std::function<bool(const domain::Device&)>& visit) {
  domain::DeviceStates states;
  for (Range range(reader, key_in(Table::kDevice).take(), {}, Range::Caching::kPassBy);
       range.valid(); range.next()) {
    const auto& device = decoded(states, range.value());
    if (device.registered && !device.deleted && !visit(device)) return;
  }
}

// Visits the rows of these ordinals in a table that has one a device; what stands between them is stepped over, or jumped.
template <class Visit>
void walk(const Reader& reader, Table table, const domain::Bitmap& ordinals, Range::Caching caching, const Visit& visit) {
  const auto rest_of = [](std::uint32_t ordinal) { return BytesOut().u32(ordinal).take(); };
  Range range(reader, key_in(table).take(), ordinals.isEmpty() ? std::string() : rest_of(ordinals.minimum()), caching);
  auto wanted = ordinals.begin();
  while (wanted != ordinals.end() && range.valid()) {
    const std::uint32_t at = BytesIn(range.rest()).u32();
    if (at < *wanted) {
      // The next row is had for less than a search, as long as it is near.
      if (*wanted - at <= limits::kRowsToStepOver) {
        range.next();
      } else {
        range.skip_to(rest_of(*wanted));
      }
      continue;
    }
    if (at == *wanted && !visit(range.value())) return;
    ++wanted;
  }
}

void each_of(const Reader& reader, const domain::Bitmap& ordinals,
             const std::function<bool(const domain::Device&)>& visit) {
  domain::DeviceStates states;
  walk(reader, Table::kDevice, ordinals, Range::Caching::kPassBy, [&](std::string_view row) {
    const auto& device = decoded(states, row);
    return !device.registered || device.deleted || visit(device);
  });
}

std::vector<domain::DeviceId> ids_of(const Reader& reader, const domain::Bitmap& ordinals, std::size_t most) {
  std::vector<domain::DeviceId> ids;
  if (most == 0) return ids;
  walk(reader, Table::kDeviceName, ordinals, Range::Caching::kKeep, [&](std::string_view name) {
    ids.push_back({std::string(name)});
    return ids.size() < most;
  });
  return ids;
}

}  // namespace devices
}  // namespace ota::projections
