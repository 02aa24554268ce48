// What is counted about firmware: downloads, and how its updates ended (decision 15, BR-OTA-041).
//
// A device's download counts when an attempt of its update is past downloading; an administrator's
// is an event.
#pragma once

#include "projections/view.hpp"

namespace ota::projections {

struct FirmwareCounts {
  std::uint64_t downloads = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
};
template <>
struct RowCodec<FirmwareCounts> {
  static std::string encode(const FirmwareCounts& counts);
  static std::optional<FirmwareCounts> decode(std::string_view bytes);
};

class FirmwareCountsView final : public View {
 public:
  explicit FirmwareCountsView(Rows& rows);

  std::string_view name() const override { return "firmware counts"; }
  void apply(Change& change) override;
  void commit() override { counts_.commit(); }

 private:
  FirmwareCounts& of(domain::FirmwareId id);
  RowCache<FirmwareCounts> counts_;
};

FirmwareCounts firmware_counts(const Reader& reader, domain::FirmwareId id);

}  // namespace ota::projections
