// Devices: their state, their ordinals both ways, the lists of them, and what the poll path keeps
// in memory.
//
// A device's row stands under its ordinal, so that all devices can be visited in the order of
// bitmaps with one scan. Its place says where: the ordinal that its id has now (none while it is
// deleted) and the one its row stands under (kept when it is deleted, moved when it returns). Ids
// whose ordinal is only reserved have a place, and a row once an update of theirs had an event.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/settings.hpp"
#include "projections/answers.hpp"
#include "projections/page.hpp"
#include "projections/poll_index.hpp"
#include "projections/row_cache.hpp"
#include "projections/view.hpp"

namespace ota::projections {

struct DevicePlace {
  std::optional<domain::Ordinal> ordinal;  // what the id has now: of a device, or reserved
  std::optional<domain::Ordinal> row;
  bool listed = false;  // registered and not deleted

  bool operator==(const DevicePlace&) const = default;
};
template <>
struct RowCodec<DevicePlace> {
  static std::string encode(const DevicePlace& place);
  static std::optional<DevicePlace> decode(std::string_view bytes);
};
template <>
struct RowCodec<domain::Device> {
  static std::string encode(const domain::Device& device);
  static std::optional<domain::Device> decode(std::string_view bytes);
};
// A device and its place, as they are kept for the next event: found with one look.
struct KeptDevice {
  DevicePlace place;
  domain::Device device;              // of the row that the place names, if it names one
  std::optional<DevicePlace> saved;   // as it is in the rows; empty: it is in none
};
template <>
struct RowStore<KeptDevice> {
  static bool load(const Rows& rows, const std::string& key, std::string& buffer, KeptDevice& kept);
  static void save(Rows& rows, const std::string& key, KeptDevice& kept);
};
template <>
struct RowCodec<std::string> {
  static std::string encode(const std::string& text) { return text; }
  static std::optional<std::string> decode(std::string_view bytes) { return std::string(bytes); }
};

// Only these can change what lists and counts know of a device.
bool moves_listing(const domain::Event& event);

class DeviceView final : public View {
 public:
  DeviceView(Rows& rows, const domain::Settings& settings, PollIndex& polls);

  std::string_view name() const override { return "devices"; }
  void load(const Reader& reader) override;
  void apply(Change& change) override;
  void commit() override;
  void publish() override;
  // From now on, to this index, which knows all that was published until now.
  void publish_to(PollIndex& polls) { polls_ = &polls; }

  // For views behind this one. Empty if no id ever had it.
  std::string id_of(domain::Ordinal ordinal);

 private:
  void reserve(const domain::IdsReserved& reserved);
  void fold(Change& change, const domain::DeviceId& id);
  void name(domain::Ordinal ordinal, const std::string& id);
  DeviceListing listing_of(const domain::Device& device) const;
  void relist(const std::string& id, const DeviceListing& before, const DeviceListing& after);

  Rows& rows_;
  const domain::Settings& settings_;
  PollIndex* polls_;
  RowCache<KeptDevice> devices_;
  RowCache<std::string> names_;
  std::uint32_t ordinals_given_ = 0;
  bool ordinals_moved_ = false;
  struct Published {
    std::string id;
    PollRecord record;
    std::optional<Underway> underway;
  };
  std::vector<Published> to_publish_;
};

// What readers ask.
namespace devices {
std::optional<domain::Device> find(const Reader& reader, const domain::DeviceId& id);
Page<domain::Device> list(const Reader& reader, const DeviceFilter& filter, const PageRequest& page);
std::optional<domain::DeviceId> id_of(const Reader& reader, domain::Ordinal ordinal);
std::vector<domain::DeviceId> ids_of(const Reader& reader, const domain::Bitmap& ordinals, std::size_t most);
std::optional<domain::Ordinal> ordinal_of(const Reader& reader, const domain::DeviceId& id);
std::uint32_t ordinals_given(const Reader& reader);
void each(const Reader& reader, const std::function<bool(const domain::Device&)>& visit);
void each_of(const Reader& reader, const domain::Bitmap& ordinals,
             const std::function<bool(const domain::Device&)>& visit);
}  // namespace devices

}  // namespace ota::projections
