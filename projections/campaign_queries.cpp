#include "projections/campaign_queries.hpp"

#include <algorithm>

#include "domain/verdict.hpp"
#include "projections/campaign_counts.hpp"
#include "projections/campaign_entry.hpp"
#include "projections/paging.hpp"

namespace ota::projections::campaigns {
namespace {

constexpr char kList = 'c';

domain::CampaignId id_in(std::string_view bytes) {
  domain::CampaignId id;
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

std::optional<CampaignEntry> entry_of(const Reader& reader, domain::CampaignId id) {
  auto entry = reader.row<CampaignEntry>(id_key(Table::kCampaign, id.bytes));
  return entry && entry->state.exists ? std::move(entry) : std::nullopt;
}

CampaignRow row_of(const Reader& reader, CampaignEntry entry, Detail detail) {
  const auto counts = campaign_counts(reader, entry.state.id);
  auto row = campaigns::row_of(std::move(entry), counts);
  if (detail == Detail::kFull) {
    row.batches = batch_counts(reader, row.id);
    row.error_codes = error_codes(reader, row.id);
  }
  return row;
}

bool holds(const CampaignFilter& filter, const CampaignEntry& entry) {
  return (!filter.status || *filter.status == entry.state.status) &&
         (!filter.priority || *filter.priority == entry.record.policy.priority) &&
         (!filter.firmware || *filter.firmware == entry.record.firmware);
}

// The list that leaves least to be looked through.
std::string shortest_list(const CampaignFilter& filter) {
  const auto word = [](auto value) {
    return BytesOut().u8(static_cast<std::uint8_t>(value)).take();
  };
  if (filter.firmware) {
    return campaign_list_prefix(CampaignDimension::kFirmware,
                                domain::view_of(filter.firmware->bytes));
  }
  if (filter.status) return campaign_list_prefix(CampaignDimension::kStatus, word(*filter.status));
  if (filter.priority) {
    return campaign_list_prefix(CampaignDimension::kPriority, word(*filter.priority));
  }
  return campaign_list_prefix(CampaignDimension::kAll, {});
}

}  // namespace

CampaignRow row_of(CampaignEntry entry, const CampaignCounts& counts) {
  auto& state = entry.state;
  CampaignRow row;
  row.id = state.id;
  row.record = std::move(entry.record);
  row.status = state.status;
  row.status_reason = std::move(state.status_reason);
  row.verdict = state.verdict;
  row.closed = state.closed;
  row.finished = state.finished;
  row.promoted = state.promoted;
  row.switched = state.switched;
  row.rollback = state.rollback;
  row.approved = state.approved;
  row.approved_by = state.approved_by;
  row.approval_comment = std::move(state.approval_comment);
  row.approval_conditions = std::move(state.approval_conditions);
  row.total = counts.total;
  row.in_progress = counts.in_progress;
  row.completed = counts.completed;
  row.failed = counts.failed;
  row.cancelled = counts.cancelled;
  row.held = counts.held;
  row.undone = counts.undone;
  row.without_download = counts.without_download;
  // What fails after the end moves the numbers (decision 23), as in the campaign's own fold.
  if (row.closed && row.status == domain::CampaignStatus::kCompleted) {
    row.verdict = domain::verdict_at_end({row.total, row.in_progress, row.completed, row.failed, row.cancelled},
                                         row.record.policy.failure_threshold_percent);
  }
  row.batch = state.batch;
  row.update_us_total = counts.update_us_total;
  row.created_by = state.created_by;
  row.created_at = state.created_at;
  row.updated_at = std::max(state.updated_at, counts.updated_at);
  row.started_at = state.started_at;
  row.ended_at = state.ended_at;
  row.revision = state.revision;
  return row;
}

std::optional<CampaignRow> find(const Reader& reader, domain::CampaignId id, Detail detail) {
  auto entry = entry_of(reader, id);
  if (!entry) return std::nullopt;
  return row_of(reader, std::move(*entry), detail);
}

Page<CampaignRow> list(const Reader& reader, const CampaignFilter& filter,
                       const PageRequest& request) {
  using Filler = PageFiller<CampaignRow>;
  std::string from;
  if (!request.cursor.empty()) {
    const auto last = place_of(kList, request.cursor);
    if (!last || last->size() != sizeof(std::uint64_t)) return Filler::bad_cursor();
    from = *last + '\0';
  }
  Filler filler(kList, request);
  for (Range range(reader, shortest_list(filter), from); range.valid(); range.next()) {
    auto entry = entry_of(reader, id_in(range.value()));
    if (!entry || !holds(filter, *entry)) continue;
    const auto make = [&] { return row_of(reader, std::move(*entry), Detail::kSummary); };
    if (!filler.take(range.rest(), make)) break;
  }
  return filler.take_page();
}

std::vector<domain::CampaignId> open(const Reader& reader) {
  std::vector<domain::CampaignId> ids;
  for (Range range(reader, key_in(Table::kOpenCampaign).take()); range.valid(); range.next()) {
    ids.push_back(id_in(range.rest()));
  }
  return ids;
}

TargetSet targets(const Reader& reader, TargetSets& sets, domain::CampaignId id) {
  if (auto set = sets.find(id)) return set;
  rocksdb::PinnableSlice bytes;
  if (!reader.get(id_key(Table::kCampaignTargets, id.bytes), bytes)) return nullptr;
  auto set = std::make_shared<const domain::Bitmap>(domain::bitmap_from_bytes(view(bytes)));
  sets.put(id, set);
  return set;
}

}  // namespace ota::projections::campaigns
