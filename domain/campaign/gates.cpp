#include "domain/campaign/gates.hpp"

#include <array>
#include <span>

#include <fmt/format.h>

#include "domain/device/gates.hpp"
#include "domain/rollout.hpp"
#include "domain/version.hpp"
#include "domain/window.hpp"

namespace ota::domain::campaign {
namespace {

using Rule = Finding (*)(const Question&);
struct Row {
  Gate gate;
  Rule rule;
};

Finding closed(std::string fact, std::optional<Time> until = {}) { return {false, std::move(fact), until, {}, {}, {}}; }
Finding closed(std::string fact, Otherwise otherwise) { return {false, std::move(fact), {}, otherwise, {}, {}}; }

template <class Text>
Finding open(const Question& q, const Text& text) {
  Finding finding;
  if (q.explain) finding.fact = text();
  return finding;
}

std::string either(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

// ---- of every update -------------------------------------------------------------------------------------------

Finding known(const Question& q) {
  if (!q.ask.known) return closed("the device is not registered, or was deleted");
  return open(q, [&] { return fmt::format("device {} is registered", q.ask.device.value); });
}

Finding not_busy(const Question& q) {
  if (q.reserved.contains(q.ask.ordinal.value)) return closed("a grant for this device is being written");
  if (!q.ask.busy_with.empty()) return closed(fmt::format("the device is busy with {}", q.ask.busy_with));
  return open(q, [] { return std::string("nothing else is under way on the device"); });
}

Finding concurrency(const Question& q) {
  const auto taken = places_taken(q.s, q.reserved);
  const auto text = [&] { return fmt::format("{} of {} places are taken", taken, q.s.policy.max_concurrent_updates); };
  return has_place(q.s, q.reserved) ? open(q, text) : closed(text());
}

Finding after(const Question& q, const std::map<std::uint32_t, Time>& retries) {
  const auto waiting = retries.find(q.ask.ordinal.value);
  if (waiting != retries.end() && waiting->second > q.context.now) {
    return closed("the last attempt failed, the next one waits", waiting->second);
  }
  return open(q, [&] {
    return std::string(waiting == retries.end() ? "it is not a retry" : "the wait for the next attempt is over");
  });
}

// ---- of a deployment -------------------------------------------------------------------------------------------

bool is_retry(const Question& q) { return q.s.retries.contains(q.ask.ordinal.value); }

Finding targeted(const Question& q) {
  const auto& s = q.s;
  const std::uint32_t o = q.ask.ordinal.value;
  if (!s.targets.contains(o) && !s.left_out.contains(o)) {
    const auto why = misfit(q.ask.facts, s.facts);
    return closed(why.empty() ? std::string("the device is not among the campaign's targets")
                              : fmt::format("the device is not among the campaign's targets: {}", why));
  }
  const auto over = [&](const Bitmap& set, std::string_view what) -> std::optional<Finding> {
    if (!set.contains(o)) return std::nullopt;
    return closed(fmt::format("its update in this campaign {}", what));
  };
  if (auto f = over(s.in_window, "is verified and waits for its maintenance window")) return *f;
  if (auto f = over(s.held, s.switched ? "is verified and waits for its maintenance window" : "is verified and waits for the switch")) return *f;
  if (auto f = over(s.granted, "is in progress")) return *f;
  if (auto f = over(s.undone, "has completed, and was rolled back")) return *f;
  if (auto f = over(s.completed, "has completed")) return *f;
  const auto with_reason = [&](std::string_view what) {
    return q.ask.ended_because.empty() ? std::string(what) : fmt::format("{}: {}", what, q.ask.ended_because);
  };
  if (auto f = over(s.failed, with_reason("has failed"))) return *f;
  if (auto f = over(s.cancelled, with_reason("is cancelled, or was skipped"))) return *f;
  return open(q, [&] { return fmt::format("it is one of {} devices that wait in this campaign", s.pending()); });
}

Finding in_percentage(const Question& q) {
  const auto percentage = q.s.policy.rollout_percentage;
  if (q.s.left_out.contains(q.ask.ordinal.value)) {
    return closed(fmt::format("the rollout takes {} % of the targets, and the device is not among them", percentage));
  }
  return open(q, [&] { return fmt::format("it is among the {} % that the rollout takes", percentage); });
}

Finding approved(const Question& q) {
  if (!q.s.policy.requires_approval) return open(q, [] { return std::string("the campaign needs no approval"); });
  if (!q.s.approved) return closed("the campaign requires approval, and is not approved");
  return open(q, [] { return std::string("the campaign is approved"); });
}

Finding running(const Question& q) {
  const auto& s = q.s;
  if (s.finished) return closed("the campaign is finishing: who was not granted yet is left out");
  if (s.firmware_recalled) return closed("the firmware is recalled");
  if (s.status == CampaignStatus::kInProgress) return open(q, [] { return std::string("the campaign is in_progress"); });
  auto fact = fmt::format("the campaign is {}", to_text(s.status));
  if (!s.status_reason.empty()) fact += ": " + s.status_reason;
  return closed(std::move(fact), s.status == CampaignStatus::kScheduled ? s.starts_at : std::nullopt);
}

Finding content(const Question& q) {
  if (q.s.firmware_recalled) {
    return closed(fmt::format("firmware {} {} is recalled", q.s.firmware_name, q.s.facts.version));
  }
  if (q.s.content_pending) {
    if (!q.ask.push || !q.ask.content_elsewhere) return closed("the firmware's content is not here yet");
    return open(q, [&] {
      return fmt::format("firmware {} {} stays where it is, and the device is told over MQTT where that is", q.s.firmware_name,
                         q.s.facts.version);
    });
  }
  return open(q, [&] { return fmt::format("firmware {} {} is here", q.s.firmware_name, q.s.facts.version); });
}

Finding compatible(const Question& q) {
  const auto& d = q.ask.facts;
  if (auto fact = misfit(d, q.s.facts); !fact.empty()) return closed(std::move(fact), Otherwise::kSkipIncompatible);
  return open(q, [&] {
    return fmt::format("model {}, hardware {}", either(d.model, "not known: taken to fit"),
                       either(d.hardware_version, "not known: taken to fit"));
  });
}

Finding beta(const Question& q) {
  if (!q.s.facts.is_beta) return open(q, [] { return std::string("the firmware is no beta"); });
  if (q.s.policy.allow_beta) return open(q, [] { return std::string("the campaign allows beta firmware"); });
  if (q.ask.owner_wants_beta) return open(q, [] { return std::string("the device's owner has opted in to beta firmware"); });
  return closed("the firmware is a beta, and neither the campaign nor the device's owner has opted in");
}

Finding not_there(const Question& q) {
  const auto& runs = q.ask.facts.firmware_version;
  const auto& brings = q.s.facts.version;
  if (q.s.policy.force_update) return open(q, [] { return std::string("force_update: versions are not compared"); });
  if (!runs.empty() && compare_versions(runs, brings) >= 0) {
    return closed(fmt::format("the device runs {}, the campaign brings {}", runs, brings), Otherwise::kSkipAlreadyThere);
  }
  return open(q, [&] {
    return fmt::format("the device runs {}, the campaign brings {}", either(runs, "a version that is not known"), brings);
  });
}

Finding owner(const Question& q) {
  const auto& until = q.ask.owner_pauses_until;
  if (until && *until > q.context.now) return closed("the device's owner has paused updates", *until);
  return open(q, [] { return std::string("the device's owner has not paused updates"); });
}

Finding window(const Question& q) {
  const auto& window = q.s.policy.maintenance_window;
  if (!window) return open(q, [] { return std::string("there is no maintenance window"); });
  const auto text = [&](std::string_view state) {
    return fmt::format("the maintenance window {} to {} ({}) is {}", minute_text(window->start_minute),
                       minute_text(window->end_minute), zone_of(*window, q.ask.facts.timezone), state);
  };
  if (is_open(*window, q.ask.facts.timezone, q.context.now)) return open(q, [&] { return text("open"); });
  return closed(text("closed"), opens_at(*window, q.ask.facts.timezone, q.context.now));
}

Finding consent(const Question& q) {
  if (!q.s.policy.requires_device_confirmation) return open(q, [] { return std::string("no consent is needed"); });
  if (q.ask.auto_confirms) return open(q, [] { return std::string("the device confirms every update by itself"); });
  if (q.ask.consented) return open(q, [] { return std::string("the device's user has agreed"); });
  if (q.ask.consent_asked) return closed("the device's user was asked, and has not agreed yet");
  return closed("the device's user has to agree, and was not asked yet", Otherwise::kAskConsent);
}

Finding retry_time(const Question& q) { return after(q, q.s.retries); }

Finding batch(const Question& q) {
  const auto& s = q.s;
  const std::uint32_t o = q.ask.ordinal.value;
  if (s.policy.strategy == Strategy::kBlueGreen) {
    if (s.switched) return open(q, [] { return std::string("the campaign has switched"); });
    if (!q.ask.facts.can_hold) return closed("the device cannot hold an update: it waits for the campaign's switch");
    return open(q, [] { return std::string("the device downloads and verifies, and holds until the switch"); });
  }
  if (is_retry(q)) return open(q, [] { return std::string("a retry waits for no batch"); });
  if (s.in_canary() && !s.cohort.contains(o)) return closed("the canary goes first, and the device is not in it");
  if (s.in_canary()) {
    const auto text = [&](std::string_view state) {
      return fmt::format("the canary is {}: {} of {} granted", state, s.evidence.count() + q.reserved.in_batch,
                         canary_size(*s.canary, s.evidence.topped_up()));
    };
    return batch_open(s, q.reserved) ? open(q, [&] { return text("open"); }) : closed(text("full"));
  }
  if (!has_batches(s.policy.strategy)) return open(q, [] { return std::string("immediate: there are no batches"); });
  const auto text = [&](std::string_view state) {
    return fmt::format("batch {} is {}: {} of {} granted", s.batch, state, s.batch_granted + q.reserved.in_batch,
                       s.policy.batch_size);
  };
  return batch_open(s, q.reserved) ? open(q, [&] { return text("open"); }) : closed(text("full"));
}

constexpr std::array<Row, 16> kDeployment{{{Gate::kKnown, known},
                                           {Gate::kTargeted, targeted},
                                           {Gate::kPicked, in_percentage},
                                           {Gate::kCompatible, compatible},
                                           {Gate::kBeta, beta},
                                           {Gate::kNotThere, not_there},
                                           {Gate::kBusy, not_busy},
                                           {Gate::kApproved, approved},
                                           {Gate::kRunning, running},
                                           {Gate::kContent, content},
                                           {Gate::kOwner, owner},
                                           {Gate::kWindow, window},
                                           {Gate::kConsent, consent},
                                           {Gate::kRetryTime, retry_time},
                                           {Gate::kBatch, batch},
                                           {Gate::kConcurrency, concurrency}}};

// ---- of a rollback (decision 10) -------------------------------------------------------------------------------

Finding to_be_taken_back(const Question& q) {
  const auto& s = q.s;
  const std::uint32_t o = q.ask.ordinal.value;
  if (!s.completed.contains(o)) return closed("the device did not complete the campaign: there is nothing to take back");
  if (s.undone.contains(o)) return closed("the device was rolled back already");
  if (s.rollback.granted.contains(o)) return closed("its rollback is in progress");
  if (s.rollback.ended.contains(o)) return closed("its rollback has ended without success");
  return open(q, [&] { return fmt::format("it is one of {} devices to be rolled back", s.to_take_back_count()); });
}

Finding rolling_back(const Question& q) {
  const auto& s = q.s;
  if (s.status != CampaignStatus::kRollback || s.rollback.number != q.ask.rollback) {
    return closed(fmt::format("the campaign is {}, its rollback {} is over", to_text(s.status), q.ask.rollback));
  }
  if (s.rollback.give_up_at <= q.context.now) {
    // One that waits for its next attempt is told by the campaign.
    if (q.ask.attempts > 0) return closed("the rollback's deadline has passed");
    auto finding = closed("the device was not seen in time", Otherwise::kNoWayBack);
    finding.error_code = "device_not_seen";
    return finding;
  }
  return open(q, [&] { return fmt::format("the campaign is being rolled back: {}", s.rollback.reason); });
}

Finding still_runs_it(const Question& q) {
  const auto& runs = q.ask.facts.firmware_version;
  if (!runs.empty() && !same_version(runs, q.s.facts.version)) {
    return closed(fmt::format("the device runs {} by now, not {}", runs, q.s.facts.version), Otherwise::kSuperseded);
  }
  return open(q, [&] { return fmt::format("the device still runs {}", q.s.facts.version); });
}

Finding way_back(const Question& q) {
  auto [code, fact] = why_not_back(q.ask.back);
  if (code.empty()) return open(q, [&] { return fmt::format("the version before, {}, is here", q.ask.back.version); });
  auto finding = closed(std::move(fact), Otherwise::kNoWayBack);
  finding.error_code = std::move(code);
  return finding;
}

Finding rollback_retry_time(const Question& q) { return after(q, q.s.rollback.retries); }

constexpr std::array<Row, 8> kRollback{{{Gate::kKnown, known},
                                        {Gate::kTargeted, to_be_taken_back},
                                        {Gate::kRunning, rolling_back},   // behind its deadline it waits for no device
                                        {Gate::kBusy, not_busy},
                                        {Gate::kNotThere, still_runs_it},
                                        {Gate::kContent, way_back},
                                        {Gate::kRetryTime, rollback_retry_time},
                                        {Gate::kConcurrency, concurrency}}};

std::span<const Row> gates_before(const Question& q) {
  if (q.ask.rollback > 0) return kRollback;
  return kDeployment;
}

}  // namespace

std::uint64_t places_taken(const Campaign& s, const Reservations& r) {
  return s.granted.cardinality() - (s.held.cardinality() - s.in_window.cardinality()) - s.released.cardinality() +
         s.rollback.granted.cardinality() +
         r.ordinals.cardinality();
}

bool has_place(const Campaign& s, const Reservations& r) { return places_taken(s, r) < s.policy.max_concurrent_updates; }

bool batch_open(const Campaign& s, const Reservations& r) {
  if (s.in_canary()) return s.evidence.count() + r.in_batch < canary_size(*s.canary, s.evidence.topped_up());
  return !has_batches(s.policy.strategy) || s.batch_granted + r.in_batch < s.policy.batch_size;
}

std::optional<Finding> first_closed(const Question& q) {
  for (const auto& row : gates_before(q)) {
    auto finding = row.rule(q);
    if (finding.open) continue;
    finding.gate = row.gate;
    return finding;
  }
  return std::nullopt;
}

std::optional<Finding> not_acting(const Question& q) {
  constexpr std::array<Row, 3> kActing{{{Gate::kBusy, not_busy}, {Gate::kApproved, approved}, {Gate::kRunning, running}}};
  for (const auto& row : kActing) {
    auto finding = row.rule(q);
    if (finding.open) continue;
    finding.gate = row.gate;
    return finding;
  }
  return std::nullopt;
}

std::vector<Finding> all(const Question& q) {
  std::vector<Finding> found;
  for (const auto& row : gates_before(q)) {
    found.push_back(row.rule(q));
    found.back().gate = row.gate;
  }
  return found;
}

}  // namespace ota::domain::campaign

namespace ota::domain {

std::pair<std::string, std::string> why_not_back(const WayBack& back) {
  if (back.version.empty()) return {"previous_version_unknown", "what the device ran before is not known"};
  if (!back.undone.empty() && same_version(back.version, back.undone)) {
    return {"previous_version_same", fmt::format("the device ran {} before, too: there is nothing to go back to", back.version)};
  }
  if (back.recalled) {
    return {"previous_version_recalled", fmt::format("the version before, {}, is recalled", back.version)};
  }
  if (!back.stored) {
    return {"previous_version_not_stored", fmt::format("the version before, {}, is not stored here", back.version)};
  }
  return {};
}

bool would_be_granted(const CampaignCreated& record, bool switched, const GrantAsk& ask, Time now) {
  const auto& p = record.policy;
  if (!misfit(ask.facts, record.facts).empty()) return false;
  if (record.facts.is_beta && !p.allow_beta && !ask.owner_wants_beta) return false;
  const auto& runs = ask.facts.firmware_version;
  if (!p.force_update && !runs.empty() && compare_versions(runs, record.facts.version) >= 0) return false;
  if (ask.owner_pauses_until && *ask.owner_pauses_until > now) return false;
  if (p.maintenance_window && !is_open(*p.maintenance_window, ask.facts.timezone, now)) return false;
  if (p.requires_device_confirmation && !ask.consented && !ask.auto_confirms) return false;
  return p.strategy != Strategy::kBlueGreen || switched || ask.facts.can_hold;
}

}  // namespace ota::domain
