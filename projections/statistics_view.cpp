#include "projections/statistics_view.hpp"

#include "domain/version.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

enum class Counter : std::uint8_t { kByDeviceType = 1, kByFirmwareVersion = 2, kModelVersion = 3 };

std::string totals_key() { return key_in(Table::kTotals).take(); }
std::string counter_prefix(Counter counter) {
  return key_in(Table::kNamedCount).u8(static_cast<std::uint8_t>(counter)).take();
}
std::string model_version_key(const DeviceListing& listing) {
  return counter_prefix(Counter::kModelVersion) +
         BytesOut().text(listing.model).raw(listing.version).take();
}

bool knows_model_and_version(const DeviceListing& listing) {
  return listing.listed && !listing.model.empty() && !listing.version.empty();
}

}  // namespace

StatisticsView::StatisticsView(Rows& rows)
    : totals_(rows, limits::kCachedCounters), named_(rows, limits::kCachedCounters) {}

void StatisticsView::commit() {
  totals_.commit();
  named_.commit();
}

// ---- folding ------------------------------------------------------------------------------------

void StatisticsView::apply(Change& change) {
  each_count(change, [&](domain::Time, const auto& count) { count(totals_.edit_or_make(totals_key())); });
  if (const auto granted = first_grant_of(change)) {
    ++named_.edit_or_make(counter_prefix(Counter::kByDeviceType) + granted->model);
    ++named_.edit_or_make(counter_prefix(Counter::kByFirmwareVersion) + granted->version);
  }
  if (change.device && change.device->relisted) on_device(*change.device);
}

void StatisticsView::on_device(const DeviceChange& device) {
  if (device.before.listed != device.after.listed) {
    auto& devices = totals_.edit_or_make(totals_key()).devices;
    devices += device.after.listed ? 1 : 0;
    devices -= device.before.listed ? 1 : 0;
  }
  if (device.before.listed == device.after.listed && device.before.model == device.after.model &&
      device.before.version == device.after.version) {
    return;
  }
  if (knows_model_and_version(device.before)) {
    const auto key = model_version_key(device.before);
    if (--named_.edit_or_make(key) == 0) named_.erase(key);
  }
  if (knows_model_and_version(device.after)) ++named_.edit_or_make(model_version_key(device.after));
}

// ---- queries ------------------------------------------------------------------------------------

namespace {

std::map<std::string, std::uint64_t> named(const Reader& reader, Counter counter) {
  std::map<std::string, std::uint64_t> counts;
  for (Range range(reader, counter_prefix(counter));
       range.valid() && counts.size() < limits::kCounterNamesShown; range.next()) {
    counts.emplace_hint(counts.end(), std::string(range.rest()),
                        Reader::decoded<std::uint64_t>(range.value()));
  }
  return counts;
}

}  // namespace

std::uint64_t devices_running(const Reader& reader, std::string_view model, std::string_view version) {
  std::uint64_t devices = 0;
  for (Range range(reader, counter_prefix(Counter::kModelVersion) + BytesOut().text(model).take()); range.valid();
       range.next()) {
    if (domain::compare_versions(range.rest(), version) == 0) devices += Reader::decoded<std::uint64_t>(range.value());
  }
  return devices;
}

Statistics statistics(const Reader& reader) {
  auto s = statistics_of(reader.row<Totals>(totals_key()).value_or(Totals{}));
  s.by_device_type = named(reader, Counter::kByDeviceType);
  s.by_firmware_version = named(reader, Counter::kByFirmwareVersion);
  std::size_t names = 0;
  for (Range range(reader, counter_prefix(Counter::kModelVersion));
       range.valid() && names < limits::kCounterNamesShown; range.next(), ++names) {
    BytesIn key(range.rest());
    const std::string model(key.text());
    s.devices_by_model_version[model][std::string(key.rest())] =
        Reader::decoded<std::uint64_t>(range.value());
  }
  return s;
}

}  // namespace ota::projections
