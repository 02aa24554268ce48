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
std::string counter_name(Counter counter, std::string_view name) {
  return BytesOut().u8(static_cast<std::uint8_t>(counter)).raw(name).take();
}

std::string counter_of(const DeviceListing& listing) {
  return listing.listed ? counter_of_device(listing.model, listing.version) : std::string();
}

}  // namespace

std::vector<std::string> counters_of_grant(const std::string& model, const std::string& version) {
  return {counter_name(Counter::kByDeviceType, model), counter_name(Counter::kByFirmwareVersion, version)};
}

std::string counter_of_device(const std::string& model, const std::string& version) {
  if (model.empty() || version.empty()) return {};
  return counter_name(Counter::kModelVersion, BytesOut().text(model).raw(version).take());
}

StatisticsView::StatisticsView(Rows& rows)
    : totals_(rows, limits::kCachedCounters), named_(rows, limits::kCachedCounters), history_(rows) {}

void StatisticsView::commit() {
  totals_.commit();
  named_.commit();
  history_.commit();
}

// ---- folding ------------------------------------------------------------------------------------

void StatisticsView::apply(Change& change) {
  const auto position = change.event.position;
  each_count(change, [&](domain::Time, const auto& count) {
    auto& totals = totals_.edit_or_make(totals_key());
    count(totals);
    history_.note(position, totals);
  });
  if (const auto granted = first_grant_of(change)) {
    for (const auto& counter : counters_of_grant(granted->model, granted->version)) count(position, counter, 1);
  }
  if (change.device && change.device->relisted) on_device(position, *change.device);
}

void StatisticsView::count(domain::Position position, const std::string& counter, std::uint64_t more) {
  const auto key = key_in(Table::kNamedCount).raw(counter).take();
  auto& number = named_.edit_or_make(key);
  number += more;
  history_.note(position, counter, number);
  if (number == 0) named_.erase(key);
}

void StatisticsView::on_device(domain::Position position, const DeviceChange& device) {
  if (device.before.listed != device.after.listed) {
    auto& totals = totals_.edit_or_make(totals_key());
    totals.devices += device.after.listed ? 1 : 0;
    totals.devices -= device.before.listed ? 1 : 0;
    history_.note(position, totals);
  }
  const auto before = counter_of(device.before);
  const auto after = counter_of(device.after);
  if (before == after) return;
  if (!before.empty()) count(position, before, std::uint64_t(-1));
  if (!after.empty()) count(position, after, 1);
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

Statistics statistics_of(const Totals& totals, const std::map<std::string, std::uint64_t>& named) {
  auto s = statistics_of(totals);
  std::size_t by_model_version = 0;
  const auto put = [](auto& counts, std::string_view name, std::uint64_t count) {
    if (counts.size() < limits::kCounterNamesShown) counts.emplace(name, count);
  };
  for (const auto& [counter, count] : named) {
    if (count == 0) continue;
    BytesIn in(counter);
    switch (static_cast<Counter>(in.u8())) {
      case Counter::kByDeviceType: put(s.by_device_type, in.rest(), count); break;
      case Counter::kByFirmwareVersion: put(s.by_firmware_version, in.rest(), count); break;
      case Counter::kModelVersion:
        if (++by_model_version > limits::kCounterNamesShown) break;
        const std::string model(in.text());
        s.devices_by_model_version[model][std::string(in.rest())] = count;
        break;
    }
  }
  return s;
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
