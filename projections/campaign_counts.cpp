#include "projections/campaign_counts.hpp"

#include "projections/limits.hpp"

namespace ota::projections {
namespace {

std::uint32_t* counter(CampaignCounts& counts, Standing standing) {
  switch (standing) {
    case Standing::kInProgress:
      return &counts.in_progress;
    case Standing::kCompleted:
      return &counts.completed;
    case Standing::kFailed:
      return &counts.failed;
    case Standing::kCancelled:
      return &counts.cancelled;
    default:
      return nullptr;  // pending is the rest
  }
}

std::uint32_t* counter(BatchCounts& counts, domain::UpdateStatus status) {
  switch (status) {
    case domain::UpdateStatus::kCompleted:
    case domain::UpdateStatus::kRollback:  // undone, it stays counted
      return &counts.completed;
    case domain::UpdateStatus::kFailed:
      return &counts.failed;
    case domain::UpdateStatus::kCancelled:
      return &counts.cancelled;
    default:
      return nullptr;
  }
}

std::string batch_key(domain::CampaignId id, std::uint32_t batch) {
  return in_campaign(Table::kBatchCounts, id).u32(batch).take();
}

}  // namespace

std::string RowCodec<CampaignCounts>::encode(const CampaignCounts& c) {
  return BytesOut()
      .u32(c.total)
      .u32(c.in_progress)
      .u32(c.completed)
      .u32(c.failed)
      .u32(c.cancelled)
      .u32(c.held)
      .u32(c.undone)
      .u32(c.without_download)
      .u64(c.update_us_total)
      .time(c.updated_at)
      .take();
}
std::optional<CampaignCounts> RowCodec<CampaignCounts>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  const CampaignCounts counts{in.u32(), in.u32(), in.u32(), in.u32(),
                              in.u32(), in.u32(), in.u32(), in.u32(), in.u64(), in.time()};
  return in.complete() ? std::optional(counts) : std::nullopt;
}

std::string RowCodec<BatchCounts>::encode(const BatchCounts& c) {
  return BytesOut().u32(c.granted).u32(c.completed).u32(c.failed).u32(c.cancelled).take();
}
std::optional<BatchCounts> RowCodec<BatchCounts>::decode(std::string_view bytes) {
  BytesIn in(bytes);
  const BatchCounts counts{in.u32(), in.u32(), in.u32(), in.u32()};
  return in.complete() ? std::optional(counts) : std::nullopt;
}

CampaignCountsView::CampaignCountsView(Rows& rows)
    : counts_(rows, limits::kCachedCampaigns),
      batches_(rows, limits::kCachedCounters),
      errors_(rows, limits::kCachedCounters) {}

void CampaignCountsView::commit() {
  counts_.commit();
  batches_.commit();
  errors_.commit();
}

CampaignCounts& CampaignCountsView::of(domain::CampaignId id) {
  return counts_.edit_or_make(id_key(Table::kCampaignCounts, id.bytes));
}

// ---- folding ------------------------------------------------------------------------------------

void CampaignCountsView::apply(Change& change) {
  if (change.campaign) on_campaign(*change.campaign, change.event.time);
  for (const auto& withdrawn : change.withdrawn_from) {
    ++of(withdrawn.campaign).cancelled;
  }
  if (change.update && change.update->campaign) on_update(*change.update, change.event);
}

void CampaignCountsView::on_campaign(CampaignChange& campaign, domain::Time at) {
  auto& counts = of(campaign.campaign->state.id);
  counts.updated_at = at;
  if (campaign.created) {
    counts.total = static_cast<std::uint32_t>(campaign.targets->cardinality());
    counts.cancelled = static_cast<std::uint32_t>(campaign.withdrawn.cardinality());
  }
  if (campaign.ended) {
    campaign.pending_cancelled = counts.pending();
    counts.cancelled += counts.pending();
  }
}

void CampaignCountsView::on_update(const UpdateChange& update, const domain::Recorded& event) {
  const auto id = update.campaign->state.id;
  // As of the newest event with its tag, so that the past can tell it as well (past.hpp).
  if (domain::moves_a_campaign(event.event)) of(id).updated_at = event.time;
  if (update.stands == Standing::kNone) return;
  if (update.before.held != update.after.held) {
    auto& held = of(id).held;
    held += update.after.held ? 1 : 0;
    held -= update.before.held ? 1 : 0;
  }
  if (update.after.status == domain::UpdateStatus::kRollback &&
      update.before.status != domain::UpdateStatus::kRollback) {
    ++of(id).undone;
  }
  if (update.stood != update.stands) {
    auto& counts = of(id);
    if (auto* from = counter(counts, update.stood)) --*from;
    if (auto* to = counter(counts, update.stands)) ++*to;
    counts.update_us_total += update.after.took_us - update.before.took_us;
  }
  count_batch(id, update);
  const auto* ended = std::get_if<domain::AttemptEnded>(&event.event);
  if (ended && ended->without_download) ++of(id).without_download;
  const bool refuted = std::holds_alternative<domain::UpdateRefuted>(event.event) &&
                       update.before.status != update.after.status;
  if ((ended && !ended->success) || refuted) {
    const auto& code = refuted ? update.update->error_code : ended->error_code;
    ++errors_.edit_or_make(in_campaign(Table::kErrorCount, id).raw(code).take());
  }
}

// An update belongs to the batch of its last grant; one that lapsed and waits, to none.
void CampaignCountsView::count_batch(domain::CampaignId id, const UpdateChange& update) {
  const auto& before = update.before;
  const auto& after = update.after;
  if (before.batch == after.batch && before.status == after.status) return;
  if (before.batch > 0) {
    auto& counts = batches_.edit_or_make(batch_key(id, before.batch));
    --counts.granted;
    if (auto* from = counter(counts, before.status)) --*from;
  }
  if (after.batch > 0) {
    auto& counts = batches_.edit_or_make(batch_key(id, after.batch));
    ++counts.granted;
    if (auto* to = counter(counts, after.status)) ++*to;
  }
}

// ---- queries ------------------------------------------------------------------------------------

CampaignCounts campaign_counts(const Reader& reader, domain::CampaignId id) {
  return reader.row<CampaignCounts>(id_key(Table::kCampaignCounts, id.bytes))
      .value_or(CampaignCounts{});
}

std::map<std::uint32_t, BatchCounts> batch_counts(const Reader& reader, domain::CampaignId id) {
  std::map<std::uint32_t, BatchCounts> batches;
  for (Range range(reader, id_key(Table::kBatchCounts, id.bytes)); range.valid(); range.next()) {
    batches.emplace_hint(batches.end(), BytesIn(range.rest()).u32(),
                         Reader::decoded<BatchCounts>(range.value()));
  }
  return batches;
}

std::map<std::string, std::uint64_t> error_codes(const Reader& reader, domain::CampaignId id) {
  std::map<std::string, std::uint64_t> codes;
  for (Range range(reader, id_key(Table::kErrorCount, id.bytes));
       range.valid() && codes.size() < limits::kErrorCodesShown; range.next()) {
    codes.emplace_hint(codes.end(), std::string(range.rest()),
                       Reader::decoded<std::uint64_t>(range.value()));
  }
  return codes;
}

}  // namespace ota::projections
