#include "domain/campaign/record.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "domain/limits.hpp"

namespace ota::domain {
namespace {

// What a campaign folds of one of its updates, in a move. False: it folds nothing of it.
struct MoveReader {
  RecordedMove& m;

  bool is(MoveKind kind, std::uint32_t attempt = 0, std::uint32_t batch = 0, bool retry = false) const {
    m.kind = kind;
    m.attempt = attempt;
    m.batch = batch;
    m.retry = retry;
    return true;
  }
  bool operator()(const ConsentAsked& e) const { return is(MoveKind::kConsentAsked, e.attempt); }
  bool operator()(const AttemptGranted& e) const { return is(MoveKind::kGranted, e.attempt, e.batch, e.retry); }
  bool operator()(const AttemptStarted& e) const {
    return !e.extended && is(e.released ? MoveKind::kReleased : MoveKind::kStarted, e.attempt);
  }
  bool operator()(const UpdateHeld& e) const {
    m.for_window = e.until.has_value();
    return is(MoveKind::kHeld, e.attempt, e.batch, e.retry);
  }
  bool operator()(const AttemptEnded& e) const {
    m.cause = static_cast<std::uint8_t>(e.kind);
    m.success = e.success;
    m.takes_back = e.takes_back;
    if (e.retry_at) m.again = *e.retry_at;
    return is(MoveKind::kEnded, e.attempt, e.batch, e.retry);
  }
  bool operator()(const GrantLapsed& e) const { return is(MoveKind::kLapsed, e.attempt, e.batch, e.retry); }
  bool operator()(const UpdateSkipped& e) const {
    m.cause = static_cast<std::uint8_t>(e.reason);
    return is(MoveKind::kSkipped);
  }
  bool operator()(const UpdateCancelled& e) const {
    m.cause = static_cast<std::uint8_t>(e.cause);
    return is(MoveKind::kCancelled, e.attempt, e.batch, e.retry);
  }
  bool operator()(const UpdateRefuted& e) const {
    m.cause = static_cast<std::uint8_t>(e.by);
    return is(MoveKind::kRefuted, 0, e.batch, e.retry);
  }
  bool operator()(const UpdateUndone&) const { return is(MoveKind::kUndone); }
  bool operator()(const RetryAsked& e) const { return is(MoveKind::kRetryAsked, e.attempt, e.batch); }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

AttemptEnded end_of(const CampaignRecord& record, const RecordedMove& m) {
  AttemptEnded end;
  end.attempt = m.attempt;
  end.success = m.success;
  end.kind = static_cast<FailureKind>(m.cause);
  end.error_code = record.codes[m.code];
  end.batch = m.batch;
  end.retry = m.retry;
  if (m.may_retry()) end.retry_at = m.again;
  end.takes_back = m.takes_back;
  return end;
}

}  // namespace

std::span<const RecordedMove> CampaignRecord::moves_of(std::uint32_t ordinal) const {
  struct ByDevice {
    bool operator()(const RecordedMove& m, std::uint32_t o) const { return m.ordinal < o; }
    bool operator()(std::uint32_t o, const RecordedMove& m) const { return o < m.ordinal; }
  };
  const auto [begin, end] = std::equal_range(moves.begin(), moves.end(), ordinal, ByDevice{});
  return {begin, end};
}

Event event_of(const CampaignRecord& record, const RecordedMove& m) {
  switch (m.kind) {
    case MoveKind::kConsentAsked: return ConsentAsked{m.attempt, {}, {}};
    case MoveKind::kGranted: {
      AttemptGranted granted;
      granted.attempt = m.attempt;
      granted.batch = m.batch;
      granted.retry = m.retry;
      return granted;
    }
    case MoveKind::kStarted:
    case MoveKind::kReleased: {
      AttemptStarted started;
      started.attempt = m.attempt;
      started.released = m.kind == MoveKind::kReleased;
      return started;
    }
    case MoveKind::kHeld: return UpdateHeld{m.attempt, m.batch, m.retry, m.for_window ? std::optional(m.at) : std::nullopt};
    case MoveKind::kEnded: return end_of(record, m);
    case MoveKind::kLapsed: return GrantLapsed{m.attempt, m.batch, m.retry};
    case MoveKind::kSkipped: return UpdateSkipped{static_cast<SkipReason>(m.cause), {}};
    case MoveKind::kCancelled: return UpdateCancelled{m.cancel_cause(), m.attempt, m.batch, m.retry};
    case MoveKind::kRefuted: return UpdateRefuted{static_cast<RefutedBy>(m.cause), {}, m.batch, m.retry, false};
    case MoveKind::kUndone: return UpdateUndone{};
    case MoveKind::kRetryAsked: return RetryAsked{0, m.attempt, std::nullopt, m.batch};
  }
  return UnknownEvent{};
}

CampaignRecorder::CampaignRecorder(CampaignId id) { record_.id = id; }

void CampaignRecorder::add(const Recorded& event) {
  const auto* campaign = std::get_if<CampaignId>(&event.stream);
  const auto* update = std::get_if<UpdateId>(&event.stream);
  if (campaign) {
    if (*campaign == record_.id) add_own(event);
  } else if (update) {
    if (update->campaign() == record_.id) add_update(*update, event);
  } else if (std::holds_alternative<FirmwareContentStored>(event.event) || std::holds_alternative<FirmwareRecalled>(event.event) ||
             may_concern_it(std::get_if<DeviceDeleted>(&event.event))) {
    record_.steps.push_back({event.time, event.position.value, event.stream, event.event, event.caller});
  }
}

// A fleet deletes more devices than a campaign has: those of others are not kept once its own are known.
bool CampaignRecorder::may_concern_it(const DeviceDeleted* deleted) const {
  return deleted && (created_at().value == 0 || targets_.contains(deleted->ordinal.value));
}

void CampaignRecorder::add_own(const Recorded& event) {
  record_.last = std::max(record_.last, event.position);
  if (const auto* part = std::get_if<CampaignTargetPart>(&event.event)) {
    targets_ |= bitmap_from_bytes(part->targets);
    record_.parts.push_back(event);
  } else if (const auto* created = std::get_if<CampaignCreated>(&event.event)) {
    targets_ |= bitmap_from_bytes(created->targets);
    record_.created = event;
  } else if (!std::holds_alternative<UnknownEvent>(event.event)) {
    record_.steps.push_back({event.time, event.position.value, event.stream, event.event, event.caller});
  }
}

void CampaignRecorder::add_update(const UpdateId& id, const Recorded& event) {
  record_.last = std::max(record_.last, event.position);
  RecordedMove move;
  if (!std::visit(MoveReader{move}, event.event)) return;
  move.at = event.time;
  move.order = event.position.value;
  move.ordinal = id.ordinal.value;
  move.of = id.kind;
  if (const auto* ended = std::get_if<AttemptEnded>(&event.event)) move.code = index_of(ended->error_code);
  record_.moves.push_back(move);
}

std::uint32_t CampaignRecorder::index_of(const std::string& code) {
  if (code.empty()) return 0;
  const auto [at, is_new] = codes_.emplace(code, static_cast<std::uint32_t>(record_.codes.size()));
  if (is_new) record_.codes.push_back(code);
  return at->second;
}

void CampaignRecorder::keep_what_concerns_it() {
  std::erase_if(record_.steps, [&](const RecordedStep& step) {
    if (step.order <= record_.created.position.value) return true;
    const auto* deleted = std::get_if<DeviceDeleted>(&step.event);
    return deleted && !targets_.contains(deleted->ordinal.value);
  });
  std::sort(record_.steps.begin(), record_.steps.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
}

// A failure that was the last one though its policy had another attempt left: nothing but a wish to stop it explains that. The
// wish itself is in no event that a campaign follows.
void CampaignRecorder::mark_those_asked_to_stop() {
  const auto* created = std::get_if<CampaignCreated>(&record_.created.event);
  if (!created) return;
  std::uint32_t retries = 0;
  std::uint32_t spared = 0;
  bool waits = false;                       // for its next attempt: wanted at once, that is not one more
  std::optional<std::uint32_t> device;
  for (auto& m : record_.moves) {
    if (device != m.ordinal) retries = spared = 0;
    if (device != m.ordinal) waits = false;
    device = m.ordinal;
    if (m.of != UpdateId::kDeployment) continue;
    if (m.kind == MoveKind::kRetryAsked && !waits) ++retries;
    if (m.kind == MoveKind::kGranted || m.kind == MoveKind::kCancelled || m.kind == MoveKind::kSkipped) waits = false;
    if (m.kind != MoveKind::kEnded || m.success) continue;
    const auto kind = static_cast<FailureKind>(m.cause);
    const bool is_spared = kind == FailureKind::kTransport || kind == FailureKind::kService;
    auto& count = is_spared ? spared : retries;
    const bool had_another = count < (is_spared ? limits::kSparedRetries : created->policy.max_retries);
    m.was_to_stop = !m.may_retry() && !m.takes_back && had_another;
    if (m.may_retry()) ++count;
    waits = m.may_retry();
  }
}

CampaignRecord CampaignRecorder::take() {
  keep_what_concerns_it();
  std::sort(record_.moves.begin(), record_.moves.end(), [](const RecordedMove& a, const RecordedMove& b) {
    return a.ordinal != b.ordinal ? a.ordinal < b.ordinal : a.order < b.order;
  });
  mark_those_asked_to_stop();
  record_.moves.shrink_to_fit();
  return std::move(record_);
}

}  // namespace ota::domain
