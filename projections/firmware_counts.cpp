#include "projections/firmware_counts.hpp"

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

bool is_downloaded(const UpdateFacts& update) {
  return update.status >= domain::UpdateStatus::kVerifying &&
         update.status <= domain::UpdateStatus::kCompleted;
}

std::uint64_t* counter(FirmwareCounts& counts, Standing standing) {
  switch (standing) {
    case Standing::kCompleted:
      return &counts.completed;
    case Standing::kFailed:
      return &counts.failed;
    default:
      return nullptr;
  }
}

}  // namespace

std::string RowCodec<FirmwareCounts>::encode(const FirmwareCounts& c) {
  return BytesOut().u64(c.downloads).u64(c.completed).u64(c.failed).take();
}
std::optional<FirmwareCounts> RowCodec<FirmwareCounts>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  const FirmwareCounts counts{in.u64(), in.u64(), in.u64()};
  return in.complete() ? std::optional(counts) : std::nullopt;
}

FirmwareCountsView::FirmwareCountsView(Rows& rows) : counts_(rows, limits::kCachedCampaigns) {}

FirmwareCounts& FirmwareCountsView::of(domain::FirmwareId id) {
  return counts_.edit_or_make(id_key(Table::kFirmwareCounts, id.bytes));
}

void FirmwareCountsView::apply(Change& change) {
  if (const auto* download = std::get_if<domain::DownloadCompleted>(&change.event.event)) {
    ++of(download->firmware).downloads;
  }
  if (!change.update) return;
  const auto& u = *change.update;
  if (is_downloaded(u.after) && !is_downloaded(u.before)) ++of(u.after.firmware).downloads;
  if (u.stood == u.stands) return;
  FirmwareCounts none;
  if (counter(none, u.stood)) --*counter(of(u.before.firmware), u.stood);
  if (counter(none, u.stands)) ++*counter(of(u.after.firmware), u.stands);
}

FirmwareCounts firmware_counts(const Reader& reader, domain::FirmwareId id) {
  return reader.row<FirmwareCounts>(id_key(Table::kFirmwareCounts, id.bytes))
      .value_or(FirmwareCounts{});
}

}  // namespace ota::projections
