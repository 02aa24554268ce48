#include "projections/firmware_view.hpp"

#include <algorithm>

#include "domain/codec/state_codec.hpp"
#include "domain/version.hpp"
#include "projections/firmware_counts.hpp"
#include "projections/limits.hpp"
#include "projections/paging.hpp"

namespace ota::projections {
namespace {

constexpr std::string_view kNewestNumber = "firmware number";

domain::FirmwareId id_in(std::string_view bytes) {
  domain::FirmwareId id;
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

std::string bytes_prefix(const std::array<std::uint8_t, 32>& sha256) {
  return key_in(Table::kFirmwareBytes).raw(domain::view_of(sha256)).take();
}

}  // namespace

std::string RowCodec<domain::Firmware>::encode(const domain::Firmware& firmware) {
  return domain::encode_state(firmware);
}
std::optional<domain::Firmware> RowCodec<domain::Firmware>::decode(std::string_view bytes) {
  return domain::decode_firmware_state(bytes);
}

FirmwareView::FirmwareView(Rows& rows) : rows_(rows), firmware_(rows, limits::kCachedCampaigns) {}

void FirmwareView::load(const Reader& reader) { newest_number_ = firmwares::newest_number(reader); }

void FirmwareView::apply(Change& change) {
  const auto* id = std::get_if<domain::FirmwareId>(&change.event.stream);
  if (!id) return;
  auto& firmware = firmware_.edit_or_make(id_key(Table::kFirmware, id->bytes));
  const bool known = firmware.exists;
  const bool wanted = domain::is_to_fetch(firmware);
  domain::evolve(firmware, change.event);
  if (domain::is_to_fetch(firmware) != wanted) {
    const auto key = id_key(Table::kFirmwareToFetch, id->bytes);
    wanted ? rows_.erase(key) : rows_.put(key, {});
  }
  if (!known && firmware.exists) list(firmware.record, change.event.position);
}

void FirmwareView::list(const domain::FirmwareRegistered& record, domain::Position at) {
  const auto id = domain::view_of(record.id.bytes);
  const auto& facts = record.facts;
  rows_.put(firmware_version_key(facts.device_model, facts.version), id);
  rows_.put(firmware_number_key(facts.number), id);
  rows_.put(newest_first(firmware_list_prefix(FirmwareDimension::kAll, {}), at), id);
  rows_.put(newest_first(firmware_list_prefix(FirmwareDimension::kModel, facts.device_model), at),
            id);
  rows_.put(bytes_prefix(record.sha256) + std::string(id), {});
  if (facts.number <= newest_number_) return;
  newest_number_ = facts.number;
  number_moved_ = true;
}

void FirmwareView::commit() {
  firmware_.commit();
  if (number_moved_) rows_.put(meta_key(kNewestNumber), BytesOut().u32(newest_number_).take());
  number_moved_ = false;
}

// ---- queries ------------------------------------------------------------------------------------

namespace firmwares {
namespace {

constexpr char kList = 'f';

bool holds(const FirmwareFilter& filter, const domain::Firmware& firmware) {
  const auto& record = firmware.record;
  const auto differs = [](const auto& wanted, const auto& value) {
    return wanted && *wanted != value;
  };
  if (differs(filter.device_model, record.facts.device_model) ||
      differs(filter.manufacturer, record.manufacturer) ||
      differs(filter.status, firmware.status) || differs(filter.content, domain::content_of(firmware)) ||
      differs(filter.is_beta, record.facts.is_beta) ||
      differs(filter.is_security_update, record.facts.is_security_update)) {
    return false;
  }
  if (filter.version && domain::compare_versions(*filter.version, record.facts.version) != 0) return false;
  const auto& labels = record.labels;
  return !filter.label || std::find(labels.begin(), labels.end(), *filter.label) != labels.end();
}

FirmwareRow with_counts(const Reader& reader, domain::Firmware firmware) {
  const auto counts = firmware_counts(reader, firmware.record.id);
  return {std::move(firmware), counts.downloads, counts.completed, counts.failed};
}

}  // namespace

std::optional<FirmwareRow> find(const Reader& reader, domain::FirmwareId id) {
  auto firmware = reader.row<domain::Firmware>(id_key(Table::kFirmware, id.bytes));
  if (!firmware || !firmware->exists) return std::nullopt;
  return with_counts(reader, std::move(*firmware));
}

std::optional<domain::FirmwareId> of_version(const Reader& reader, std::string_view model,
                                             std::string_view version) {
  rocksdb::PinnableSlice id;
  if (!reader.get(firmware_version_key(model, version), id)) return std::nullopt;
  return id_in(view(id));
}

// Of two that mean the same none is chosen: they differ in what a version does not tell.
std::optional<domain::FirmwareId> bringing(const Reader& reader, std::string_view model, std::string_view version) {
  if (const auto exact = of_version(reader, model, version)) return exact;
  if (model.empty() || version.empty()) return std::nullopt;
  std::optional<domain::FirmwareId> found;
  for (Range range(reader, firmware_version_key(model, {})); range.valid(); range.next()) {
    if (domain::compare_versions(range.rest(), version) != 0) continue;
    if (found) return std::nullopt;
    found = id_in(range.value());
  }
  return found;
}

std::optional<domain::FirmwareId> of_number(const Reader& reader, std::uint32_t number) {
  rocksdb::PinnableSlice id;
  if (!reader.get(firmware_number_key(number), id)) return std::nullopt;
  return id_in(view(id));
}

std::uint32_t newest_number(const Reader& reader) {
  rocksdb::PinnableSlice value;
  return reader.get(meta_key(kNewestNumber), value) ? BytesIn(view(value)).u32() : 0;
}

bool refers_to(const Reader& reader, const std::array<std::uint8_t, 32>& sha256) {
  return Range(reader, bytes_prefix(sha256)).valid();
}

std::vector<domain::FirmwareId> to_fetch(const Reader& reader) {
  std::vector<domain::FirmwareId> ids;
  for (Range range(reader, key_in(Table::kFirmwareToFetch).take()); range.valid(); range.next()) {
    ids.push_back(id_in(range.rest()));
  }
  return ids;
}

Page<FirmwareRow> list(const Reader& reader, const FirmwareFilter& filter,
                       const PageRequest& request) {
  using Filler = PageFiller<FirmwareRow>;
  std::string from;
  if (!request.cursor.empty()) {
    const auto last = place_of(kList, request.cursor);
    if (!last || last->size() != sizeof(std::uint64_t)) return Filler::bad_cursor();
    from = *last + '\0';
  }
  const auto prefix = filter.device_model
                          ? firmware_list_prefix(FirmwareDimension::kModel, *filter.device_model)
                          : firmware_list_prefix(FirmwareDimension::kAll, {});
  Filler filler(kList, request);
  for (Range range(reader, prefix, from); range.valid(); range.next()) {
    auto firmware =
        reader.row<domain::Firmware>(id_key(Table::kFirmware, id_in(range.value()).bytes));
    if (!firmware || !holds(filter, *firmware)) continue;
    const auto make = [&] { return with_counts(reader, std::move(*firmware)); };
    if (!filler.take(range.rest(), make)) break;
  }
  return filler.take_page();
}

}  // namespace firmwares
}  // namespace ota::projections
